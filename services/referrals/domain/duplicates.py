"""Whether two referrals may be of one person: by any two of name, birth, postcode and phone."""

import unicodedata
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from contracts.person import Person

PAIRS: Final = (("name", "born"), ("name", "postcode"), ("name", "phone"), ("born", "phone"))
"""What two persons must have in common to be looked at. A postcode and a phone are those of a whole household."""


def traits(person: Person) -> dict[str, str]:
    """What a person is known by, without accents, case, spaces and the order of names."""
    told = {
        "name": " ".join(sorted(_plain(person.name).split())),
        "born": person.born.isoformat() if person.born else "",
        "postcode": _plain(person.postcode or "").replace(" ", ""),
        "phone": person.phone or "",
    }
    return {trait: text for trait, text in told.items() if text}


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))


def pairs(person: Person) -> Iterator[tuple[str, ...]]:
    """The pairs of traits by which a person is found, each with the names of the traits."""
    known = traits(person)
    return ((*pair, known[pair[0]], known[pair[1]]) for pair in PAIRS if known.keys() >= set(pair))


def in_common(one: Person, other: Person) -> list[str]:
    """The traits that tell staff why two referrals may be of one person; none where they are not."""
    a, b = traits(one), traits(other)
    shared = sorted(trait for trait in a.keys() & b.keys() if a[trait] == b[trait])
    return shared if any(pair in PAIRS or pair[::-1] in PAIRS for pair in combinations(shared, 2)) else []
