"""What staff ask of grants over HTTP about funds and rounds, and the shapes that every act is made of.

These come through the door of the chassis like partners' messages, so that an Idempotency-Key makes each of them
happen once; but they never travel on Kafka, so the catalogue does not list them.
"""

from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from contracts import message
from contracts.grants import RoundRules
from contracts.message import Message, Part
from contracts.vocabulary import Code, When


def _whole_pence(value: object) -> object:
    """The door reads leniently, but `true` is no amount, and neither is a text."""
    if type(value) is not int:
        raise PydanticCustomError("int_type", "Input should be a whole number of pence")
    return value


Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000, pattern=r"^[^\x00]+$")]
"""Some paragraphs. They stay in our database: no fact carries them."""
Amount = Annotated[int, BeforeValidator(_whole_pence), Field(gt=0, le=10**12)]
Day = Annotated[date, Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))]
Moment = Annotated[When, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC))]


act = partial(message.act, "grants")


class Organisation(Part):
    """An organisation as it names itself."""

    id: Line
    name: Line


@act(key="fund_id")
class PutFund(Message):
    """Staff open a fund, or name it anew. `funder` is who gives the money, where that is not the programme."""

    fund_id: Code
    name: Line
    funder: Organisation | None = None


@act(key="round_id")
class PutRound(Message):
    """Staff open a round of a fund, or amend it. It takes applications from `opens_at` until before `closes_at`."""

    round_id: Code
    fund_id: Code
    budget_pence: Amount
    maximum_pence: Amount
    minimum_pence: Amount = 1
    opens_at: Moment
    closes_at: Moment
    rules: RoundRules = RoundRules()
    why: Line | None = None
    by: str


@act(key="round_id")
class TopUpRound(Message):
    """A funder adds to the budget of a round. The reserve list moves up."""

    round_id: Code
    amount_pence: Amount
    funder: Organisation
    by: str


@act(key="round_id")
class MoveRound(Message):
    """Staff open the assessment of a round, then its decisions, and finish it; or they cancel it."""

    round_id: Code
    to: Literal["assessing", "deciding", "finished", "cancelled"]
    why: Line | None = None
    by: str
