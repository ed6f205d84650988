"""Which fact, which act asked for over HTTP, and which work that falls due goes to which handler."""

from collections.abc import Mapping

from pydantic import BaseModel

from chassis.facts import Handler
from contracts.matching import GapClosed, GapRecorded, PlaceChanged, PlaceOpened
from contracts.message import Message
from contracts.referrals import AreasLoaded, PartnerRegistered, PersonErased, ReferralReceived
from services.grants.events_out import ReportReminder
from services.grants.handlers import acts, applications, asking, assessment, decisions, gaps, judging, rounds

FACTS: Mapping[type[Message], Handler] = {
    ReferralReceived: gaps.on_referrals_received,
    PartnerRegistered: gaps.on_partners_registered,
    AreasLoaded: gaps.on_areas_loaded,
    GapRecorded: gaps.on_gaps_recorded,
    GapClosed: gaps.on_gaps_closed,
    PlaceOpened: gaps.on_places,
    PlaceChanged: gaps.on_places,
    PersonErased: gaps.on_persons_erased,
}

ACTS: Mapping[type[BaseModel], Handler] = {
    acts.PutFund: rounds.on_put_fund,
    acts.PutRound: rounds.on_put_round,
    acts.TopUpRound: rounds.on_top_up,
    acts.MoveRound: rounds.on_move_round,
    asking.ApplyForGrant: applications.on_apply,
    asking.SaveDraft: applications.on_save_draft,
    asking.SubmitDraft: applications.on_submit,
    asking.WithdrawApplication: applications.on_withdraw,
    asking.RequestChanges: applications.on_request_changes,
    judging.PutAssessor: assessment.on_put_assessor,
    judging.AssignAssessors: assessment.on_assign_all,
    judging.AssignAssessor: assessment.on_assign_one,
    judging.DeclareConflict: assessment.on_declare,
    judging.ScoreApplication: assessment.on_score,
    judging.ModerateApplication: assessment.on_moderate,
    judging.AwardGrant: decisions.on_award,
    judging.ReserveGrant: decisions.on_reserve,
    judging.DeclineApplication: decisions.on_decline,
    judging.PayInstalment: decisions.on_pay,
    judging.ReturnUnderspend: decisions.on_return,
    judging.ReportGrant: decisions.on_report,
}

DUE: Mapping[type[BaseModel], Handler] = {
    ReportReminder: decisions.on_report_reminders,
}
