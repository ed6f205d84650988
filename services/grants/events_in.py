"""Which fact, which act asked for over HTTP, and which work that falls due goes to which handler."""

from collections.abc import Mapping

from pydantic import BaseModel

from chassis.facts import Handler
from contracts.matching import GapClosed, GapRecorded, PlaceChanged, PlaceOpened
from contracts.message import Message
from contracts.referrals import AreasLoaded, PartnerRegistered, PersonErased, ReferralReceived
from services.grants.events_out import ReportReminder
from services.grants.handlers import acts, applications, asking, assessment, decisions, gaps, judging, rounds
from services.grants.handlers.one_by_one import Act, one_by_one

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

_ACTS: Mapping[type[BaseModel], Act] = {
    acts.PutFund: rounds.put_fund,
    acts.PutRound: rounds.put_round,
    acts.TopUpRound: rounds.top_up,
    acts.MoveRound: rounds.move,
    asking.ApplyForGrant: applications.apply,
    asking.SaveDraft: applications.save_draft,
    asking.SubmitDraft: applications.submit,
    asking.WithdrawApplication: applications.withdraw,
    asking.RequestChanges: applications.request_changes,
    judging.PutAssessor: assessment.put_assessor,
    judging.AssignAssessors: assessment.assign_all,
    judging.AssignAssessor: assessment.assign_one,
    judging.DeclareConflict: assessment.declare,
    judging.ScoreApplication: assessment.score,
    judging.ModerateApplication: assessment.moderate,
    judging.AwardGrant: decisions.award,
    judging.ReserveGrant: decisions.reserve,
    judging.DeclineApplication: decisions.decline,
    judging.PayInstalment: decisions.pay,
    judging.ReturnUnderspend: decisions.give_back,
    judging.ReportGrant: decisions.report,
}
ACTS: Mapping[type[BaseModel], Handler] = {asked: one_by_one(act) for asked, act in _ACTS.items()}

DUE: Mapping[type[BaseModel], Handler] = {
    ReportReminder: decisions.on_report_reminders,
}
