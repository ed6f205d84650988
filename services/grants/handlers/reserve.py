"""The reserve list: whenever money comes free, it moves up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from chassis.envelope import Event
from chassis.facts import Said
from services.grants import events_out
from services.grants.domain.awards import Application, Book
from services.grants.domain.scoring import feedback
from services.grants.store import Store
from services.grants.store.rounds import Decision

BY: Final = "reserve-list"


async def move_up(event: Event[Any], book: Book, store: Store, round_id: str, at: datetime) -> list[Said]:
    """Awards what the approver put on the list, on the terms that were put down then."""
    moved = book.move_up([round_id])
    await store.money.save(book, BY, at)
    await store.rounds.record(
        [
            Decision(BY, "awarded", each.round_id, each.application_id, "moved up", {"pence": each.awarded_pence})
            for each in moved
        ],
        at,
    )
    return await said_of(event, moved, store, book, at, from_reserve=True)


async def said_of(
    event: Event[Any], awarded: Sequence[Application], store: Store, book: Book, at: datetime, *, from_reserve: bool
) -> list[Said]:
    """Everything that an award says: the award, the places it pays for, and reminders of the reports it asks for."""
    ids = [each.application_id for each in awarded]
    owners, terms, scores = (
        await store.money.owners(ids),
        await store.money.terms(ids),
        await store.assessment.scores(ids),
    )
    said: list[Said] = []
    for each in awarded:
        under, due = terms[each.application_id]
        criteria = book.rounds[each.round_id].rules.criteria
        words = feedback(criteria, [score.scores for score in scores[each.application_id]])
        said += events_out.awarded(event, each, owners[each.application_id], under, words, at, from_reserve)
        said += events_out.reminders(event, each.application_id, due, at)
    return said
