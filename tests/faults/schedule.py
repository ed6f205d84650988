"""Which faults happen, in which order, to whom: drawn from a seed, and the same each time for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from contracts.message import SERVICES


@dataclass(frozen=True, slots=True)
class Fault:
    """`how` names the variant: a point, a signal, a server. `lasts` and `pause` are in seconds; the next fault
    begins `pause` after this one began, whether or not this one is over."""

    kind: str
    target: str
    how: str = ""
    lasts: float = 0.0
    pause: float = 2.0


POINTS: Final = (
    "after-database-commit",
    "before-offset-commit",
    "after-kafka-acknowledgement",
    "during-rebalance",
    "after-attempt",
)
BUSY: Final = ("referrals", "matching", "notifications")
"""Services that do and say something for every referral."""
POISON: Final = ("not-json", "wrong-schema", "no-event", "bad-header", "no-value", "id-is-no-uuid")


def _kill_at(point: str) -> Callable[[Random], Fault]:
    def make(random: Random) -> Fault:
        if point == "during-rebalance":
            return Fault("kill-at", random.choice(SERVICES), f"{point}:{random.randint(1, 4)}")
        target = "notifications" if point == "after-attempt" else random.choice(BUSY)
        return Fault("kill-at", target, f"{point}:{random.randint(1, 3 if target == 'notifications' else 6)}")

    return make


def _freeze(random: Random) -> Fault:
    return Fault("freeze", random.choice(SERVICES), random.choice(("alone", "beside another")), random.uniform(11, 15))


def _line(kind: str, shortest: float, longest: float) -> Callable[[Random], Fault]:
    return lambda random: Fault(
        kind, random.choice(SERVICES), random.choice(("kafka", "postgres")), random.uniform(shortest, longest)
    )


KINDS: Final[dict[str, Callable[[Random], Fault]]] = {
    "kill": lambda random: Fault("kill", random.choice(SERVICES)),
    **{f"kill-at {point}": _kill_at(point) for point in POINTS},
    "freeze": _freeze,
    "kafka": lambda random: Fault("restart", "kafka", random.choice(("killed", "asked to stop"))),
    "postgres": lambda random: Fault("restart", "postgres", random.choice(("immediate", "fast"))),
    "cut": _line("cut", 0, 0),
    "delay": _line("delay", 4, 8),
    "hang": _line("hang", 4, 16),
    "again": lambda random: Fault("again", random.choice(("kafka", "http"))),
    "poison": lambda random: Fault("poison", random.choice(("referrals", "matching", "inbox")), random.choice(POISON)),
    "scale": lambda random: Fault("scale", random.choice(SERVICES), "1 to 3 to 1", random.uniform(2, 6)),
    "forget": lambda random: Fault("forget", random.choice(SERVICES)),
}
"""Every kind of fault, by the name that `--kinds` knows."""


def make(seed: int, faults: int, kinds: Sequence[str] = tuple(KINDS)) -> list[Fault]:
    """Goes through all kinds in a new order, again and again, so that none is left out by chance."""
    random = Random(seed)  # noqa: S311 - a schedule, no secret
    made: list[Fault] = []
    while len(made) < faults:
        made += [KINDS[kind](random) for kind in random.sample(list(kinds), len(kinds))]
    return made[:faults]
