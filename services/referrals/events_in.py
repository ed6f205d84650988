"""Which facts and messages this service acts on, and by which handler."""

from collections.abc import Mapping
from functools import partial

from pydantic import BaseModel

from chassis.facts import Handler
from contracts import grants, matching, notifications, referrals, reporting
from contracts.changes import GroupReferralSubmitted, PersonAnswered, ReferralAmendmentRequested
from contracts.contacting import ContactReported
from contracts.door import ReferralSubmitted, ReferralWithdrawalRequested
from contracts.message import Message
from contracts.notifications import AnswerTaken, CallRequested, NotificationWithheld
from contracts.referrals import PersonErased
from contracts.stock import SupportExpiring
from services.referrals.handlers.amending import on_amendment_requested
from services.referrals.handlers.answers import on_answer_taken, on_person_answered
from services.referrals.handlers.contacting import (
    GiveFeedback,
    SetMail,
    on_call_requested,
    on_contact_reported,
    on_give_feedback,
    on_notification_withheld,
    on_set_mail,
)
from services.referrals.handlers.days import on_check_day
from services.referrals.handlers.duplicates import SettleDuplicate, on_settle_duplicate
from services.referrals.handlers.expiring import on_support_expiring
from services.referrals.handlers.group import on_group_submitted
from services.referrals.handlers.importing import ImportReferral, on_import_referral
from services.referrals.handlers.moves import CheckDay
from services.referrals.handlers.partners import (
    AddKey,
    LoadAreas,
    RegisterPartner,
    RemovePartner,
    RevokeKeys,
    SayKeys,
    on_add_key,
    on_load_areas,
    on_register_partner,
    on_remove_partner,
    on_revoke_keys,
    on_say_keys,
)
from services.referrals.handlers.people import CountPeople, on_count_people
from services.referrals.handlers.persons import (
    EraseAgain,
    ErasePerson,
    ReadPerson,
    on_erase_again,
    on_erase_person,
    on_erasure_confirmed,
    on_person_erased,
    on_read_person,
)
from services.referrals.handlers.policies import AdoptPolicy, on_adopt_policy
from services.referrals.handlers.progress import ASKED_BY, moving, on_withdrawal_requested
from services.referrals.handlers.restored import (
    LetGoKey,
    LetGoReferral,
    ReleaseContact,
    on_let_go_key,
    on_let_go_referral,
    on_release_contact,
)
from services.referrals.handlers.reviews import AnswerReview, AskForReview, on_answer_review, on_ask_for_review
from services.referrals.handlers.sims import WriteSim, WriteSimForProvider, on_write_sim
from services.referrals.handlers.staff import NEED_ACTS, MarkError, SetLane, on_mark_error, on_need_act, on_set_lane
from services.referrals.handlers.submission import Programme, on_referral_submitted


def due(programme: Programme) -> Mapping[type[BaseModel], Handler]:
    return {CheckDay: on_check_day, CountPeople: partial(on_count_people, programme)}


CONFIRM = (referrals, matching, notifications, grants, reporting)


def handlers(programme: Programme) -> Mapping[type[Message], Handler]:
    return {
        ReferralSubmitted: partial(on_referral_submitted, programme),
        ReferralWithdrawalRequested: on_withdrawal_requested,
        ReferralAmendmentRequested: partial(on_amendment_requested, programme),
        GroupReferralSubmitted: partial(on_group_submitted, programme),
        PersonAnswered: on_person_answered,
        **{fact: moving(asked_by) for fact, asked_by in ASKED_BY.items()},
        ContactReported: on_contact_reported,
        AnswerTaken: on_answer_taken,
        CallRequested: on_call_requested,
        NotificationWithheld: on_notification_withheld,
        SupportExpiring: on_support_expiring,
        PersonErased: on_person_erased,
        **{each.ErasureConfirmed: on_erasure_confirmed for each in CONFIRM},
    }


def acts(programme: Programme) -> Mapping[type[BaseModel], Handler]:
    """What staff and operations do, and providers over HTTP alone."""
    write_sim = partial(on_write_sim, programme)
    return {
        **_ACTS,
        ImportReferral: partial(on_import_referral, programme),
        WriteSim: write_sim,
        WriteSimForProvider: write_sim,
    }


_ACTS: Mapping[type[BaseModel], Handler] = {
    GiveFeedback: on_give_feedback,
    SetMail: on_set_mail,
    RegisterPartner: on_register_partner,
    RemovePartner: on_remove_partner,
    ReleaseContact: on_release_contact,
    LetGoReferral: on_let_go_referral,
    LetGoKey: on_let_go_key,
    AddKey: on_add_key,
    RevokeKeys: on_revoke_keys,
    ReadPerson: on_read_person,
    ErasePerson: on_erase_person,
    EraseAgain: on_erase_again,
    SayKeys: on_say_keys,
    **dict.fromkeys(NEED_ACTS, on_need_act),
    SetLane: on_set_lane,
    MarkError: on_mark_error,
    SettleDuplicate: on_settle_duplicate,
    AskForReview: on_ask_for_review,
    AnswerReview: on_answer_review,
    LoadAreas: on_load_areas,
    AdoptPolicy: on_adopt_policy,
}
