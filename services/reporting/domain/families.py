"""The sorts of people that tables count: who is counted where, in which tables of which period."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import product
from operator import itemgetter
from typing import Any

from contracts.vocabulary import KINDS
from services.reporting.domain.measure import OF_WARD, PARTS, SOME, By, Codes, Measure, decided_by
from services.reporting.domain.measures import members, name_of
from services.reporting.domain.periods import Period, month_of, year_to
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
class Group:
    """Tables of several periods that count by the same."""

    tables: Sequence[Told]
    of: Callable[[Sort], Any]
    """What of a sort decides where these tables count it."""
    codes: Callable[[Sort], Sequence[Codes]]
    seen: dict[Any, int | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Tables of the same people: `words` say what stands at each place of a sort of them. Their counts are numbered;
    a count that no table lists has no number, and nobody is of a sort that would be counted there."""

    words: Sequence[str]
    tables: Sequence[Told]
    geography: Geography
    people: Mapping[Sort, int]

    @cached_property
    def place(self) -> Mapping[str, int]:
        return {word: n for n, word in enumerate(self.words)}

    @cached_property
    def kinds(self) -> Sequence[tuple[str, int]]:
        return [(word.removeprefix(NEEDS), n) for n, word in enumerate(self.words) if word.startswith(NEEDS)]

    @cached_property
    def groups(self) -> Sequence[Group]:
        tables: dict[tuple[str, By], list[Told]] = defaultdict(list)
        for told in self.tables:
            tables[told.measure.name, told.by].append(told)
        return [
            Group(those, itemgetter(*self._places(*named), 0), partial(self._codes, *named))
            for named, those in tables.items()
        ]

    @cached_property
    def counted(self) -> Mapping[Told, Table]:
        """Every table, with every code that it lists."""
        tables = {told: dict.fromkeys(listed(told.by, self.geography), 0) for told in self.tables}
        for group in self.groups:
            alike: dict[Any, tuple[Sort, int]] = {}
            for sort, number in self.people.items():
                known = alike.get(of := group.of(sort))
                alike[of] = (sort, number + (known[1] if known else 0))
            for sort, number in alike.values():
                for codes, told in product(group.codes(sort), self._in_time(group, sort)):
                    tables[told][codes] = tables[told].get(codes, 0) + number
        return tables

    @cached_property
    def number(self) -> Mapping[Cell, int]:
        return {cell: n for n, cell in enumerate(told.cell(c) for told, table in self.counted.items() for c in table)}

    @cached_property
    def cells(self) -> Sequence[Cell]:
        return list(self.number)

    def counted_in(self, sort: Sort) -> int | None:
        """A bit for each count. None of somebody who needs nothing, or who would be in a row that no table has: nobody
        is like that."""
        if self.kinds and not any(sort[n] for _, n in self.kinds):
            return None
        counts = 0
        for group in self.groups:
            of = group.of(sort)
            if of not in group.seen:
                group.seen[of] = self._in_group(group, sort)
            if (some := group.seen[of]) is None:
                return None
            counts |= some
        return counts

    def _in_group(self, group: Group, sort: Sort) -> int | None:
        counts = 0
        for codes, told in product(group.codes(sort), self._in_time(group, sort)):
            if (number := self.number.get(told.cell(codes))) is None:
                return None
            counts |= 1 << number
        return counts

    def _in_time(self, group: Group, sort: Sort) -> list[Told]:
        return [told for told in group.tables if told.months is None or sort[self.place["month"]] in told.months]

    def _codes(self, measure: str, by: By, sort: Sort) -> Sequence[Codes]:
        if measure in self.place and not sort[self.place[measure]]:
            return ()
        return list(product(*(self._code(word, sort) for word in by)))

    def _code(self, word: str, sort: Sort) -> Sequence[str]:
        if word in SOME:
            finer, codes = SOME[word]
            return ("yes" if sort[self.place[finer]] in codes else "",)
        if word in OF_WARD:
            return (self.geography.of(word, sort[self.place["ward"]]),)
        if word == "kind" and self.kinds:
            return [kind for kind, n in self.kinds if sort[n]]
        return (sort[self.place[word]],)

    def _places(self, measure: str, by: By) -> list[int]:
        """What decides where a table counts somebody."""
        words = {"month", measure, *map(decided_by, by)}
        kinds = [n for _, n in self.kinds] if "kind" in by else []
        return [*(n for word, n in self.place.items() if word in words), *kinds]

    def places(self, number: int) -> Sequence[int]:
        """What decides whether a count counts somebody: of a kind of help, only whether they need it."""
        measure, _, by, codes = self.cells[number]
        those = {n for kind, n in self.kinds if kind not in codes}
        return [n for n in self._places(measure, by) if n not in those]


def pieces(by: By, codes: Collection[Codes]) -> Iterator[list[Codes]]:
    """A table in pieces that add up to something, or in single counts where nothing does."""
    adds_up = bool(by) and by[-1] in PARTS
    found: dict[Codes, list[Codes]] = defaultdict(list)
    for each in codes:
        found[each[:-1] if adds_up else each].append(each)
    yield from found.values()


def larger(measure: Measure, period: Period, by: By) -> list[str]:
    """Tables that count more people together: of larger areas, or of the year to date."""
    areas = [by[:-1]] if by and by[-1] in PARTS else []
    areas = [(*by[:-1], "committee"), *areas] if by[-1:] == ("ward",) else areas
    names = [name_of(measure.name, period.name, each) for each in areas if each in measure.tables]
    is_month = period.is_final and not measure.stands and period == month_of(period.starts_on)
    if is_month and not measure.repeats:
        names.append(name_of(measure.name, year_to(period).name, by))
    return names
