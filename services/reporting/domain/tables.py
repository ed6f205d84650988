"""Tables of counts, with every code that they list."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from contracts.vocabulary import KINDS
from services.reporting.domain.measure import BANDS, OF_WARD, UNKNOWN, By, Codes

Table = dict[Codes, int]

DECILES: Final = tuple(str(decile) for decile in range(1, 11))


@dataclass(frozen=True, slots=True)
class Geography:
    """The wards that there are, each with its decile and the part of the city that it lies in."""

    wards: Sequence[str] = ()
    decile: Mapping[str, str] = field(default_factory=dict)
    committee: Mapping[str, str] = field(default_factory=dict)

    def of(self, word: str, ward: str) -> str:
        return (self.decile if word == "decile" else self.committee).get(ward, UNKNOWN)

    def codes(self, word: str) -> Sequence[str] | None:
        """All codes that a table by this lists, noughts included; none where any may turn up."""
        listed: dict[str, Sequence[str]] = {
            "kind": KINDS,
            "band": tuple(BANDS),
            "decile": DECILES,
            "committee": sorted(set(self.committee.values())),
            "ward": self.wards,
        }
        return listed.get(word)


def listed(by: By, geography: Geography) -> Iterable[Codes]:
    """The codes that a table has whether anybody is counted there or not."""
    lists = [codes for word in by if (codes := geography.codes(word)) is not None]
    return product(*lists) if len(lists) == len(by) else ()


def table(rows: Mapping[Codes, int], grain: By, by: By, geography: Geography) -> Table:
    """The counts of one table, from those by the grain of its measure."""
    counts = dict.fromkeys(listed(by, geography), 0)
    for codes, count in rows.items():
        known = dict(zip(grain, codes, strict=True))
        key = tuple(geography.of(word, known["ward"]) if word in OF_WARD else known[word] for word in by)
        counts[key] = counts.get(key, 0) + count
    return counts


def mostly_hidden(values: Iterable[int | None]) -> bool:
    """Whether fewer numbers are told than are hidden (none). What is nought tells little."""
    told = [value for value in values if value != 0]
    return 2 * told.count(None) > len(told)
