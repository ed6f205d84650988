"""What referrals counts of persons: it leaves the service only so, with small counts hidden."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from contracts.message import Message, Part, fact

PeopleTable = Literal["circumstance", "age", "sex", "ethnicity", "disability"]


class CountOfPeople(Part):
    """`people` is rounded to 5, or none: 1 to 7 are hidden (`small`), and so is what would tell of them."""

    code: str
    people: int | None
    hidden: Literal["small", "kept-back"] | None = None


@fact("referrals", key="month", to=("reporting",), data_class="none")
class PeopleCounted(Message):
    """How many of the people who were referred in a month have told what. It is said once, and published as it stands.

    Of a circumstance those are counted who said yes; all others by one code each, `not-told` where there is none.
    """

    month: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    table: PeopleTable
    rows: list[CountOfPeople]

    example = {
        "month": "2026-11",
        "table": "sex",
        "rows": [
            {"code": "female", "people": 45},
            {"code": "male", "people": 30},
            {"code": "prefer-not-to-say", "people": None, "hidden": "small"},
            {"code": "not-told", "people": 20},
        ],
    }
