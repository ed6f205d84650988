"""Which assessors judge which applications: enough for each, nobody in conflict, and the work shared out evenly."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Task:
    """An application that wants `missing` more assessors, of those who may judge it and do not yet."""

    application_id: UUID
    missing: int
    may: tuple[str, ...]


@dataclass(slots=True)
class Shared:
    """The pairs found, and how many assessors an application lacks that nobody is left for."""

    pairs: list[tuple[UUID, str]] = field(default_factory=list)
    lacking: dict[UUID, int] = field(default_factory=dict)


def share_out(tasks: Sequence[Task], load: Mapping[str, int]) -> Shared:
    """Gives every application as many assessors as there are for it, with the largest load as low as it can be.

    `load` is what each assessor has already. Every step ends with the least loaded of those whom passing work on can
    reach, which keeps the whole balanced (semi-matchings, Harvey et al. 2006).
    """
    places = _Places(dict(load))
    for task in sorted(tasks, key=lambda task: (len(task.may) - task.missing, task.application_id)):
        for assessor in task.may:
            places.load.setdefault(assessor, 0)
        for _ in range(min(task.missing, len(task.may))):
            places.seat(task)
    chosen = places.by_application
    lacking = {task.application_id: task.missing - len(chosen.get(task.application_id, ())) for task in tasks}
    pairs = sorted((application, assessor) for application, those in chosen.items() for assessor in those)
    return Shared(pairs, {application: number for application, number in lacking.items() if number > 0})


@dataclass(slots=True)
class _Places:
    load: dict[str, int]
    by_application: dict[UUID, set[str]] = field(default_factory=dict)
    task: dict[UUID, Task] = field(default_factory=dict)
    seated: dict[str, set[UUID]] = field(default_factory=dict)

    def seat(self, task: Task) -> None:
        """Seats one more assessor: the path to the least loaded who can be reached by passing work on."""
        self.task[task.application_id] = task
        chosen = self.by_application.setdefault(task.application_id, set())
        came_from: dict[str, tuple[str | None, UUID]] = {
            assessor: (None, task.application_id) for assessor in task.may if assessor not in chosen
        }
        queue = list(came_from)
        for assessor in queue:
            for application in sorted(self.seated.get(assessor, ())):
                for other in self.task[application].may:
                    if other not in came_from and other not in self.by_application[application]:
                        came_from[other] = (assessor, application)
                        queue.append(other)
        least = min(queue, key=lambda assessor: (self.load[assessor], queue.index(assessor)))
        self._pass_on(least, came_from)

    def _pass_on(self, assessor: str, came_from: Mapping[str, tuple[str | None, UUID]]) -> None:
        self.load[assessor] += 1
        while True:
            giver, application = came_from[assessor]
            self.by_application[application].add(assessor)
            self.seated.setdefault(assessor, set()).add(application)
            if giver is None:
                return
            self.by_application[application].remove(giver)
            self.seated[giver].remove(application)
            assessor = giver


def least_loaded(may: Sequence[str], load: Mapping[str, int]) -> str | None:
    counted = Counter(load)
    return min(may, key=lambda assessor: (counted[assessor], assessor), default=None)
