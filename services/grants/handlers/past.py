"""Loads grants made before, from a file in 360Giving JSON: good records are kept, bad ones listed by row and field."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel

from chassis.postgres import Conn
from services.grants.domain.organisation import OrganisationId, recipient_id
from services.grants.store import past

MOST_RECORDS: Final = 100_000
MOST_ERRORS_OF_A_RECORD: Final = 20
DESCRIPTION_KEPT: Final = 2000
PROGRAMMES_KEPT: Final = 5


@dataclass(frozen=True, slots=True)
class BadRecord:
    """What is wrong with one record. `row` counts from 1; 0 is the document. No value of the file is repeated."""

    row: int
    field: str
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """How many awards were loaded, how many were there before, and what could not be used."""

    loaded: int = 0
    known: int = 0
    bad: Sequence[BadRecord] = field(default_factory=list)


def _day(value: object) -> object:
    """360Giving writes a date, or a date-time whose date counts."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?", value):
        raise ValueError("Write the date as YYYY-MM-DD")
    return value[:10]


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Number = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
LongText = Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")]
Pounds = Annotated[Decimal, Field(ge=0, le=10**10, decimal_places=2)]


class _Read(BaseModel):
    """Publishers add fields of their own: those are passed over."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", coerce_numbers_to_str=True)


class _Organisation(_Read):
    id: Annotated[Number, Field(min_length=1)]
    name: Text
    charity_number: Number | None = None
    company_number: Number | None = None

    @property
    def known_as(self) -> OrganisationId:
        return recipient_id(self.id, self.charity_number, self.company_number)


class _Location(_Read):
    geo_code: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9]{0,20}$")] | None = None


class _Programme(_Read):
    title: Text


class _Grant(_Read):
    id: Text
    title: Text
    description: LongText = ""
    currency: Literal["GBP"]
    amount_awarded: Pounds
    award_date: Annotated[date, BeforeValidator(_day)]
    funding_organization: list[_Organisation] = Field(min_length=1, max_length=20)
    recipient_organization: list[_Organisation] = Field(min_length=1, max_length=1)
    recipient_individual: None = None
    beneficiary_location: list[_Location] = Field(default=[], max_length=200)
    grant_programme: list[_Programme] = Field(default=[], max_length=20)


async def load(conn: Conn, document: dict[str, Any]) -> ImportResult:
    """Loads what is new, in one transaction. The same file again changes nothing."""
    records = document.get("grants")
    if not isinstance(records, list):
        return ImportResult(bad=[BadRecord(0, "grants", "missing", "The document has no list of grants.")])
    if len(records) > MOST_RECORDS:
        return ImportResult(bad=[BadRecord(0, "grants", "too-long", f"Load at most {MOST_RECORDS} grants at a time.")])
    awards, bad = read(records)
    async with conn.transaction():
        loaded = await past.add(conn, awards)
    return ImportResult(loaded, len(awards) - loaded, bad)


def read(records: list[Any]) -> tuple[list[past.PastAward], list[BadRecord]]:
    """Good records, and what is wrong with the others."""
    awards: dict[str, past.PastAward] = {}
    bad: list[BadRecord] = []
    for row, record in enumerate(records, start=1):
        try:
            award = _award(_Grant.model_validate(record))
        except ValidationError as error:
            bad += _errors(row, error)
            continue
        if award.grant_id in awards:
            bad.append(BadRecord(row, "id", "twice", "A grant before this one in the file has the same id."))
        else:
            awards[award.grant_id] = award
    return list(awards.values()), bad


def _errors(row: int, error: ValidationError) -> list[BadRecord]:
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        BadRecord(row, ".".join(map(str, detail["loc"])) or "(record)", detail["type"].replace("_", "-"), detail["msg"])
        for detail in details[:MOST_ERRORS_OF_A_RECORD]
    ]


def _award(grant: _Grant) -> past.PastAward:
    recipient = grant.recipient_organization[0]
    organisation = recipient.known_as
    return past.PastAward(
        grant_id=grant.id,
        organisation_id=organisation.id,
        organisation_original=organisation.original,
        organisation_name=recipient.name,
        register=organisation.register,
        title=grant.title,
        amount_pence=int(grant.amount_awarded * 100),
        award_date=grant.award_date,
        geo_codes=sorted({place.geo_code for place in grant.beneficiary_location if place.geo_code}),
        data={
            "description": grant.description[:DESCRIPTION_KEPT],
            "funder": {"id": grant.funding_organization[0].known_as.id, "name": grant.funding_organization[0].name},
            "programmes": [programme.title for programme in grant.grant_programme[:PROGRAMMES_KEPT]],
        },
    )
