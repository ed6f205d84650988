"""The sorts of people that tables count: who is counted where, in which tables of which period."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from contracts.vocabulary import KINDS
from services.reporting.domain.measures import OF_WARD, PARTS, By, Codes, Measure, members, name_of
from services.reporting.domain.tables import Geography, Table, listed

Sort = tuple[str, ...]
Cell = tuple[str, str, By, Codes]
"""The name of a count: measure, period, what it counts by, and the codes of that."""
NEEDS = "needs:"


def family_of(base: Measure) -> list[str]:
    """What is at each place of a sort of the people of a measure, and of those within it.

    A place holds a code; at that of a kind of help (`needs:device`), and of a measure within, it says yes or no.
    """
    words = [*([] if base.stands else ["month"]), *base.grain]
    for inner in members(base)[1:]:
        by_kind = "kind" in inner.grain and "kind" not in base.grain
        words += [NEEDS + kind for kind in KINDS] if by_kind else [inner.name]
    return words


@dataclass(frozen=True, slots=True)
class Told:
    """A table of a period: it counts those of its months, or all where it has none."""

    measure: Measure
    period: str
    by: By
    months: frozenset[str] | None = None

    @property
    def name(self) -> str:
        return name_of(self.measure.name, self.period, self.by)

    def cell(self, codes: Codes) -> Cell:
        return self.measure.name, self.period, self.by, codes


@dataclass(frozen=True)
class Family:
    """Tables of the same people: `words` say what stands at each place of a sort of them."""

    words: Sequence[str]
    tables: Sequence[Told]
    geography: Geography

    @cached_property
    def place(self) -> Mapping[str, int]:
        return {word: n for n, word in enumerate(self.words)}

    @cached_property
    def kinds(self) -> Sequence[tuple[str, int]]:
        return [(word.removeprefix(NEEDS), n) for n, word in enumerate(self.words) if word.startswith(NEEDS)]

    def counted_in(self, sort: Sort) -> frozenset[Cell] | None:
        """None of somebody who needs nothing: there is nobody like that."""
        if self.kinds and not any(sort[n] for _, n in self.kinds):
            return None
        return frozenset(told.cell(codes) for told in self.tables for codes in self._codes(told, sort))

    def _codes(self, told: Told, sort: Sort) -> Iterator[Codes]:
        if told.months is not None and sort[self.place["month"]] not in told.months:
            return
        if told.measure.name in self.place and not sort[self.place[told.measure.name]]:
            return
        yield from product(*(self._code(word, sort) for word in told.by))

    def _code(self, word: str, sort: Sort) -> Sequence[str]:
        if word in OF_WARD:
            return (self.geography.of(word, sort[self.place["ward"]]),)
        if word == "kind" and self.kinds:
            return [kind for kind, n in self.kinds if sort[n]]
        return (sort[self.place[word]],)

    def places(self, cell: Cell) -> Sequence[int]:
        measure, _, by, codes = cell
        words = {"month", measure}
        for word, code in zip(by, codes, strict=True):
            words.add("ward" if word in OF_WARD else NEEDS + code if word == "kind" and self.kinds else word)
        return [n for word, n in self.place.items() if word in words]

    def count(self, people: Mapping[Sort, int], told: Told) -> Table:
        counts = dict.fromkeys(listed(told.by, self.geography), 0)
        for sort, number in people.items():
            for codes in self._codes(told, sort):
                counts[codes] = counts.get(codes, 0) + number
        return counts


def slices(told: Told, codes: Collection[Codes]) -> Iterator[list[Cell]]:
    """A table in pieces that add up to something, or in single counts where nothing does."""
    adds_up = bool(told.by) and told.by[-1] in PARTS
    pieces: dict[Codes, list[Cell]] = defaultdict(list)
    for each in codes:
        pieces[each[:-1] if adds_up else each].append(told.cell(each))
    yield from pieces.values()
