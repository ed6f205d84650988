"""Tries to break invariants 1 to 5: kills, freezes, cuts and restarts while people are referred, then counts.

Prints a line for each fault and each rule that does not hold, and last a line of JSON. Ends with 1 where something
was lost, doubled or disordered, or did not get well again. The same seed draws the same schedule.
"""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import SystemRandom
from typing import get_args

from chassis.failpoints import Guard
from tests.faults.run import AT_ONCE, Trial
from tests.faults.schedule import KINDS, make


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--referrals", type=int, default=600, metavar="N", help="how many people are referred")
    parser.add_argument(
        "--faults", type=int, default=2 * len(KINDS), metavar="N", help="how many faults happen meanwhile"
    )
    parser.add_argument(
        "--seed", type=int, default=SystemRandom().randrange(10_000), help="of the schedule; else by chance"
    )
    parser.add_argument(
        "--kinds", default=",".join(KINDS), help=f"only these kinds of fault, with commas: {', '.join(KINDS)}"
    )
    parser.add_argument("--off", choices=get_args(Guard), default="", help="switch this guard off, to see it missed")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, metavar="N", help="how many faults may overlap")
    parser.add_argument("--dir", type=Path, help="an empty folder for it; else one that goes when all went well")
    given = parser.parse_args()
    unknown = set(given.kinds.split(",")) - set(KINDS)
    if unknown:
        parser.error(f"there is no kind of fault called {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
    return given


def report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is a program


def main() -> int:
    given, began = asked(), time.monotonic()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # partners of ours see Kafka go, too
    folder = given.dir or Path(tempfile.mkdtemp(prefix="furthest-faults-"))
    schedule = make(given.seed, given.faults, given.kinds.split(","))
    trial = Trial(folder, given.seed, given.referrals, schedule, report, given.off, given.at_once)
    try:
        asyncio.run(trial.run())
    except Exception:  # noqa: BLE001 - whatever it is, the seed is told
        traceback.print_exc()
    for line in trial.verdict.wrong() if trial.verdict else ():
        report(line)
    report(f"{time.monotonic() - began:.0f} s. " + ("All is well." if trial.is_well else f"Look into {folder}/logs."))
    print(json.dumps(trial.result()))  # noqa: T201 - this is a program
    if trial.is_well and not given.dir:
        shutil.rmtree(folder)
    return 0 if trial.is_well else 1


if __name__ == "__main__":
    sys.exit(main())
