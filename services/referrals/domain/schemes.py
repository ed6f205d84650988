"""Conditions of national schemes. What travels is one code, never the facts behind it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Scheme:
    """Who qualifies: of this age, and with a yes to one code of each set."""

    code: str
    minimum_age: int
    one_of_each: tuple[frozenset[str], ...]


SCHEMES: tuple[Scheme, ...] = (
    Scheme(
        "scheme:databank",
        18,
        (frozenset({"low-income", "urgent-money-need"}), frozenset({"offline"})),
    ),
)


def age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def qualifies_for(born: date | None, told: AbstractSet[str], on: date) -> list[str]:
    """`told` are the circumstances answered with a yes."""
    return [
        scheme.code
        for scheme in SCHEMES
        if born and age(born, on) >= scheme.minimum_age and all(codes & told for codes in scheme.one_of_each)
    ]
