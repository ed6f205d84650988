"""What a partner sends twice is done once, and answered twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from chassis import delivery
from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Fact, Said, refusal
from chassis.postgres import Conn
from chassis.sealing import Sealer
from contracts.message import MESSAGES
from contracts.refusal import MessageRefused

SAME_ID = refuse(
    "id",
    "same-id-other-body",
    "This submission id was used before, for another message.",
    "Send the first message unchanged to hear its answer again, or give this one an id of its own.",
)

ERASED = refuse(
    "id",
    "erased",
    "What this submission said was erased on request, and is not taken again.",
    "If the person asks for help anew, send it under a new id.",
)


async def claimed(
    conn: Conn, sealer: Sealer, events: Sequence[Event[Any]], at: datetime
) -> tuple[list[Fact], set[int]]:
    """What is answered without being done again, and which events are new, by identity."""
    claims = await delivery.claim_submissions(
        conn, [(event, sealer.fingerprints(_body(event))) for event in events], at
    )
    again = [_told_again(claim) for claim in claims if claim.known]
    return [fact for fact in again if fact], {id(claim.event) for claim in claims if not claim.known}


async def keep_answers(conn: Conn, said: Sequence[Said]) -> None:
    answers = [s for s in said if isinstance(s, Fact) and s.is_answer]
    kept = [fact for fact in answers if not isinstance(fact.data, MessageRefused)]
    refused = [fact.cause for fact in answers if isinstance(fact.data, MessageRefused)]
    if kept:
        await delivery.keep_answers(conn, kept)
    if refused:
        await delivery.release_submissions(conn, refused)


def _body(event: Event[Any]) -> dict[str, Any]:
    """What makes two submissions the same: the type and the content, with the person opened.

    A field that is as if it had been left out does not count: the next release may know one more.
    """
    data: BaseModel = event.data
    return {"type": event.type, "data": data.model_dump(mode="json", exclude_defaults=True)}


def _told_again(claim: delivery.Claim) -> Fact | None:
    if not claim.is_same:
        return refusal(claim.event, ERASED if claim.is_erased else SAME_ID)
    if not claim.answer_type or claim.answer is None:
        return None
    told = MESSAGES[claim.answer_type].model_validate_json(claim.answer, extra="ignore")
    return Fact(
        told, claim.event._replace(source=f"{claim.event.source}#again"), to=claim.event.partner, is_answer=True
    )
