"""How many people told what, month by month: counted here, and said only as what nobody can be recognised in."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from pydantic import BaseModel

from chassis.disclosure import SMALL, bounds, published
from chassis.envelope import Event
from chassis.facts import Fact, Said
from chassis.worlds import POSSIBLE
from contracts.calendar import start_of
from contracts.people import CountOfPeople, PeopleCounted, PeopleTable
from services.referrals.domain.people import CIRCUMSTANCES, MONITORED, NOT_TOLD
from services.referrals.domain.priority import Policy
from services.referrals.handlers.asking import person_of
from services.referrals.handlers.submission import Programme
from services.referrals.store import Store

SLACK: Final = 5
"""So many people more or fewer a group may apply to, for all that is told of its circumstances."""
Told = tuple[str, frozenset[str]]
"""By which policy somebody was scored, and the circumstances that they said yes to."""


class CountPeople(BaseModel):
    """Due work: the months before that of a day are counted, each once."""

    day: date


async def on_count_people(
    programme: Programme, events: Sequence[Event[CountPeople]], store: Store, at: datetime
) -> list[Said]:
    last = max(events, key=lambda event: event.data.day)
    months = await store.people.begin(start_of(last.data.day.replace(day=1)), at)
    return [Fact(table, last) for month in months for table in await _count(programme, month, store)]


async def _count(programme: Programme, month: date, store: Store) -> list[PeopleCounted]:
    times = start_of(month), start_of((month + timedelta(days=31)).replace(day=1))
    people = Counter[Told]()
    async for row in store.people.sealed(*times):
        answers = person_of(programme.vault, row).circumstances
        people[row["policy"], frozenset(code for code, answer in answers.items() if answer == "yes")] += 1
    monitored = {word: dict.fromkeys(codes, 0) for word, codes in MONITORED.items()}
    for row in await store.people.by_monitoring(list(MONITORED), *times):
        monitored[row["word"]][row["code"] or NOT_TOLD] = row["people"]
    name, policies = f"{month:%Y-%m}", await store.policies.all()
    return [
        circumstances(name, people, policies),
        *(monitoring(name, word, counts) for word, counts in monitored.items()),
    ]


def circumstances(month: str, people: Mapping[Told, int], policies: Mapping[str, Policy]) -> PeopleCounted:
    """Of each group of circumstances its largest count is kept back, or all of it, where that is not safe.

    A group counts once in a score, for whatever reason it applies, and scores are published elsewhere. So whoever can
    tell from circumstances to how many a group applies learns something of scores.
    """
    counts = {code: sum(n for (_, told), n in people.items() if code in told) for code in CIRCUMSTANCES}
    kept: set[str] = set()
    for codes in {codes for policy, _ in people for codes in policies[policy].groups.values()}:
        of_group = Counter[frozenset[str]]()
        for (_, told), number in people.items():
            of_group[told & codes] += number
        tries = (set[str](), {max(codes, key=lambda code: (counts[code], code))})
        kept |= next((each for each in tries if _is_safe(of_group, codes, each)), codes)
    return _table(month, "circumstance", counts, kept)


def _is_safe(people: Mapping[frozenset[str], int], codes: Collection[str], kept: Collection[str]) -> bool:
    """Whether the group may apply to some more people or to some fewer, and so many numbers are possible for each
    small count of it."""
    counts = {code: sum(n for told, n in people.items() if code in told) for code in codes}
    everybody = sum(people.values()) + SLACK
    known = [_known(count, everybody, kept=code in kept) for code, count in counts.items()]
    applies = sum(n for told, n in people.items() if told)
    if max(low for low, _ in known) > applies - SLACK or sum(high for _, high in known) < applies + SLACK:
        return False
    return all(_possible(people, code, count) >= POSSIBLE for code, count in counts.items() if count in SMALL)


def _possible(people: Mapping[frozenset[str], int], code: str, count: int) -> int:
    """How many numbers are possible: of nobody to whom the group applies for another reason is it known whether this
    one applies as well, so there may be one more or one fewer of them, and nothing else that is published changes."""
    fewer = sum(n for told, n in people.items() if code in told and len(told) > 1)
    more = sum(n for told, n in people.items() if told and code not in told)
    return 1 + min(more, SMALL[-1] - count) + min(fewer, count - SMALL[0])


def monitoring(month: str, word: PeopleTable, counts: Mapping[str, int]) -> PeopleCounted:
    """Everybody is in one count, and how many people there are is published elsewhere: as many counts are kept back,
    the smallest of the larger ones first, as it takes to be safe; all, where that is not enough."""
    larger = sorted((code for code in counts if counts[code] >= SMALL.stop), key=lambda code: (counts[code], code))
    tries = (set(larger[:n]) for n in range(len(larger) + 1))
    return _table(month, word, counts, next((kept for kept in tries if _are_safe(counts, kept)), set(counts)))


def _are_safe(counts: Mapping[str, int], kept: Collection[str]) -> bool:
    """Whether so many numbers are possible for each small count, and no more is learned of how many people there are
    than is published of that."""
    everybody = sum(counts.values())
    known = [_known(count, everybody, kept=code in kept) for code, count in counts.items()]
    least, most = (sum(ends) for ends in zip(*known, strict=True))
    fewest, highest = _known(everybody, everybody, kept=False)
    if least > fewest or most < highest:
        return False
    fewest = max(SMALL[0], everybody - (most - SMALL[-1]))
    highest = min(SMALL[-1], everybody - (least - SMALL[0]))
    return highest - fewest + 1 >= POSSIBLE or not any(count in SMALL for count in counts.values())


def _known(count: int, everybody: int, *, kept: bool) -> tuple[int, int]:
    """The least and the most that a count can be for what is told of it alone."""
    least, most = (SMALL.stop, None) if kept else bounds(count)
    return least, everybody if most is None else most


def _table(month: str, word: PeopleTable, counts: Mapping[str, int], kept: Collection[str]) -> PeopleCounted:
    rows = [
        CountOfPeople(code=code, people=None, hidden="kept-back") if code in kept else _row(code, count)
        for code, count in counts.items()
    ]
    return PeopleCounted(month=month, table=word, rows=rows)


def _row(code: str, count: int) -> CountOfPeople:
    shown = published(count)
    return CountOfPeople(code=code, people=shown, hidden="small" if shown is None else None)
