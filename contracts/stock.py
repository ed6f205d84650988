"""What places give away or lend beside offers: what partners report of it, and what matching says."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import Field

from contracts.message import Message, fact, from_partner
from contracts.vocabulary import Code, Kind, PartnerId, Ward, When


@from_partner("matching", key="place_id", data_class="none")
class DirectHelpReported(Message):
    """A provider gave something of a place to people who were not referred. It is counted, and taken from stock.

    `serials` are the units, where the place names its units.
    """

    place_id: Code
    kind: Kind
    count: int = Field(ge=1, le=1_000)
    ward: Ward | None = None
    given_on: date
    serials: list[Code] = Field(default=[], max_length=1_000)

    example = {
        "place_id": "sims",
        "kind": "connectivity",
        "count": 3,
        "ward": "E05011400",
        "given_on": "2026-11-20",
    }


@from_partner("matching", key="need_id", data_class="pseudonymous")
class LoanReported(Message):
    """What was lent is due back later, for as long again from now; or it is back; or it is lost.

    What is back is lent again when it is said to be `wiped`, at once or by a second report; what is `faulty` is not.
    """

    need_id: UUID
    state: Literal["renewed", "returned", "lost"]
    wiped: bool = False
    faulty: bool = False

    example = {"need_id": "019aa0c4-0000-7000-8000-000000000003", "state": "returned", "wiped": True}


@fact("matching", key="provider_id", to=("reporting",), data_class="none")
class DirectHelpGiven(Message):
    """A provider gave something to people who were not referred. Devices and SIMs are taken from the stock."""

    place_id: str
    provider_id: str
    provider: PartnerId
    kind: Kind
    count: int
    ward: str | None
    given_on: date
    after: int

    example = {
        "place_id": "sims",
        "provider_id": "library-armley",
        "provider": "library-service",
        "kind": "connectivity",
        "count": 3,
        "ward": "E05011400",
        "given_on": "2026-11-20",
        "after": 4,
    }


@fact("matching", key="referral_id", to=("reporting",))
class LoanChanged(Message):
    """What was lent is due back later now, is back, is lost (without blame), or is overdue.

    What is back can be lent again, unless it is `faulty`, or `unwiped` until it is told to be back and wiped.
    """

    referral_id: UUID
    need_id: UUID
    kind: Kind
    provider: PartnerId
    place_id: str
    state: Literal["renewed", "returned", "lost", "overdue"]
    until: date
    faulty: bool = False
    unwiped: bool = False
    at: When
    after: int

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "need_id": "019aa0c4-0000-7000-8000-000000000003",
        "kind": "device",
        "provider": "library-service",
        "place_id": "tablets",
        "state": "returned",
        "until": "2027-02-20",
        "at": "2027-02-18T10:00:00Z",
        "after": 40,
    }


@fact("matching", key="referral_id", to=("referrals",))
class SupportExpiring(Message):
    """What a person was given ends soon, such as the data of a SIM: time to ask again before they drop offline."""

    referral_id: UUID
    need_id: UUID
    kind: Kind
    provider: PartnerId
    expires_on: date
    at: When

    example = {
        "referral_id": "019aa0c4-0000-7000-8000-000000000001",
        "need_id": "019aa0c4-0000-7000-8000-000000000003",
        "kind": "connectivity",
        "provider": "library-service",
        "expires_on": "2027-05-20",
        "at": "2027-04-20T00:00:00Z",
    }
