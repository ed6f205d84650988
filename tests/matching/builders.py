"""Needs, places and messages that are valid unless a test says otherwise."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from chassis.facts import Said
from contracts.champion import Champion
from contracts.door import PlaceUpdated, ProviderUpdated
from contracts.matching import OfferMade
from contracts.message import Message
from contracts.offers import OfferAnswered, OfferProposed, SupportReported
from contracts.referrals import (
    NeedAmended,
    NeedReceived,
    Priority,
    ReferralAmended,
    ReferralReceived,
    ReferralWithdrawn,
)
from contracts.stock import DirectHelpReported, LoanReported
from contracts.vocabulary import Kind
from services.matching.domain.fit import Asks, Need, Place, PlaceKey, Terms
from services.matching.handlers.offers import ConfirmOffer
from services.matching.settings import MatchingSettings
from tests.support import NOON, Stage, said

SETTINGS = MatchingSettings(
    database_host="localhost",
    database_name="matching",
    database_user="matching",
    database_password=SecretStr("none"),
    kafka_bootstrap="localhost:1",
    kafka_user="matching",
    kafka_password=SecretStr("none"),
    http_port=1,
    sealing_key=SecretStr("5e" * 32),
)
ARMLEY, HAREHILLS = "E05011381", "E05011400"


def id_of(number: int) -> UUID:
    return UUID(int=0x7 << 76 | 0b10 << 62 | number)


def a_need(
    number: int = 1,
    *,
    waited: float = 0,
    barred: frozenset[PlaceKey] = frozenset(),
    shuns: frozenset[str] = frozenset(),
    **asks: Any,
) -> Need:
    """`waited` is for how many days it has, priority included. Needs of one wait rank by number."""
    fits = Asks(**{"kind": "device", "partner": "gp-armley", "ward": ARMLEY, **asks})
    return Need(
        id_of(number),
        id_of(1000 + number),
        ARMLEY,
        "routine",
        NOON - timedelta(days=waited),
        fits,
        barred=barred,
        shuns=shuns,
    )


def a_place(name: str = "tablets", *, free: int = 1, partner: str = "library", **terms: Any) -> Place:
    return Place(PlaceKey(partner, name), "armley", Terms(**{"kind": "device", **terms}), free, free)


def referral(
    number: int,
    *,
    kind: Kind = "device",
    score: int = 0,
    ward: str | None = ARMLEY,
    partner: str = "gp-armley",
    received_at: datetime = NOON,
    not_before: date | None = None,
    schemes: tuple[str, ...] = (),
    languages: tuple[str, ...] = (),
    lane: Any = "routine",
    **need: Any,
) -> ReferralReceived:
    """A referral with one need, both known by `number`."""
    return ReferralReceived(
        referral_id=id_of(1000 + number),
        person_ref=id_of(2000 + number),
        partner=partner,
        received_at=received_at,
        ward=ward,
        area=ward or "protected",
        needs=[NeedReceived(need_id=id_of(number), kind=kind, **need)],
        languages=list(languages),
        schemes=list(schemes),
        priority=Priority(score=score, groups=2, area_step=10, policy="leeds-1"),
        lane=lane,
        not_before=not_before,
    )


def amended(referral: ReferralReceived, **changes: Any) -> ReferralAmended:
    """All that there is to know of it, by default as it was; `changes` are of the referral or of its one need."""
    known = referral.model_dump(exclude={"person_ref", "not_before", "needs"})
    need = {**referral.needs[0].model_dump(), "home_visit_cleared": True}
    of_need = {name: changes.pop(name) for name in set(changes) & set(NeedAmended.model_fields)}
    return ReferralAmended.model_validate({**known, **changes, "needs": [{**need, **of_need}]})


def withdrawal(*numbers: int) -> ReferralWithdrawn:
    return ReferralWithdrawn(
        referral_id=id_of(1000 + numbers[0]), need_ids=[id_of(n) for n in numbers], reason="no-longer-needed"
    )


def provider(name: str = "armley", *champions: Champion, **said_of: Any) -> ProviderUpdated:
    """Without champions it says nothing of them."""
    told = {"provider_id": name, "name": "Armley Library", "champions": champions or None, **said_of}
    return ProviderUpdated(**told)


def champion(ref: str, **said_of: Any) -> Champion:
    return Champion(**{"ref": ref, "training": "trained", "caseload": 1, **said_of})


def place(name: str = "tablets", **said_of: Any) -> PlaceUpdated:
    return PlaceUpdated(**{"place_id": name, "provider_id": "armley", "kind": "device", "capacity": 1, **said_of})


def direct_help(name: str = "tablets", count: int = 1, **said_of: Any) -> DirectHelpReported:
    told = {"place_id": name, "kind": "device", "count": count, "ward": ARMLEY, "given_on": NOON.date(), **said_of}
    return DirectHelpReported(**told)


@dataclass(slots=True)
class Matching:
    """The service on its stage, with the provider `armley` of the partner `library`."""

    stage: Stage

    async def hear(self, *facts: Message) -> list[Said]:
        return await self.stage.hear(*facts)

    async def open(self, *places: PlaceUpdated, partner: str = "library") -> list[Said]:
        return await self.stage.receive(partner, *places)

    async def answer(
        self, offer: OfferMade | OfferProposed, answer: Any, reason: Any = None, by: str = "library"
    ) -> list[Said]:
        return await self.stage.receive(by, OfferAnswered(offer_id=offer.offer_id, answer=answer, reason=reason))

    async def accept(self, offer: OfferMade | OfferProposed) -> list[Said]:
        return await self.answer(offer, "accept")

    async def decline(self, offer: OfferMade | OfferProposed) -> list[Said]:
        return await self.answer(offer, "decline", "no-capacity")

    async def support(self, number: int, state: Any, by: str = "library", **told: Any) -> list[Said]:
        return await self.stage.receive(by, SupportReported(need_id=id_of(number), state=state, **told))

    async def confirm(self, offer_id: UUID, answer: Any = "confirm") -> list[Said]:
        return await self.stage.receive("ann", ConfirmOffer(offer_id=offer_id, answer=answer, by="ann"))

    async def loan(self, number: int, state: Any, by: str = "library", **told: Any) -> list[Said]:
        return await self.stage.receive(by, LoanReported(need_id=id_of(number), state=state, **told))

    async def offered(self, *facts: Message) -> OfferMade:
        """The one offer that these facts lead to."""
        (made,) = said(await self.hear(*facts), OfferMade)
        return made

    async def units(self, name: str = "tablets", partner: str = "library") -> tuple[int, int, int]:
        """(capacity, held, taken)."""
        (row,) = await self.stage.rows(
            "select capacity, held, taken from place where partner = $1 and place_id = $2", partner, name
        )
        return row["capacity"], row["held"], row["taken"]

    async def state(self, number: int) -> str:
        (row,) = await self.stage.rows("select state from need where need_id = $1", id_of(number))
        return str(row["state"])
