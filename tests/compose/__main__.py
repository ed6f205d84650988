"""Deploys with docker compose and tries to break it from outside: the main job, with containers killed meanwhile.

Needs a Docker engine with compose, and the images that compose.yaml names. Prints a line for each fault, and last a
line of JSON. Ends with 1 where something was lost, doubled or disordered, or did not get well again.
"""

import argparse
import asyncio
import json
import logging
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from deploy.embedded import mail
from deploy.embedded.processes import recall
from tests.compose import pages
from tests.compose.deployment import Composed, ComposeError
from tests.compose.run import Trial

PROJECT = "furthest-test"
PARTS = ("faults", "upgrade", "drill", "pages")


def asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compose", description=__doc__)
    parser.add_argument("--referrals", type=int, default=300, metavar="N", help="how many people are referred")
    parser.add_argument("--seed", type=int, default=1, help="of who is referred")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PARTS", help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--project", default=PROJECT, help="the name of the deployment")
    parser.add_argument("--keep", action="store_true", help="leave it running, and say where")
    return parser.parse_args()


def report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - this is a program


def main() -> int:
    given = asked()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # partners of ours see Kafka go, too
    folder = Path(tempfile.mkdtemp(prefix="furthest-compose-"))
    parts, ended, blocks = given.only.split(","), False, 0
    deployment = Composed(given.project, folder)
    trial = Trial(deployment, given.referrals, given.seed, report, parts)
    try:
        deployment.down("--volumes")
        asyncio.run(trial.run())
        if "pages" in parts:
            here = {**deployment.environment, "COMPOSE_PROJECT_NAME": given.project}
            blocks = pages.run(here, report)
        ended = True
    except Exception:  # noqa: BLE001 - whatever it is, what was seen so far is told
        traceback.print_exc()
        with_logs(deployment)
    verdict = trial.verdict
    for line in verdict.wrong() if verdict else ():
        report(line)
    if given.keep:
        report(
            f"It runs on: docker compose -p {given.project} -f {deployment.file} ps; secrets and mails are in {folder}."
        )
    else:
        away(deployment)
    counted = verdict.document(given.seed, len(trial.happened)) if verdict else {}
    print(json.dumps({**counted, "missing": trial.missing, "commands": blocks}))  # noqa: T201 - as above
    return 0 if ended and (verdict is None or verdict.is_well) else 1


def with_logs(deployment: Composed) -> None:
    try:
        report(deployment.trouble() or "all containers are healthy")
        report(deployment.compose("logs", "--tail", "15", "--no-color"))
    except ComposeError as error:
        report(str(error))


def away(deployment: Composed) -> None:
    deployment.down("--volumes")
    if process := recall(deployment.folder, mail.NAME):
        mail.stop(process)
    shutil.rmtree(deployment.folder)


if __name__ == "__main__":
    sys.exit(main())
