"""A person's rights: staff export them and have them erased; every service then confirms that it has forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from chassis.envelope import Event
from chassis.facts import Forget, Said
from chassis.postgres import Conn
from chassis.sealing import Vault
from contracts.erasure import Confirmation
from contracts.message import SERVICES
from contracts.person import Person
from contracts.referrals import PersonErased
from services.referrals import events_out
from services.referrals.handlers.asking import person_of
from services.referrals.handlers.progress import cancel
from services.referrals.store import Store

_TIMES: TypeAdapter[dict[str, datetime]] = TypeAdapter(dict[str, datetime])


class ReadPerson(BaseModel):
    """Somebody wants to read all that is known of a person. Kept before anything is read."""

    person_ref: UUID
    by: Annotated[str, Field(min_length=1, max_length=300)]
    reason: Annotated[str, Field(min_length=1, max_length=300)]


class ErasePerson(ReadPerson):
    """A person is to be forgotten."""

    forgets: ClassVar = True


class EraseAgain(BaseModel):
    """Referrals that were erased before and that a database may hold again, because an older copy was restored."""

    forgets: ClassVar = True

    referral_ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is known of the erasure of one referral. `received_at` is none where it was gone when it was heard of."""

    referral_id: UUID
    received_at: datetime | None
    erased_at: datetime
    confirmed: dict[str, datetime]

    @property
    def owed(self) -> list[str]:
        return [service for service in SERVICES if service not in self.confirmed]


async def on_read_person(events: Sequence[Event[ReadPerson]], store: Store, at: datetime) -> list[Said]:
    for event in events:
        await store.persons.audit(event.data.person_ref, "exported", event.data.by, event.data.reason, at)
    return []


async def on_erase_person(events: Sequence[Event[ErasePerson]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        ids = await store.persons.referrals_of(event.data.person_ref)
        await store.persons.audit(event.data.person_ref, "erased", event.data.by, event.data.reason, at)
        said += await _erase(event, ids, store, at)
    return said


async def on_erase_again(events: Sequence[Event[EraseAgain]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        await store.persons.take_back(event.data.referral_ids)
        said += await _erase(event, event.data.referral_ids, store, at)
    return said


async def _erase(event: Event[Any], ids: Sequence[UUID], store: Store, at: datetime) -> list[Said]:
    """Forgets here, tells the referrers that their needs have ended, and everybody to forget."""
    forgotten, cancelled = await _forget(event, ids, store, at)
    return [*forgotten, *cancelled, *(events_out.person_erased(event, each) for each in ids)]


async def _forget(
    event: Event[Any], ids: Sequence[UUID], store: Store, at: datetime
) -> tuple[list[Forget], list[Said]]:
    cancelled = await cancel(event, ids, "erased", store, at)
    came_by = await store.persons.submissions(ids)
    await store.persons.erase(ids, at)
    await store.duplicates.forget(ids)
    await store.reviews.forget(ids)
    await store.contacting.forget(ids)
    return [Forget(str(each), submissions=[came_by[each]] if each in came_by else []) for each in ids], cancelled


async def on_person_erased(events: Sequence[Event[PersonErased]], store: Store, at: datetime) -> list[Said]:
    """We said so ourselves. Where our database is older than that, it forgets now."""
    forgotten, _ = await _forget(events[-1], [event.data.referral_id for event in events], store, at)
    return [*forgotten, *(events_out.erasure_confirmed(event, at) for event in events)]


async def on_erasure_confirmed(events: Sequence[Event[Confirmation]], store: Store, at: datetime) -> list[Said]:
    await store.persons.confirm([(e.data.referral_id, e.data.spec.owner, e.data.at) for e in events])
    return []


async def referrals_of(conn: Conn, person_ref: UUID) -> list[UUID]:
    return await Store(conn).persons.referrals_of(person_ref)


async def person_of_referral(conn: Conn, referral_id: UUID) -> UUID | None:
    return await Store(conn).persons.of_referral(referral_id)


async def read_person(conn: Conn, vault: Vault, person_ref: UUID) -> Person | None:
    """None where the person was erased."""
    row = await Store(conn).persons.sealed(person_ref)
    return person_of(vault, row) if row else None


async def erasures(conn: Conn, referral_ids: Sequence[UUID]) -> list[Erasure]:
    rows = await Store(conn).persons.erasures(referral_ids)
    return [
        Erasure(row["referral_id"], row["received_at"], row["erased_at"], _TIMES.validate_json(row["confirmed"]))
        for row in rows
    ]
