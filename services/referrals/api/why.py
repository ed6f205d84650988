"""Why do I wait? In plain words, with what it comes from, for the referrer and for staff."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request

from chassis.door import body_of
from chassis.http import NOT_FOUND, IdempotencyKey, Partner, Staff
from chassis.service import Running
from contracts.vocabulary import POINTS_A_DAY, ShortText
from services.referrals.domain.priority import Policy
from services.referrals.handlers.asking import person_of
from services.referrals.handlers.reviews import AskForReview
from services.referrals.handlers.submission import Programme
from services.referrals.store import Store

Reason = Annotated[ShortText, Query(description="Why you need to see it.")]


def for_those_who_ask(running: Running, programme: Programme) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/needs/{need_id}/why", tags=["partners"])
    async def why(need_id: UUID, caller: Partner) -> dict[str, Any]:
        """Where this person stands and why, in words to read out or to send. It holds no circumstance of theirs."""
        async with running.database.acquire() as conn:
            return (await _standing(Store(conn), need_id, caller.principal, running.clock()))[0]

    @router.post(
        "/v1/needs/{need_id}/review", status_code=202, tags=["partners"], openapi_extra=body_of(AskForReview, "need_id")
    )
    async def review(
        need_id: UUID, request: Request, caller: Partner, idempotency_key: IdempotencyKey = None
    ) -> dict[str, str]:
        """Ask staff to look again at where this person stands. What they find stands in the answer to why."""
        await running.door.accept(request, AskForReview, caller.principal, idempotency_key, need_id=need_id)
        return {"status": "accepted"}

    @router.get("/v1/staff/needs/{need_id}/why", tags=["staff"])
    async def why_for_staff(need_id: UUID, reason: Reason, staff: Staff) -> dict[str, Any]:
        """The same with the groups that apply, read from the person now. Every look is kept, with its reason."""
        async with running.database.acquire() as conn, conn.transaction():
            store = Store(conn)
            told, row = await _standing(store, need_id, None, running.clock())
            policy = (await store.policies.all())[row["policy"]]
            at = running.clock()
            await store.changes.note_acts([(row["referral_id"], need_id, "read", staff.principal, reason)], at)
        return {**told, "groups_that_apply": _groups(programme, policy, row)}

    @router.get("/v1/staff/reviews", tags=["staff"])
    async def reviews(_staff: Staff) -> dict[str, list[dict[str, Any]]]:
        """What referrers want looked at again."""
        async with running.database.acquire() as conn:
            rows = await Store(conn).reviews.open()
        return {"reviews": [dict(row) for row in rows]}

    return router


async def _standing(store: Store, need_id: UUID, partner: str | None, at: datetime) -> tuple[dict[str, Any], Any]:
    row = await store.reviews.standing(need_id, partner)
    if row is None:
        raise NOT_FOUND
    days = max(0, (at - row["received_at"]).days)
    reviews = await store.reviews.of_need(need_id)
    told = {
        **{name: row[name] for name in ("need_id", "kind", "status", "reason", "lane", "policy")},
        "waits_since": row["received_at"],
        "points": {
            "for_groups_of_barriers": row["score"] - row["area_step"],
            "for_the_area": row["area_step"],
            "for_days_of_waiting": days * POINTS_A_DAY,
        },
        "next": {"by": row["next_by"], "on": row["next_on"], "what": row["next_what"]} if row["next_by"] else None,
        "words": _words(row, days),
        "reviews": [dict(each) for each in reviews],
    }
    return told, row


def _words(row: Any, days: int) -> list[str]:
    groups = row["groups"]
    said = [
        f"You have waited {days} day{'' if days == 1 else 's'}. Every day counts one point, for everybody.",
        f"Of five groups of barriers, {groups} {'is' if groups == 1 else 'are'} yours, as we were told.",
        f"That gives {row['score'] - row['area_step']} points, and where you live {row['area_step']}.",
        "Those with most points are offered help first. Nobody is moved back.",
        "If something is wrong, tell whoever referred you: they can correct it, and you keep the time you waited.",
    ]
    return [*said, f"The next step: {row['next_what']}"] if row["next_what"] else said


def _groups(programme: Programme, policy: Policy, row: Any) -> dict[str, list[str]]:
    """By group, what the person is recorded to have said yes to."""
    if row["sealed"] is None:
        return {}
    circumstances = person_of(programme.vault, row).circumstances
    told = {code for code, answer in circumstances.items() if answer == "yes"}
    return {name: sorted(codes & told) for name, codes in policy.groups.items() if codes & told}
