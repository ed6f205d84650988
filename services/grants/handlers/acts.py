"""What staff and applicants ask of grants over HTTP.

These come through the door of the chassis like partners' messages, so that an Idempotency-Key makes each of them
happen once; but they never travel on Kafka, so the catalogue does not list them.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from contracts.message import Message, Part, Spec
from contracts.topics import INBOX
from contracts.vocabulary import Code, Kind, Ward, When

A = TypeVar("A", bound=Message)


def _whole_pence(value: object) -> object:
    """The door reads leniently, but `true` is no amount, and neither is a text."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "Input should be a whole number of pence")
    return value


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Amount = Annotated[int, BeforeValidator(_whole_pence), Field(gt=0, le=10**12)]
Moment = Annotated[When, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC))]


def _act(key: str) -> Callable[[type[A]], type[A]]:
    """The type of an act is the name of its class: by that the worker finds its handler."""

    def declare(cls: type[A]) -> type[A]:
        cls.spec = Spec(cls.__name__, INBOX, key, "grants", (), "none")
        return cls

    return declare


@_act("fund_id")
class PutFund(Message):
    """Staff open a fund, or name it anew."""

    fund_id: Code
    name: Line


@_act("round_id")
class PutRound(Message):
    """Staff open a round of a fund, or change it. It takes applications from `opens_at` until before `closes_at`."""

    round_id: Code
    fund_id: Code
    budget_pence: Amount
    maximum_pence: Amount
    minimum_pence: Amount = 1
    opens_at: Moment
    closes_at: Moment


class Organisation(Part):
    """An organisation as it names itself."""

    id: Line
    name: Line


@_act("round_id")
class ApplyForGrant(Message):
    """An organisation asks for money. `applicant` is whom the key belongs to; no `wards` is the whole city."""

    applicant: str
    round_id: Code
    title: Line
    amount_pence: Amount
    kinds: list[Kind] = Field(min_length=1, max_length=4)
    wards: list[Ward] = Field(default=[], max_length=200)
    organisation: Organisation


@_act("application_id")
class AwardGrant(Message):
    """A member of staff promises money to an application."""

    application_id: UUID
    amount_pence: Amount
    by: str


@_act("application_id")
class DeclineApplication(Message):
    """A member of staff turns an application down, with a coded reason."""

    application_id: UUID
    reason: Code
    by: str
