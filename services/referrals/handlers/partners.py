"""Acts of staff and operations: partners, keys and areas. Each is told to everybody as a fact."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from chassis.envelope import Event
from chassis.errors import Refused, refuse
from chassis.facts import Fact, Said
from contracts.access import KeyAdded, KeyRevoked
from contracts.referrals import Area as PublishedArea
from contracts.referrals import AreasLoaded, PartnerRegistered
from contracts.vocabulary import PartnerId, Role, ShortText
from services.referrals.domain.areas import Area
from services.referrals.domain.priority import area_step
from services.referrals.store import Store

REMOVED = refuse("partner", "removed", "This partner was removed.", "Add it under another id.")


class RegisterPartner(BaseModel):
    """An organisation may use the doors from now on."""

    partner: PartnerId
    name: ShortText


class RemovePartner(BaseModel):
    """An organisation is no partner any more. Its name is forgotten; its id is never given again."""

    partner: PartnerId


class AddKey(BaseModel):
    """A key may open doors until it expires. Only its SHA-256 is told to us."""

    key_id: UUID
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    role: Role
    principal: Annotated[str, Field(min_length=1, max_length=100)]
    expires_at: AwareDatetime


class SayKeys(BaseModel):
    """The topic of keys was lost: every key that is live is told again."""


class RevokeKeys(BaseModel):
    """The keys of a principal open nothing any more, but for the newest `keep`."""

    role: Role
    principal: Annotated[str, Field(min_length=1, max_length=100)]
    keep: Annotated[int, Field(ge=0)] = 0


class LoadAreas(BaseModel):
    """The areas of the programme, replacing those before; `first` ones are taken only where there are none."""

    first: bool = False
    version: ShortText
    areas: Annotated[list[Area], Field(min_length=1, max_length=100_000)]


async def on_register_partner(events: Sequence[Event[RegisterPartner]], store: Store, at: datetime) -> list[Said]:
    return [
        Fact(PartnerRegistered(partner=event.data.partner, name=event.data.name), event)
        for event in events
        if await store.partners.register(event.data.partner, event.data.name, at)
    ]


async def on_remove_partner(events: Sequence[Event[RemovePartner]], store: Store, at: datetime) -> list[Said]:
    """Who shows its name hears that it is called by its id from now on."""
    for event in events:
        await store.contacting.set_mail(event.data.partner, None, at)
    return [
        Fact(PartnerRegistered(partner=event.data.partner, name=event.data.partner), event)
        for event in events
        if await store.partners.remove(event.data.partner, at)
    ]


async def on_add_key(events: Sequence[Event[AddKey]], store: Store, at: datetime) -> list[Said]:
    """Raises Refused where the partner was removed."""
    if await store.partners.removed([event.data.principal for event in events if event.data.role == "partner"]):
        raise Refused(REMOVED)
    for event in events:
        key = event.data
        await store.partners.add_key(key.key_id, key.sha256, key.role, key.principal, at, key.expires_at)
    return [Fact(KeyAdded(**event.data.model_dump()), event) for event in events]


async def on_say_keys(events: Sequence[Event[SayKeys]], store: Store, at: datetime) -> list[Said]:
    return [Fact(KeyAdded(**row), events[-1]) for row in await store.partners.live_keys(at)]


async def on_revoke_keys(events: Sequence[Event[RevokeKeys]], store: Store, at: datetime) -> list[Said]:
    return [
        Fact(KeyRevoked(key_id=key_id), event)
        for event in events
        for key_id in await store.partners.revoke_keys(event.data.role, event.data.principal, event.data.keep, at)
    ]


async def on_load_areas(events: Sequence[Event[LoadAreas]], store: Store, at: datetime) -> list[Said]:
    last, policy = events[-1], await store.policies.current()
    if last.data.first and await store.partners.has_areas():
        return []
    await store.partners.replace_areas(last.data.areas)
    wards = [
        PublishedArea(
            code=area.code,
            name=area.name,
            decile=area.decile,
            step=area_step(policy, area.decile),
            committee=area.committee,
        )
        for area in last.data.areas
        if area.ward is None
    ]
    return [Fact(AreasLoaded(version=last.data.version, areas=wards), last)]
