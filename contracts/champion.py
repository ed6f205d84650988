"""Digital Champions, as the organisation they belong to describes them."""

from datetime import date
from typing import Literal

from pydantic import Field

from contracts.message import Part
from contracts.vocabulary import Code, Language, Requirement, Ward, Weekday


class Champion(Part):
    """A Digital Champion, by a name that tells nobody who it is: whom they can help, and how many at once.

    They are there on their `days`, or on any. A starter helps people whom their own organisation refers. Whoever is
    advanced may visit people at home. Until the last day `away` they are given nobody new.
    """

    ref: Code
    training: Literal["starter", "trained", "advanced"]
    languages: list[Language] = Field(default=[], max_length=40)
    wards: list[Ward] = Field(default=[], max_length=200)
    requirements: list[Requirement] = Field(default=[], max_length=10)
    days: list[Weekday] = Field(default=[], max_length=7)
    caseload: int = Field(ge=0, le=100)
    away: date | None = None
