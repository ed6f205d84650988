"""The same person referred twice: found by keyed tokens, compared in memory, and settled by staff alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Said
from chassis.sealing import Vault
from contracts.message import act
from contracts.person import Person
from contracts.refusal import FieldError
from services.referrals import events_out
from services.referrals.domain.duplicates import in_common, pairs
from services.referrals.domain.lifecycle import Asked
from services.referrals.handlers.asking import person_of
from services.referrals.handlers.moves import Moves
from services.referrals.handlers.staff import StaffAct, go_on, one_by_one
from services.referrals.store import Store
from services.referrals.store.duplicates import Pair


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A person as they are referred, before they are kept."""

    referral_id: UUID
    person_ref: UUID
    person: Person
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Known:
    referral_id: UUID
    person: Person
    open_kinds: frozenset[str]


@dataclass(slots=True)
class Found:
    """Who may be somebody we know, which kinds of needs that one has open, and the tokens to keep."""

    pairs: list[Pair] = field(default_factory=list)
    checked: dict[UUID, frozenset[str]] = field(default_factory=dict)
    """By referral, the kinds that are not offered until staff have looked."""
    tokens: dict[UUID, list[bytes]] = field(default_factory=dict)


async def find(vault: Vault, newcomers: Sequence[Newcomer], store: Store) -> Found:
    """Those of one batch are compared with each other, too, in their order."""
    tokens = {one.person_ref: [vault.tokens(*pair) for pair in pairs(one.person)] for one in newcomers}
    wanted = {token for those in tokens.values() for by_key in those for token in by_key}
    alike = await store.duplicates.alike(wanted) if wanted else {}
    known = _opened(vault, await store.duplicates.persons({ref for refs in alike.values() for ref in refs}))
    found = Found(tokens={ref: [by_key[0] for by_key in those] for ref, those in tokens.items()})
    for one in newcomers:
        theirs = [token for by_key in tokens[one.person_ref] for token in by_key]
        _compare(one, {ref for token in theirs for ref in alike.get(token, ())}, known, found)
        known[one.person_ref] = _Known(one.referral_id, one.person, one.kinds)
        for token in found.tokens[one.person_ref]:
            alike.setdefault(token, []).append(one.person_ref)
    return found


def _opened(vault: Vault, rows: Sequence[Any]) -> dict[UUID, _Known]:
    return {
        row["person_ref"]: _Known(row["referral_id"], person_of(vault, row), frozenset(row["open_kinds"]))
        for row in rows
    }


def _compare(one: Newcomer, refs: set[UUID], known: Mapping[UUID, _Known], found: Found) -> None:
    for other in (known[ref] for ref in sorted(refs - {one.person_ref}) if ref in known):
        shared = in_common(one.person, other.person)
        if shared and other.referral_id != one.referral_id:
            found.pairs.append(Pair(one.referral_id, other.referral_id, shared))
            both = one.kinds & other.open_kinds
            found.checked[one.referral_id] = found.checked.get(one.referral_id, frozenset()) | both


@act("referrals", key="referral_id")
class SettleDuplicate(StaffAct):
    """Staff looked at two referrals: they are of the same person, or of two."""

    referral_id: UUID
    other_id: UUID
    found: Literal["same", "different"]


_NOTHING_TO_SETTLE = refuse(
    "other_id", "not-found", "These two are not waiting to be settled.", "Take both ids from the list of duplicates."
)


async def on_settle_duplicate(events: Sequence[Event[SettleDuplicate]], store: Store, at: datetime) -> list[Said]:
    return await one_by_one(events, _settle, store, at)


async def _settle(event: Event[SettleDuplicate], moves: Moves, store: Store, at: datetime) -> FieldError | None:
    """What is asked twice of the same person ends; the reason tells the partner nothing of the other referral."""
    told = event.data
    if not await store.duplicates.settle(told.referral_id, told.other_id, told.found, told.by, at):
        return _NOTHING_TO_SETTLE
    checked = [need for need in moves.of(told.referral_id) if need.hold == "checking"]
    if told.found == "same" and checked:
        moves.said.append(events_out.withdrawn(event, checked, "duplicate"))
        for need in checked:
            moves.ask(event, need, Asked("cancel", "other"), at)
    elif not await store.duplicates.still_checked(told.referral_id):
        for need in checked:
            await go_on(event, need, moves, store, at)
    return None
