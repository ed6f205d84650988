"""The restore drill: with traffic before and after a moment, each database alone is taken back to it.

It ends with nothing owed, or with the exact list of what has to be sent again, which is then sent again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from contracts.message import SERVICES, Service
from deploy.demo.plan import Submission
from deploy.demo.witness import said_in
from deploy.embedded import mail
from deploy.kafka.log import Log, come_to_rest
from tests.compose.deployment import Composed
from tests.faults.workload import Workload
from tests.matching import checks

AT_REST_WITHIN: Final = 200.0
PEOPLE: Final = 12
"""Who are referred before and after each moment."""
ORDER: Final[tuple[Service, ...]] = ("reporting", "grants", "notifications", "matching", "referrals")

Report = Callable[[str], None]


@dataclass(slots=True)
class Drill:
    """`workload` is at work: its provider goes on to answer what it is offered."""

    deployment: Composed
    workload: Workload
    report: Report
    rounds: int = 0
    missing: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        """Raises AssertionError, ComposeError and DeployError."""
        await asyncio.to_thread(
            self.deployment.compose, "exec", "-T", "backup", "bash", "/etc/furthest/backup.sh", "now"
        )
        for service in ORDER:
            await self._restored(service)
        await self._in_order()
        await self._kafka_is_lost()

    async def _restored(self, service: Service) -> None:
        began = time.monotonic()
        await self.refer()
        await self.rest()
        moment = datetime.now(UTC)
        await asyncio.sleep(1.1)  # the archive ends at a commit behind the moment
        after = await self.refer()
        await self.rest()
        mails = self._mails()
        await asyncio.to_thread(self._take_back, service, moment)
        await self.rest()
        owed = await asyncio.to_thread(self.deployment.furthest, "restored", service)
        assert self._mails() == mails, f"{service}: somebody was told again"
        await getattr(self, f"_{service}")(owed, after)
        self.missing[service] = owed["missing"]
        kinds = {kind: each["missing"] for kind, each in owed["kinds"].items()}
        self.report(f"{service} was an old backup for {time.monotonic() - began:.0f} s; missing: {kinds or 'nothing'}")

    def _take_back(self, service: Service, moment: datetime) -> None:
        compose = self.deployment.compose
        compose("stop", service)
        compose("run", "--rm", "-T", "--no-deps", "restore", service, moment.isoformat())
        self.deployment.furthest("restored", service)
        compose("up", "--wait", "--no-deps", service)

    async def refer(self) -> list[Submission]:
        """Refers people by both doors, and returns who they are."""
        self.rounds += 1
        good = [s for s in self.workload.plan.submissions if not s.rule and s.times == 1][:PEOPLE]
        those = [replace(s, id=f"drill-{self.rounds}-{s.id}") for s in good]
        for submission in those:
            await self.workload.doors[submission.partner].refer(submission)
        return those

    async def rest(self) -> None:
        def heard() -> dict[str, int]:
            return {box.credentials["outbox"]: box.read for box in self.workload.mailboxes.values()}

        await come_to_rest(self._log, self.deployment.databases().values(), heard, AT_REST_WITHIN)

    @property
    def _log(self) -> Log:
        return Log(self.deployment.kafka)

    def _mails(self) -> int:
        file = mail.received(self.deployment.folder)
        return len(file.read_bytes().splitlines()) if file.exists() else 0

    async def _reporting(self, owed: dict[str, Any], after: Sequence[Submission]) -> None:
        """All that is counted comes from facts: the tables are those that the log makes."""
        assert set(owed["kinds"]) <= {"MetricPublished"}, owed["kinds"]
        rebuilt = await asyncio.to_thread(self.deployment.furthest, "rebuild", "reporting")
        assert rebuilt["switched"], rebuilt["tables"]

    async def _grants(self, owed: dict[str, Any], after: Sequence[Submission]) -> None:
        assert not owed["missing"], owed["kinds"]

    async def _notifications(self, owed: dict[str, Any], after: Sequence[Submission]) -> None:
        """Who was told is not told again: a member of staff looks at each instead."""
        assert set(owed["kinds"]) <= {"NotificationSent", "NotificationWithheld", "NotificationFailed", "CallRequested"}

    async def _matching(self, owed: dict[str, Any], after: Sequence[Submission]) -> None:
        assert not await self._rows("matching", checks.MISCOUNTED)
        assert not await self._rows("matching", checks.PROMISED_TWICE)
        assert not await self._rows("matching", checks.STATES_APART)

    async def _referrals(self, owed: dict[str, Any], after: Sequence[Submission]) -> None:
        """Those who came by HTTP are on the list, and nobody else; referred again, they are there once."""
        by_http = sorted(s.partner for s in after if s.door == "http")
        missing = sorted(each["partner"] for each in owed["records"] if each["type"] == "ReferralReceived")
        assert missing == by_http, f"missing are {missing}, and by HTTP came {by_http}"
        assert await self._rows("referrals", "select from contact_hold where released_at is null")
        await asyncio.to_thread(self.deployment.furthest, "restored", "referrals", "--let-go", "--yes")
        await asyncio.to_thread(self.deployment.furthest, "contact", "release", "--reason", "drill")
        for submission in after:
            if submission.door == "http":
                await self.workload.doors[submission.partner].refer(submission)
        await self.rest()
        await self.none_lost(after)

    async def _kafka_is_lost(self) -> None:
        """The log begins anew: what was said is said again, nobody is told twice, and people are referred."""
        began, mails = time.monotonic(), self._mails()
        await asyncio.to_thread(self._lose_kafka)
        for name, doors in self.workload.doors.items():
            doors.kafka.credentials.update(await asyncio.to_thread(self.deployment.furthest, "partner", "rotate", name))
        for box in self.workload.mailboxes.values():
            await box.start_over()
        await self.rest()
        assert self._mails() == mails, "somebody was told again"
        known = await self._rows("referrals", "select id from referral")
        said = await asyncio.to_thread(said_in, self._log, self.workload.doors)
        unsaid = {str(row["id"]) for row in known} - set(said.all("ReferralReceived", "referral_id"))
        assert not unsaid, f"the new log lacks {unsaid}"
        await self.none_lost(await self.refer())
        self.report(f"Kafka was lost with all it had, and is well again after {time.monotonic() - began:.0f} s")

    def _lose_kafka(self) -> None:
        compose, brokers = self.deployment.compose, ("kafka-1", "kafka-2", "kafka-3")
        compose("stop", "edge", *SERVICES)
        compose("rm", "--stop", "--force", *brokers)
        for broker in brokers:
            self.deployment.remove_volume(broker)
        compose("up", "--wait", "--no-deps", *brokers)
        compose("up", "--no-deps", "--exit-code-from", "topics", "topics")
        self.deployment.furthest("resay", "--yes")
        compose("up", "--wait", "--no-deps", *SERVICES, "edge")

    async def none_lost(self, those: Sequence[Submission]) -> None:
        rows = await self._rows("referrals", "select partner, submission_id from door")
        lost = {(s.partner, s.id) for s in those} - {tuple(row) for row in rows}
        assert not lost, f"lost: {lost}"

    async def _in_order(self) -> None:
        """No version of a key was said twice for different facts, and none went back."""
        said = await asyncio.to_thread(said_in, self._log, self.workload.doors)
        back = {key: seen.back for key, seen in said.versions.items() if seen.back}
        assert not back, f"versions went back: {list(back.items())[:3]}"

    async def _rows(self, service: Service, sql: str) -> list[Any]:
        conn = await asyncpg.connect(self.deployment.databases()[service])
        try:
            return await conn.fetch(sql)
        finally:
            await conn.close()
