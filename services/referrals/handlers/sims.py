"""The data SIM that a provider gave: its numbers are personal data, and are kept as a person is."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType
from pydantic import AfterValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Said, refusal
from chassis.postgres import Conn
from chassis.sealing import Vault
from contracts.calendar import day_of
from contracts.message import Message, act
from contracts.refusal import FieldError
from contracts.vocabulary import ShortText
from services.referrals.domain.lifecycle import BY_PROVIDER, Need
from services.referrals.handlers.moves import load
from services.referrals.handlers.staff import Who, illegal
from services.referrals.handlers.submission import Programme
from services.referrals.store import Store
from services.referrals.store.sims import NewSim


def _mobile(text: str) -> str:
    """A mobile number of the United Kingdom, as E.164."""
    number = _parsed(text)
    mobile = phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) == PhoneNumberType.MOBILE
    if not mobile or number.country_code != 44 or number.extension:
        mend = "Write it as on the SIM's card, such as 07400 123456 or +447400123456."
        raise PydanticCustomError("no_mobile_number", "This is no mobile number of the United Kingdom", {"mend": mend})
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _parsed(text: str) -> PhoneNumber:
    try:
        return phonenumbers.parse(text, "GB")
    except NumberParseException:
        return PhoneNumber()


@act("referrals", key="need_id")
class WriteSim(Message):
    """The provider writes down the SIM that it gave, or what is right of it now."""

    need_id: UUID
    network: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 &'-]{0,39}$")]
    number: Annotated[str, Field(max_length=20), AfterValidator(_mobile)]
    iccid: Annotated[str, StringConstraints(pattern=r"^89[0-9]{17,18}$")] | None = None
    activated_on: date
    expires_on: date | None = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.expires_on and self.expires_on <= self.activated_on:
            raise ValueError("expires_on is a day after activated_on")
        return self


@act("referrals", key="need_id")
class WriteSimForProvider(WriteSim):
    """The same by staff, for a provider that cannot."""

    by: Who
    why: ShortText


_NOT_YOURS = refuse("need_id", "not-found", "You do not help with such a need.", "Use the id of an offer you accepted.")
_NO_DATA = refuse("need_id", "no-data-sim", "This need is not for mobile data.", "Use the id of a connectivity need.")
_IN_FUTURE = refuse("activated_on", "in-future", "The SIM is not active yet.", "Write it down when it is active.")


async def on_write_sim(
    programme: Programme, events: Sequence[Event[WriteSim]], store: Store, at: datetime
) -> list[Said]:
    referrals = await store.changes.referrals_of([event.data.need_id for event in events])
    moves, persons = (
        await load(referrals.values(), store),
        await store.referrals.sealed_persons(list(referrals.values())),
    )
    said: list[Said] = []
    for event in events:
        need = moves.needs.get(event.data.need_id)
        person = persons.get(need.referral_id) if need else None
        if wrong := _wrong(event, need, person, at):
            said.append(refusal(event, wrong))
        elif need and person:
            await store.sims.write(_new(programme.vault, event.data, need, person), at)
            await store.changes.note_acts(_noted(event, need), at)
    return said


def _wrong(event: Event[WriteSim], need: Need | None, person: Any, at: datetime) -> FieldError | None:
    by_staff = isinstance(event.data, WriteSimForProvider)
    if need is None or person is None or not (by_staff or need.provider == event.partner):
        return _NOT_YOURS
    if need.kind != "connectivity":
        return _NO_DATA
    if need.status not in BY_PROVIDER:
        return illegal(need)
    return _IN_FUTURE if event.data.activated_on > day_of(at) else None


def _new(vault: Vault, told: WriteSim, need: Need, person: Any) -> NewSim:
    numbers = json.dumps({"number": told.number, "iccid": told.iccid}).encode()
    return NewSim(
        need_id=need.id,
        person_ref=person["person_ref"],
        network=told.network,
        activated_on=told.activated_on,
        expires_on=told.expires_on,
        sealed=vault.seal(person["wrapped_key"], numbers),
        provider=need.provider or "",
    )


def _noted(event: Event[WriteSim], need: Need) -> list[tuple[Any, ...]]:
    told = event.data
    if not isinstance(told, WriteSimForProvider):
        return []
    return [(need.referral_id, need.id, "WriteSimForProvider", told.by, told.why)]


def opened(vault: Vault, row: Any) -> dict[str, Any]:
    """A row of `sim`, with its numbers."""
    shown = {name: row[name] for name in ("need_id", "network", "activated_on", "expires_on", "provider", "written_at")}
    return {**shown, **_numbers(vault, row)}


def _numbers(vault: Vault, row: Any) -> dict[str, Any]:
    numbers: dict[str, Any] = json.loads(vault.unlock(row["wrapped_key"], row["sealed"]))
    return numbers


async def numbers_of(conn: Conn, vault: Vault, person_ref: UUID) -> list[dict[str, Any]]:
    """Of each SIM of a person."""
    rows = await Store(conn).sims.of_person(person_ref)
    return [{"need_id": row["need_id"], **_numbers(vault, row)} for row in rows]
