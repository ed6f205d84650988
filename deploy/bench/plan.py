"""How much is measured: the figures by their letters, and the sizes of each."""

from dataclasses import dataclass
from typing import Final

FIGURES: Final[dict[str, str]] = {
    "a": "the raw line: getmany, pydantic, one insert a poll",
    "b": "the naive line: one message, one insert, one publish",
    "c": "our hop, complete",
    "d": "our relay, beside a bare idempotent producer",
    "e": "the whole pipeline, in by Kafka",
    "f": "the whole pipeline, in by HTTP",
    "g": "one referral on an idle system",
    "h": "the cost of a referral with few and with many stored",
    "i": "resident memory of each service",
    "j": "facts into the tables of reporting",
    "k": "the page of numbers over all that is stored",
    "l": "messages that are due, planned while a slow provider is sent to",
    "m": "applications for grants in a burst, and about the deadline",
    "n": "who is next for a place that comes free",
    "o": "many needs against many places",
}
LINES: Final = frozenset("abcdj")
PIPELINE: Final = frozenset("efgi")
COST: Final = frozenset("hk")
TELLING: Final = frozenset("l")
BURST: Final = frozenset("m")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Records of a round of the lines, and referrals of everything else.

    `warm_up` referrals also fill the places that are to be full. `kafka` and `http` are those of a round, `steady`
    the seconds of the steady stream, `single` the referrals sent one at a time. `few` and `many` are stored while
    `sample` referrals a round are measured; one in ten of those stored waits. PostgreSQL publishes what a backend
    counted when it next works, or after ten idle seconds: `settle` is longer.
    """

    rounds: int = 5
    records: int = 40_000
    naive: int = 2_000
    warm_up: int = 400
    kafka: int = 6_000
    http: int = 2_000
    steady: int = 60
    single: int = 500
    few: int = 10_000
    many: int = 1_000_000
    sample: int = 2_000
    messages: int = 100_000
    applications: int = 2_000
    waiting: int = 100_000
    matched: int = 10_000
    settle: float = 11.0


QUICK: Final = Sizes(
    rounds=3,
    records=20_000,
    naive=600,
    kafka=3_000,
    http=1_000,
    steady=20,
    single=100,
    few=10_000,
    many=100_000,
    sample=1_000,
    messages=10_000,
    applications=200,
    waiting=20_000,
)
