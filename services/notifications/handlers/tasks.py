"""How it went when a human being was to tell somebody: the message ends, or the task or the next way is tried."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
from pydantic import BaseModel, Field

from chassis.envelope import Event
from chassis.errors import Refused, refuse
from chassis.facts import Said
from contracts.calendar import day_of
from contracts.contacting import ReferrerReported, Told, wrong_until
from contracts.vocabulary import PersonsAnswer
from services.notifications import events_out
from services.notifications.domain.ladder import RETURNED, RUNGS, After, Again, End, Ended, NextRung, Outcome, after
from services.notifications.domain.telling import Telling
from services.notifications.handlers.results import NoReportYet
from services.notifications.handlers.telling import errand, not_arrived
from services.notifications.store import Store
from services.notifications.store.messages import Move, RungEnd, RungState
from services.notifications.store.tasks import Closing

NOT_FOUND = refuse("task_id", "not-found", "There is no such task.", "List the tasks that are open.")
NOT_YOURS = refuse("task_id", "not-claimed", "You have not taken this task.", "Claim it first, where it is free.")
NOTHING_ASKED = refuse(
    "answer", "nothing-asked", "This task asks the person nothing.", "Tell its outcome without an answer."
)
NOT_REACHED = refuse(
    "answer", "only-when-reached", "Who was not reached said nothing.", "Tell `reached`, or leave the answer out."
)
CLOSED = refuse("task_id", "illegal-move", "Its outcome was told before.", "An outcome is told once.")

REPORTED: Final[Mapping[Told, Outcome]] = {"told": "reached", "could-not-reach": "no-answer", "declined": "declined"}


class TellOutcome(BaseModel):
    """Whoever took a task tells how it went and, where it tells of help that was found, what the person says to it."""

    task_id: UUID
    who: Annotated[str, Field(min_length=1, max_length=100)]
    outcome: Outcome
    answer: PersonsAnswer | None = None
    until: date | None = None


class AskGateAgain(BaseModel):
    """When somebody took a task, the rule did not allow it any more: another way is looked for."""

    task_id: UUID


async def on_tell_outcome(events: Sequence[Event[TellOutcome]], store: Store, at: datetime) -> list[Said]:
    """Raises Refused. Telling the same outcome again changes nothing; a letter that was posted may come back."""
    said: list[Said] = []
    for event in events:
        told = event.data
        task = (await store.lock_tasks([told.task_id])).get(told.task_id)
        if task is None or task["channel"] == "via-referrer":
            raise Refused(NOT_FOUND)
        if (task["outcome"], task["answer"], task["answer_until"]) == (told.outcome, told.answer, told.until):
            continue
        if _came_back(task, told):
            said += await _letter_came_back(event, task, store, at)
            continue
        if task["claimed_by"] != told.who:
            raise Refused(NOT_YOURS)
        if task["closed_at"]:
            raise Refused(CLOSED)
        tell = await store.tell(task["message_id"])
        _must_fit(told, task, tell, at)
        said += await _told(event, task, tell, told.outcome, told.who, store, at)
        said += await _answered(event, task, store, at)
    return said


def _came_back(task: asyncpg.Record, told: TellOutcome) -> bool:
    """Whoever of the staff opens the post may say so."""
    told_now = (told.outcome, told.answer, told.until)
    return (task["channel"], task["outcome"], *told_now) == ("letter", "sent", "wrong-number", None, None)


async def _letter_came_back(event: Event[TellOutcome], task: asyncpg.Record, store: Store, at: datetime) -> list[Said]:
    await store.correct_outcome(task["id"], event.data.outcome)
    tell = await store.tell(task["message_id"])
    return await not_arrived(event, tell, task["rung"], "letter", RETURNED, store, at)


def _must_fit(told: TellOutcome, task: asyncpg.Record, tell: Telling, at: datetime) -> None:
    known = sorted(RUNGS[task["channel"]].outcomes - {"no-report"})
    if told.outcome not in known:
        mend = f"Tell one of: {', '.join(known)}."
        raise Refused(refuse("outcome", "not-of-channel", f"That is no outcome of a task by {task['channel']}.", mend))
    if (told.answer or told.until) and not tell.asks:
        raise Refused(NOTHING_ASKED)
    if told.answer and told.outcome != "reached":
        raise Refused(NOT_REACHED)
    if wrong := wrong_until(told.answer, told.until, day_of(at)):
        raise Refused(wrong)


async def _answered(event: Event[TellOutcome], task: asyncpg.Record, store: Store, at: datetime) -> list[Said]:
    told = event.data
    if told.answer is None:
        return []
    await store.keep_answer(told.task_id, told.answer, told.until)
    return [events_out.answer_taken(task, told.answer, told.until, event, at)]


async def on_referrer_reported(events: Sequence[Event[ReferrerReported]], store: Store, at: datetime) -> list[Said]:
    """A report that comes late takes away what is asked of others meanwhile, if the person knows by now."""
    said: list[Said] = []
    for event in events:
        task = (await store.lock_tasks([event.data.task_id])).get(event.data.task_id)
        if task is None:
            continue
        outcome = REPORTED[event.data.outcome]
        if task["closed_at"] is None:
            tell = await store.tell(task["message_id"])
            said += await _told(event, task, tell, outcome, None, store, at)
        elif outcome in {"reached", "declined"}:
            await _knows_by_now(task["message_id"], outcome, store, at)
    return said


async def on_no_report_yet(events: Sequence[Event[NoReportYet]], store: Store, at: datetime) -> list[Said]:
    tasks = await store.lock_tasks([event.data.task_id for event in events])
    said: list[Said] = []
    for event in events:
        task = tasks.get(event.data.task_id)
        if task and task["closed_at"] is None:
            tell = await store.tell(task["message_id"])
            said += await _told(event, task, tell, "no-report", None, store, at)
    return said


async def on_ask_gate_again(events: Sequence[Event[AskGateAgain]], store: Store, at: datetime) -> list[Said]:
    tasks = await store.lock_tasks([event.data.task_id for event in events])
    open_tasks = [task for task in tasks.values() if task["closed_at"] is None]
    await store.close_tasks([Closing(task["id"], "superseded", None) for task in open_tasks], at)
    await store.end_rungs([_end(task, "superseded", "rule-changed") for task in open_tasks], at)
    moved = await store.go_on([Move(task["message_id"], "waiting", reason="rule-changed") for task in open_tasks], at)
    tells = await store.tells(sorted(moved))
    causes = {tasks[event.data.task_id]["message_id"]: event for event in events if event.data.task_id in tasks}
    return [errand(tell, at, causes[message]) for message, tell in tells.items()]


async def _told(
    event: Event[Any],
    task: asyncpg.Record,
    tell: Telling,
    outcome: Outcome,
    who: str | None,
    store: Store,
    at: datetime,
) -> list[Said]:
    """Applies the outcome of one open task."""
    message = tell.message_id
    next_: After = after(task["channel"], outcome, task["tries"], at)
    said: list[Said] = []
    if task["channel"] != "staff":
        said += events_out.call_completed(tell, task, outcome, event, at)
    if isinstance(next_, Again):
        await store.release_tasks([(task["id"], next_.not_before)])
        return said
    await store.close_tasks([Closing(task["id"], outcome, who)], at)
    if isinstance(next_, Ended):
        await store.end_rungs([_end(task, _RUNG.get(next_.state, "failed"), outcome)], at)
        await store.finish([Move(message, next_.state, task["channel"], outcome)], at)
        return said
    assert isinstance(next_, NextRung)  # noqa: S101 - the third of three
    await store.end_rungs([_end(task, "failed", outcome)], at)
    moved = await store.go_on([Move(message, "waiting", task["channel"], outcome, used=task["channel"])], at)
    return [*said, *([errand(tell.without(task["channel"]), at, event)] if moved else [])]


_RUNG: Final[Mapping[str, RungState]] = {"reached": "reached", "declined": "reached", "sent": "sent"}
"""Who declines was reached, too."""


async def _knows_by_now(message: UUID, outcome: Outcome, store: Store, at: datetime) -> None:
    tasks = await store.open_of([message])
    await store.close_tasks([Closing(task["id"], "superseded", None) for task in tasks], at)
    await store.end_rungs([_end(task, "superseded", "told-by-referrer") for task in tasks], at)
    state: End = "reached" if outcome == "reached" else "declined"
    await store.finish([Move(message, state, "via-referrer", outcome)], at)


def _end(task: asyncpg.Record, state: RungState, evidence: str) -> RungEnd:
    return RungEnd(task["message_id"], task["rung"], state, evidence)
