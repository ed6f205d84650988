"""Which fact, and which act asked for over HTTP, goes to which handler."""

from collections.abc import Mapping

from pydantic import BaseModel

from chassis.facts import Handler
from contracts.matching import GapClosed, GapRecorded
from contracts.message import Message
from contracts.referrals import PersonErased
from services.grants.handlers.acts import ApplyForGrant, AwardGrant, DeclineApplication, PutFund, PutRound
from services.grants.handlers.applications import on_apply, on_award, on_decline
from services.grants.handlers.gaps import on_gaps_closed, on_gaps_recorded, on_persons_erased
from services.grants.handlers.rounds import on_put_fund, on_put_round

FACTS: Mapping[type[Message], Handler] = {
    GapRecorded: on_gaps_recorded,
    GapClosed: on_gaps_closed,
    PersonErased: on_persons_erased,
}

ACTS: Mapping[type[BaseModel], Handler] = {
    PutFund: on_put_fund,
    PutRound: on_put_round,
    ApplyForGrant: on_apply,
    AwardGrant: on_award,
    DeclineApplication: on_decline,
}
