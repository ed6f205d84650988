"""Assessors are named, given applications, and score them; approvers settle what they do not agree on."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.envelope import Event
from chassis.errors import Refused, refuse
from chassis.facts import Fact, Said
from contracts.calendar import day_of
from contracts.grants import ApplicationAssessed
from services.grants import events_out
from services.grants.domain.assignment import Task, least_loaded, share_out
from services.grants.domain.awards import SCORED_IT, UNKNOWN_APPLICATION
from services.grants.domain.conflicts import Assessor, as_known, conflict, conflict_error, free_of_conflict
from services.grants.domain.rounds import NO_ROUND, Round
from services.grants.domain.scoring import HUNDRED, Verdict, needed, outcome, score_errors, weighted
from services.grants.domain.states import Act, not_allowed, wrong_stage
from services.grants.handlers.judging import (
    AssignAssessor,
    AssignAssessors,
    DeclareConflict,
    ModerateApplication,
    PutAssessor,
    ScoreApplication,
)
from services.grants.handlers.one_by_one import check
from services.grants.store import Store
from services.grants.store.assessment import Result, Score
from services.grants.store.rounds import Decision
from services.grants.store.rows import Asked


async def put_assessor(event: Event[PutAssessor], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    named = Assessor(asked.assessor, _known(asked.organisations), _known(asked.interests), frozenset(asked.wards))
    await store.assessment.save_assessor(named, is_active=asked.is_active)
    judged = await store.assessment.judged_by(asked.assessor)
    rounds = await store.rounds.shared(await store.applications.rounds_of(judged))
    said: list[Said] = []
    for found in (await store.applications.asked(judged)).values():
        if against := conflict(named, found.stakes):
            await _record(found, asked.by, "set-aside", store, at, f"{asked.assessor}: {against}")
            said += await _replace(event, asked.assessor, found, rounds[found.application.round_id], store, at)
    return said


async def assign_all(event: Event[AssignAssessors], store: Store, at: datetime) -> list[Said]:
    """May be asked again: whoever has an application keeps it, and only what lacks is given out."""
    round_ = (await store.rounds.lock([event.data.round_id])).get(event.data.round_id)
    if round_ is None or round_.stage != "assessing":
        raise Refused(wrong_stage(round_.stage) if round_ else NO_ROUND)
    asked = [a for a in await store.applications.asked_in(round_.round_id) if a.application.status == "submitted"]
    assessors = await store.assessment.assessors()
    assigned = await store.assessment.assigned([each.application.application_id for each in asked])
    tasks = [_task(each, round_, assessors.values(), assigned) for each in asked]
    shared = share_out(tasks, await store.assessment.load())
    await store.assessment.assign(shared.pairs, at)
    details = {"assigned": len(shared.pairs), "lacking": {str(key): n for key, n in shared.lacking.items()}}
    await store.rounds.record([Decision(event.data.by, "assigned", round_.round_id, details=details)], at)
    return []


async def assign_one(event: Event[AssignAssessor], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    found = await _open(asked.application_id, "score", store)
    assessor = (await store.assessment.assessors()).get(asked.assessor)
    against = conflict(assessor, found.stakes) if assessor else None
    if assessor is None or against:
        raise Refused(conflict_error(against) if against else UNKNOWN_ASSESSOR)
    await store.assessment.assign([(asked.application_id, asked.assessor)], at)
    await _record(found, asked.by, "assigned", store, at, asked.assessor)
    return []


async def declare(event: Event[DeclareConflict], store: Store, at: datetime) -> list[Said]:
    """The application goes to the least loaded of the others, where somebody is left."""
    asked = event.data
    found, round_ = await _mine(asked.application_id, asked.by, "declare", store)
    await store.assessment.declare(asked.application_id, asked.by, asked.reason, at)
    await _record(found, asked.by, "declared-a-conflict", store, at, asked.reason)
    return await _replace(event, asked.by, found, round_, store, at)


async def moderate(event: Event[ModerateApplication], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    found = await _open(asked.application_id, "moderate", store)
    if asked.by in found.application.scored_by:
        raise Refused(SCORED_IT)
    await check_interest(asked.by, found, store)
    points = asked.points * HUNDRED // 100
    await store.assessment.settle([Result(asked.application_id, points)])
    await _record(found, asked.by, "moderated", store, at, asked.why)
    scored = len(found.application.scored_by)
    return events_out.both(event, events_out.application_assessed(found.application, points, scored, is_moderated=True))


async def score(event: Event[ScoreApplication], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    found, round_ = await _mine(asked.application_id, asked.by, "score", store)
    rules = round_.rules
    if rules.assess_by and day_of(event.time) > rules.assess_by:
        raise Refused(LATE)
    check(*score_errors(rules.criteria, asked.scores))
    points = weighted(rules.criteria, asked.scores)
    await store.assessment.add_score(Score(asked.application_id, asked.by, asked.scores, points, asked.comment), at)
    await _record(found, asked.by, "scored", store, at)
    _, assessed = await _settle(found, round_, store, at)
    return events_out.both(event, assessed) if assessed else []


async def _replace(
    event: Event[Any], assessor: str, found: Asked, round_: Round, store: Store, at: datetime
) -> list[Said]:
    """Another takes the place of an assessor with an interest, whose score, if there is one, counts no more."""
    await store.assessment.take_from(found.application.application_id, assessor)
    has_scored = assessor in found.application.scored_by
    verdict, assessed = await _settle(found, round_, store, at) if has_scored else ("waiting", None)
    if verdict == "waiting" and (has_scored or found.application.status == "submitted"):
        await _one_more(found, store, at)
    return [Fact(assessed, event)] if assessed else []


async def _settle(
    found: Asked, round_: Round, store: Store, at: datetime
) -> tuple[Verdict, ApplicationAssessed | None]:
    """What the scores come to: they are settled, or wait for more, or ask for a third, or for an approver."""
    application = found.application
    scores = (await store.assessment.scores([application.application_id]))[application.application_id]
    came_to = outcome(round_.rules, application.amount_pence, [score.points for score in scores])
    if came_to.verdict == "settled":
        await store.assessment.settle([Result(application.application_id, came_to.points)])
        return "settled", events_out.application_assessed(application, came_to.points, len(scores))
    if came_to.verdict == "moderate" or (
        came_to.verdict == "third" and not await _one_more(found, store, at, "scores-too-far-apart")
    ):
        await store.assessment.ask_for_moderation(application.application_id)
    return came_to.verdict, None


async def _one_more(found: Asked, store: Store, at: datetime, why: str | None = None) -> bool:
    """Gives the application to one more assessor; false where nobody is left."""
    application_id = found.application.application_id
    have = set((await store.assessment.assigned([application_id])).get(application_id, ()))
    assessors = await store.assessment.assessors()
    may = [each for each in free_of_conflict(assessors.values(), found.stakes) if each not in have]
    chosen = least_loaded(may, await store.assessment.load())
    if chosen is None:
        return False
    await store.assessment.assign([(application_id, chosen)], at)
    await _record(found, "assignment", "assigned", store, at, why)
    return True


async def check_interest(by: str, found: Asked, store: Store) -> None:
    """Raises Refused where somebody who decides is known to have an interest in the application."""
    named = (await store.assessment.assessors(also_stopped=True)).get(by)
    against = conflict(named, found.stakes) if named else None
    check(conflict_error(against) if against else None)


def _task(each: Asked, round_: Round, assessors: Iterable[Assessor], assigned: dict[UUID, list[str]]) -> Task:
    """Who stopped, or has an interest by now, is not waited for."""
    application, free = each.application, free_of_conflict(assessors, each.stakes)
    given = assigned.get(application.application_id, [])
    have = [assessor for assessor in given if assessor in free or assessor in application.scored_by]
    may = [assessor for assessor in free if assessor not in given]
    missing = max(0, needed(round_.rules, application.amount_pence) - len(have))
    return Task(application.application_id, missing, tuple(may))


async def _found(application_id: UUID, store: Store) -> tuple[Asked, Round] | None:
    """The application and its round: first this, and then that, stays as it is until the commit."""
    rounds = await store.rounds.shared(await store.applications.rounds_of([application_id]))
    found = (await store.applications.asked([application_id])).get(application_id)
    return (found, rounds[found.application.round_id]) if found else None


async def _open(application_id: UUID, act: Act, store: Store) -> Asked:
    """The application. Raises Refused where its state or its round's does not allow this act."""
    known = await _found(application_id, store)
    if known is None:
        raise Refused(UNKNOWN_APPLICATION)
    found, round_ = known
    check(not_allowed(act, found.application.status, round_.stage))
    return found


async def _mine(application_id: UUID, assessor: str, act: Act, store: Store) -> tuple[Asked, Round]:
    """The application, where this assessor has it, and may do this now. What is not theirs is not there, but for a
    conflict.

    Raises Refused.
    """
    known = await _found(application_id, store)
    named = (await store.assessment.assessors()).get(assessor)
    if known is None or named is None:
        raise Refused(UNKNOWN_APPLICATION)
    found, round_ = known
    if against := conflict(named, found.stakes):
        raise Refused(conflict_error(against))
    assigned = await store.assessment.assigned([application_id])
    if assessor not in assigned.get(application_id, ()):
        raise Refused(UNKNOWN_APPLICATION)
    check(SCORED if act == "score" and assessor in found.application.scored_by else None)
    check(not_allowed(act, found.application.status, round_.stage))
    return known


async def _record(found: Asked, by: str, what: str, store: Store, at: datetime, why: str | None = None) -> None:
    application = found.application
    await store.rounds.record([Decision(by, what, application.round_id, application.application_id, why)], at)


def _known(those: Iterable[str]) -> frozenset[str]:
    """Organisations as somebody wrote them: by number or by name."""
    return frozenset[str]().union(*(as_known(each, each) for each in those))


UNKNOWN_ASSESSOR = refuse(
    "assessor", "unknown-assessor", "There is no such assessor, or they do not judge now.", "Name the assessor first."
)
LATE = refuse(
    "application_id",
    "closed",
    "The days for assessing this round are over.",
    "Tell staff: an approver can still settle what has no result.",
)
SCORED = refuse(
    "application_id",
    "illegal-move",
    "You have scored this application.",
    "A score is given once; if it was wrong, tell an approver, who moderates; if you have an interest, declare it.",
)
