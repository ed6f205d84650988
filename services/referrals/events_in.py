"""Which facts and messages this service acts on, and by which handler."""

from collections.abc import Mapping
from functools import partial

from pydantic import BaseModel

from chassis.facts import Handler
from contracts.door import ReferralSubmitted, ReferralWithdrawalRequested
from contracts.message import Message
from services.referrals.handlers.partners import (
    AddKey,
    LoadAreas,
    RegisterPartner,
    RevokeKeys,
    on_add_key,
    on_load_areas,
    on_register_partner,
    on_revoke_keys,
)
from services.referrals.handlers.progress import MOVES, moving, on_withdrawal_requested
from services.referrals.handlers.submission import Programme, on_referral_submitted


def handlers(programme: Programme) -> Mapping[type[Message], Handler]:
    return {
        ReferralSubmitted: partial(on_referral_submitted, programme),
        ReferralWithdrawalRequested: on_withdrawal_requested,
        **{fact: moving(move) for fact, move in MOVES.items()},
    }


def acts(programme: Programme) -> Mapping[type[BaseModel], Handler]:
    """What staff and operations do."""
    return {
        RegisterPartner: on_register_partner,
        AddKey: on_add_key,
        RevokeKeys: on_revoke_keys,
        LoadAreas: partial(on_load_areas, programme.policy),
    }
