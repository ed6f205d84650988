"""One fault of each kind while people are referred: what is fixed by this seed is run each time."""

import logging
from pathlib import Path

import pytest

from tests.faults.run import Trial
from tests.faults.schedule import KINDS, make

SEED = 4
REFERRALS = 400


def test_a_seed_always_draws_the_same_faults_of_every_kind() -> None:
    drawn = make(SEED, 3 * len(KINDS))
    assert drawn == make(SEED, 3 * len(KINDS))
    assert drawn != make(SEED + 1, 3 * len(KINDS))
    for nth in range(3):
        a_round = drawn[nth * len(KINDS) : (nth + 1) * len(KINDS)]
        assert len({(fault.kind, fault.how.split(":")[0] if fault.kind == "kill-at" else "") for fault in a_round}) > 10


@pytest.mark.invariant(1)
@pytest.mark.invariant(2)
@pytest.mark.invariant(3)
@pytest.mark.invariant(4)
async def test_whatever_dies_every_referral_has_exactly_one_effect_everywhere(tmp_path: Path) -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    lines: list[str] = []
    trial = Trial(tmp_path, SEED, REFERRALS, make(SEED, len(KINDS)), lines.append, at_once=3)
    await trial.run()
    told = "\n".join([*lines, *(trial.verdict.wrong() if trial.verdict else ())])
    assert trial.is_well, told
    assert {**trial.result(), "sent": 0, "dead_letters": 0} == {
        "seed": SEED,
        "faults": len(KINDS),
        "sent": 0,
        "lost": 0,
        "doubled": 0,
        "disordered": 0,
        "dead_letters": 0,
    }, told
