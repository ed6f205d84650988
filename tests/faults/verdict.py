"""What a run ends with: rest, then every effect counted that partners, the log, databases and mails show."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.message import SERVICES, Service
from deploy.demo.effects import owed
from deploy.demo.owed import Owed
from deploy.demo.witness import Evidence, said_in, sent_to
from deploy.kafka.log import Log, come_to_rest
from tests.faults.checks import invariants
from tests.faults.workload import Workload

Check = Callable[[Evidence], Awaitable[list[Owed]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`sent` counts what partners referred, each repetition too."""

    owed: list[Owed]
    sent: int
    dead_letters: int

    @property
    def is_well(self) -> bool:
        return not any(line.is_wrong for line in self.owed)

    def wrong(self) -> list[str]:
        return [
            f"{line.effect}: {line.lost} lost, {line.doubled} doubled, {line.disordered} disordered, "
            f"such as {', '.join(line.examples)}"
            for line in self.owed
            if line.is_wrong
        ]

    def document(self, seed: int, faults: int) -> dict[str, Any]:
        return {
            "seed": seed,
            "faults": faults,
            "sent": self.sent,
            "lost": sum(line.lost for line in self.owed),
            "doubled": sum(line.doubled for line in self.owed),
            "disordered": sum(line.disordered for line in self.owed),
            "dead_letters": self.dead_letters,
        }


async def rest(workload: Workload, log: Log, databases: Mapping[Service, str], within: float) -> None:
    """Returns when all is sent and nothing is left to do. Raises DeployError."""
    await workload.all_sent()

    def heard() -> dict[str, int]:
        return {box.credentials["outbox"]: box.read for box in workload.mailboxes.values()}

    await come_to_rest(log, databases.values(), heard, within)


async def judge(
    workload: Workload,
    log: Log,
    databases: Mapping[Service, str],
    mails: Path,
    besides: Sequence[str] = (),
    checks: Sequence[Check] = (),
) -> Verdict:
    """`besides` are partners who were told something and are not at work; `checks` count what others have seen."""
    said = await asyncio.to_thread(said_in, log, [*workload.doors, *besides])
    sent = await asyncio.to_thread(sent_to, log, workload.doors)
    for doors in workload.doors.values():
        sent += doors.http.sent
    seen = Evidence(
        workload.submissions,
        workload.told,
        sent,
        said,
        mails,
        databases,
        workload.provider,
        workload.withdrawn,
        workload.said_no,
    )
    counted = [*await owed(seen), *await invariants(seen, workload.wants)]
    for check in checks:
        counted += await check(seen)
    letters = [await seen.rows(service, "select id from dead_letter") for service in SERVICES]
    referred = sum(sent[submission.id] for submission in workload.submissions)
    return Verdict(counted, referred, sum(map(len, letters)))
