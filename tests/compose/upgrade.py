"""An upgrade as docs/ops/upgrade.md has it: the services of the commit before run on the new schema, then one after
the other is replaced, and people are referred all the while."""

import asyncio
import subprocess
from dataclasses import dataclass, replace
from typing import Final

from contracts.message import SERVICES
from deploy.demo.plan import Submission
from tests.compose.deployment import ROOT, Composed, ComposeError
from tests.compose.drill import Drill

BEFORE: Final = "before"
"""The tag of its image."""
JOBS: Final = ("secrets", "databases", "topics")


@dataclass(slots=True)
class Upgrade:
    deployment: Composed
    drill: Drill

    async def run(self) -> None:
        """Raises AssertionError, ComposeError and DeployError."""
        before = await asyncio.to_thread(_build)
        tagged = {**self.deployment.environment, "FURTHEST_VERSION": BEFORE}
        older = replace(self.deployment, environment=tagged)
        await asyncio.to_thread(older.compose, "up", "--wait", "--no-deps", *SERVICES)
        referred: list[Submission] = await self.drill.refer()
        self.drill.report(f"the services of {before} run on the schema of now")
        for job in JOBS:
            await asyncio.to_thread(self.deployment.compose, "up", "--no-deps", "--exit-code-from", job, job)
        for service in SERVICES:
            await asyncio.to_thread(self.deployment.compose, "up", "--wait", "--no-deps", service)
            referred += await self.drill.refer()
        await self.drill.rest()
        await self.drill.none_lost(referred)
        self.drill.report(f"upgraded one by one; {len(referred)} people were referred meanwhile, and none is lost")


def _build() -> str:
    """Builds the image of the commit before, and says which that is."""
    commit = _run(["git", "rev-parse", "--short", "HEAD~1"]).decode().strip()
    tree = _run(["git", "archive", commit])
    _run(["docker", "build", "--quiet", "--tag", f"furthest-first:{BEFORE}", "--file", "deploy/Dockerfile", "-"], tree)
    return commit


def _run(words: list[str], given: bytes = b"") -> bytes:
    done = subprocess.run(words, cwd=ROOT, input=given, capture_output=True, timeout=400, check=False)
    if done.returncode:
        raise ComposeError(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr.decode()[-2000:]}")
    return done.stdout
