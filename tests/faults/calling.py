"""People who tell people: referrers who are asked to, and report it, and staff who do their tasks."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2

from contracts.calendar import day_of
from contracts.contacting import ContactReported
from deploy.demo.doors import Doors, Told
from deploy.demo.owed import Owed, compare
from deploy.demo.parties import chance_of
from deploy.demo.witness import Evidence

LOOK_EVERY: Final = 1.0
AT_ONCE: Final = 20
A_MONTH: Final = timedelta(days=30)
BY_PHONE: Final = ("reached", "reached", "no-answer", "wrong-number", "declined")


@dataclass(slots=True)
class Reporter:
    """Tells most of those whom it is asked to tell, cannot reach some, and lets some requests lie."""

    doors: Doors
    reported: set[str] = field(default_factory=set)

    async def react(self, told: Told) -> None:
        if told.type != "ContactRequested" or (task := told.data["task_id"]) in self.reported:
            return
        self.reported.add(task)
        chance = chance_of(task, "report")
        if chance > 0.9:
            return
        report = ContactReported(task_id=task, outcome="told" if chance < 0.6 else "could-not-reach")
        if chance_of(task, "door") < 0.5:
            await self.doors.kafka.send(type(report), f"r-{task}", report.model_dump_json().encode())
        else:
            await self.doors.http.tell(
                "POST", "referrals", f"/v1/contact-requests/{task}/report", f"r-{task}", report, "task_id"
            )


@dataclass(slots=True)
class Staff:
    """Takes tasks and tells how they went; what is not answered is done again later.

    `told` are the tasks of which they told the outcome, `done` those where it was acknowledged.
    """

    url: str
    api_key: str
    done: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """Until told to end."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=20) as http:
            while not self.ending.is_set():
                for task in await self._tasks(http):
                    await self._do(http, task)
                await asyncio.sleep(LOOK_EVERY)
        self.ended.set()

    async def end(self) -> None:
        """Returns when the task in hand is done."""
        self.ending.set()
        await self.ended.wait()

    async def _tasks(self, http: httpx2.AsyncClient) -> list[dict[str, Any]]:
        page = await self._ask(http, "GET", "/v1/call-tasks", params={"limit": AT_ONCE})
        return list(page["tasks"]) if page else []

    async def _do(self, http: httpx2.AsyncClient, task: dict[str, Any]) -> None:
        """A task that is not to be had any more, or not yet, is passed over."""
        path = f"/v1/call-tasks/{task['id']}"
        if task["claimed_by"] is None and await self._ask(http, "POST", f"{path}/claim") is None:
            return
        self.told.add(task["id"])
        if await self._ask(http, "POST", f"{path}/outcome", json=_outcome(task)) is not None:
            self.done.add(task["id"])

    async def _ask(self, http: httpx2.AsyncClient, method: str, path: str, **given: Any) -> dict[str, Any] | None:
        try:
            response = await http.request(method, path, **given)
        except httpx2.HTTPError:
            return None
        return dict(response.json()) if response.status_code == 200 else None

    async def check(self, seen: Evidence) -> list[Owed]:
        """A second try is for the next day: of each task one outcome is told."""
        tried = [row[0] for row in await seen.rows("notifications", TRIED)]
        completed = [task for task in seen.said.all("CallCompleted", "task_id") if task in self.told]
        by_hand = [row[0] for row in await seen.rows("notifications", BY_HAND, list(self.told))]
        answered = [row[0] for row in await seen.rows("notifications", ANSWERED)]
        return [
            compare("staff: the outcome of each task is kept once", {*self.done, *(self.told & {*tried})}, tried),
            compare("log: one CallCompleted for each task that staff did", by_hand, completed),
            compare("log: one AnswerTaken for each answer", answered, seen.said.all("AnswerTaken", "task_id")),
        ]


TRIED: Final = "select id from call_task, generate_series(1, tries) where channel <> 'via-referrer'"
BY_HAND: Final = "select id from call_task where id = any($1::uuid[]) and tries > 0 and channel <> 'staff'"
ANSWERED: Final = "select id from call_task where answer is not null"


def _outcome(task: dict[str, Any]) -> dict[str, str]:
    if task["channel"] in {"phone", "in-person"}:
        outcome = BY_PHONE[int(chance_of(task["id"]) * len(BY_PHONE))]
        return {"outcome": outcome, **(_answer(task["id"]) if task["asks"] and outcome == "reached" else {})}
    return {"outcome": "given-up" if task["channel"] == "staff" else "sent"}


def _answer(task: str) -> dict[str, str]:
    chance = chance_of(task, "answer")
    if chance < 0.6:
        return {"answer": "yes"}
    later = day_of(datetime.now(UTC)) + A_MONTH
    return {"answer": "no"} if chance < 0.8 else {"answer": "not-now", "until": str(later)}
