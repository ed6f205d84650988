"""A referrer corrects a referral or adds a need. Waiting time stays; what follows from the facts is weighed anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Said, refusal
from chassis.sealing import Vault
from contracts.calendar import day_of
from contracts.changes import Amendment, AmendmentPosted, ReferralAmendmentRequested
from contracts.message import Message
from contracts.person import Person
from contracts.refusal import FieldError
from contracts.vocabulary import TERMINAL
from services.referrals import events_out
from services.referrals.domain.lifecycle import HOLDS, OPEN, agreed_until, days_of_agreement
from services.referrals.domain.priority import Policy
from services.referrals.handlers.asking import (
    is_ward,
    new_needs,
    open_person,
    person_of,
    to_keep,
    weigh,
    wrong_agreement,
    wrong_needs,
    wrong_wards,
)
from services.referrals.handlers.duplicates import Newcomer, find
from services.referrals.handlers.moves import Moves, load, what_keeps_back
from services.referrals.handlers.progress import NOT_FOUND
from services.referrals.handlers.submission import Programme
from services.referrals.store import Store
from services.referrals.store.changes import Terms

HELD_BY_STAFF = HOLDS - {"not-before", "risk-check"}


class OpenedAmendment(Amendment):
    """An amendment whose person, if it has one, was opened. It lives only in memory."""

    person: Person | None = None

    spec = ReferralAmendmentRequested.spec
    example = ReferralAmendmentRequested.example


def opening_amendment(programme: Programme) -> Callable[[Message], Message]:
    """How a message of either door becomes an OpenedAmendment. Raises Refused."""

    def opened(message: Message) -> Message:
        assert isinstance(message, (ReferralAmendmentRequested, AmendmentPosted))  # noqa: S101 - wired for these alone
        sealed = message.person_jwe
        person = open_person(programme.opener, sealed) if sealed else getattr(message, "person", None)
        shared = {name: getattr(message, name) for name in message.model_fields_set & set(Amendment.model_fields)}
        return OpenedAmendment.model_construct(**shared, person=person)

    return opened


_ENDED = refuse(
    "referral_id", "illegal-move", "This referral has ended.", "Refer the person again if they need help after all."
)


@dataclass(slots=True)
class _Batch:
    """What the amendments of a batch work on."""

    programme: Programme
    policies: Mapping[str, Policy]
    moves: Moves
    terms: dict[UUID, Terms]
    persons: dict[UUID, Person]
    deciles: Mapping[str, int]


async def on_amendment_requested(
    programme: Programme, events: Sequence[Event[OpenedAmendment]], store: Store, at: datetime
) -> list[Said]:
    ids = [event.data.referral_id for event in events]
    moves = await load(ids, store)
    terms = await store.changes.terms(ids)
    rows = await store.referrals.sealed_persons(ids)
    persons = {each: person_of(programme.vault, row) for each, row in rows.items()}
    deciles = await store.referrals.deciles(_codes(events, terms, persons))
    batch = _Batch(programme, await store.policies.all(), moves, terms, persons, deciles)
    for event in events:
        if wrong := _wrong(event, batch, at):
            moves.said.append(refusal(event, *wrong))
            continue
        await _amend(event, batch, store, at)
    return await moves.save(store, at)


def _codes(
    events: Sequence[Event[OpenedAmendment]], terms: Mapping[UUID, Terms], persons: Mapping[UUID, Person]
) -> list[str]:
    """Of all areas that are named."""
    named = [code for event in events for code in (event.data.ward, event.data.serve_ward)]
    told = [event.data.person for event in events if event.data.person]
    named += [*(each.area for each in terms.values()), *(person.lsoa for person in (*told, *persons.values()))]
    return [code for code in named if code]


def _wrong(event: Event[OpenedAmendment], batch: _Batch, at: datetime) -> list[FieldError]:
    data, today = event.data, day_of(at)
    parent = batch.moves.parents.get(data.referral_id)
    if parent is None or parent.partner != event.partner:
        return [NOT_FOUND]
    if all(need.status in TERMINAL for need in batch.moves.of(data.referral_id)):
        return [_ENDED]
    return [
        *wrong_wards(batch.deciles, ward=data.ward, serve_ward=data.serve_ward),
        *(wrong_agreement(data.agreement, today) if data.agreement else ()),
        *wrong_needs(data.needs),
    ]


async def _amend(event: Event[OpenedAmendment], batch: _Batch, store: Store, at: datetime) -> None:
    data = event.data
    terms = batch.terms[data.referral_id] = _terms(event, batch, at)
    await store.changes.save_terms(data.referral_id, terms)
    if data.person:
        batch.persons[data.referral_id] = data.person
        ref = await _replace_person(data.referral_id, data.person, batch.programme.vault, store)
        one = Newcomer(data.referral_id, ref, data.person, frozenset())
        found = await find(batch.programme.vault, [one], store)
        await store.duplicates.replace_tokens(found.tokens)
        await store.duplicates.note(found.pairs, at)
    await _needs(event, batch, store, at)
    batch.moves.amended[data.referral_id] = event
    open_needs = batch.moves.of(data.referral_id)
    reference = batch.moves.parents[data.referral_id].reference
    batch.moves.said.append(events_out.acknowledged(event, reference, data.referral_id, open_needs))


async def _replace_person(referral_id: UUID, person: Person, vault: Vault, store: Store) -> UUID:
    """With a key of their own anew, so that what was said before is gone; their SIMs are sealed with it, too."""
    ref = await store.persons.of_referral(referral_id)
    assert ref  # noqa: S101 - an open referral has a person
    wrapped, sealed = vault.lock(to_keep(person))
    sims = await store.sims.of_person(ref)
    anew = {sim["need_id"]: vault.seal(wrapped, vault.unlock(sim["wrapped_key"], sim["sealed"])) for sim in sims}
    await store.changes.replace_person(ref, wrapped, sealed)
    await store.sims.seal_anew(anew)
    await store.people.replace({ref: person.monitoring})
    return ref


def _terms(event: Event[OpenedAmendment], batch: _Batch, at: datetime) -> Terms:
    data, before = event.data, batch.terms[event.data.referral_id]
    told = data.model_fields_set
    area = data.ward or before.area
    moved = data.ward is not None or "serve_ward" in told
    ward = (data.serve_ward or (area if is_ward(area) else None)) if moved else before.ward
    person = data.person or batch.persons.get(data.referral_id)
    agreement = data.agreement
    after = before._replace(
        area=area,
        ward=ward,
        languages=before.languages if data.languages is None else data.languages,
        not_before=data.not_before if "not_before" in told else before.not_before,
        direct_contact=before.direct_contact if data.direct_contact is None else data.direct_contact,
        agreement_by=agreement.by if agreement else before.agreement_by,
        agreement_until=agreement.until if agreement else before.agreement_until,
    )
    if person is None:
        return after
    policy = batch.policies[before.policy]
    scored, schemes = weigh(policy, person, area, batch.deciles, day_of(at))
    return after._replace(score=scored.points, groups=scored.groups, area_step=scored.area_step, schemes=schemes)


async def _needs(event: Event[OpenedAmendment], batch: _Batch, store: Store, at: datetime) -> None:
    data, moves, terms = event.data, batch.moves, batch.terms[event.data.referral_id]
    still_open = {need.kind: need for need in moves.of(data.referral_id) if need.status in OPEN}
    changed = [(still_open[asked.kind].id, asked) for asked in data.needs if asked.kind in still_open]
    await store.changes.change_needs(changed)
    added = [asked for asked in data.needs if asked.kind not in still_open]
    new = new_needs(event, data.referral_id, added, terms.agreement_until, terms.not_before)
    await store.referrals.add_needs(new, at)
    moves.add(event, [each.need for each in new])
    kept = await what_keeps_back(list(still_open.values()), store, day_of(at))
    for need in still_open.values():
        asked = kept[need.id]
        if need.hold not in HELD_BY_STAFF and (need.hold or asked.request != "resume"):
            moves.ask(event, need, asked, at)
    moves.days |= dict.fromkeys(days_of_agreement(terms.agreement_until, day_of(at)), event)
    for need in moves.of(data.referral_id):
        if after := agreed_until(need, terms.agreement_until, at):
            moves.remind(event, after, at)
