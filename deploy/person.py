"""A person's rights over a deployment: all that is held of them, and their erasure with its certificate."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from chassis import forget
from chassis.postgres import Conn
from chassis.sealing import Vault
from contracts.message import SERVICES, Service
from contracts.referrals import PersonErased
from deploy.errors import DeployError
from deploy.kafka.log import Log
from deploy.site import Site
from deploy.wiring import build
from services.referrals.handlers import persons, sims
from services.referrals.handlers.persons import EraseAgain, ErasePerson, Erasure, ReadPerson

DOORS_KEPT: Final = timedelta(days=7)
BACKUPS_KEPT: Final = timedelta(days=35)
LOOK_EVERY: Final = 0.25
AT_ONCE: Final = 1000

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who has forgotten what, and when the last copies lapse that nobody can take out."""

    erasures: Sequence[Erasure]

    @property
    def owed(self) -> list[str]:
        return [service for service in SERVICES if any(service in each.owed for each in self.erasures)]

    def document(self) -> dict[str, Any]:
        received = [each.received_at for each in self.erasures if each.received_at]
        erased = [each.erased_at for each in self.erasures]
        return {
            "referrals": [
                {
                    "referral_id": each.referral_id,
                    "erased_at": each.erased_at,
                    "confirmed": {
                        service: each.confirmed[service] for service in SERVICES if service in each.confirmed
                    },
                }
                for each in self.erasures
            ],
            "owed": self.owed,
            "inbox_copies_lapse_at": max(received) + DOORS_KEPT if received else None,
            "outbox_copies_lapse_at": max(erased) + DOORS_KEPT if erased else None,
            "backups_lapse_at": max(erased) + BACKUPS_KEPT if erased else None,
        }


async def ref_of(site: Site, referral_id: UUID) -> UUID:
    """Raises DeployError where there is no such referral."""
    async with site.connected("referrals") as conn:
        ref = await persons.person_of_referral(conn, referral_id)
    if ref is None:
        raise DeployError(f"There is no referral {referral_id}. Take the id from ReferralAcknowledged.")
    return ref


async def export(site: Site, ref: UUID, by: str, reason: str) -> dict[str, Any]:
    """All that is held of a person, one document. Raises DeployError where nobody knows them."""
    ids = await _referrals_of(site, ref)
    await site.act("referrals", ReadPerson(person_ref=ref, by=by, reason=reason))
    keys = [str(each) for each in ids]
    vault = Vault(site.settings("referrals").programme_key)
    async with site.connected("referrals") as conn:
        person = await persons.read_person(conn, vault, ref)
        given = await sims.numbers_of(conn, vault, ref)
        erased = await persons.erasures(conn, ids)
    return {
        "person_ref": ref,
        "exported_at": datetime.now(UTC),
        "person": person and person.model_dump(mode="json"),
        "sims": given,
        "erased": Certificate(erased).document() if erased else None,
        "held": {service: await _held(site, service, keys) for service in SERVICES},
    }


async def _held(site: Site, service: Service, keys: Sequence[str]) -> dict[str, list[Any]]:
    """By table, the rows that a service keeps of these referrals, as of one moment."""
    asked = {**forget.HELD, **build(service, site.settings(service)).held}
    async with site.connected(service) as conn, conn.transaction(isolation="repeatable_read", readonly=True):
        found = {table: await _rows(conn, sql, keys) for table, sql in asked.items()}
    return {table: rows for table, rows in found.items() if rows}


async def _rows(conn: Conn, sql: str, keys: Sequence[str]) -> list[Any]:
    rows = await conn.fetch(f"select to_jsonb(held) as held from ({sql}) held", list(keys))  # noqa: S608 - our own SQL
    return [json.loads(row["held"]) for row in rows]


async def is_erased(site: Site, ref: UUID) -> bool:
    """Raises DeployError where nobody knows them."""
    ids = await _referrals_of(site, ref)
    async with site.connected("referrals") as conn:
        return len(await persons.erasures(conn, ids)) == len(ids)


async def erase(site: Site, ref: UUID, by: str, reason: str, listed: Path | None) -> None:
    """Has a person forgotten. What is `listed` in a file first is known also where databases and log are lost."""
    ids = await _referrals_of(site, ref)
    if listed:
        _list(listed, {"person_ref": ref, "referral_ids": ids, "asked_at": datetime.now(UTC)})
    await site.act("referrals", ErasePerson(person_ref=ref, by=by, reason=reason))


async def certificate(site: Site, ref: UUID, within: float, tell: Tell) -> Certificate:
    """Waits until every service has confirmed, or for so many seconds. Raises DeployError where nobody was erased."""
    found = await _confirmed(site, await _referrals_of(site, ref), within, tell)
    if not found.erasures:
        raise DeployError(f"Person {ref} was not erased. Do it with: furthest person erase {ref} --reason ...")
    return found


async def erase_again(site: Site, listed: Path | None, within: float, tell: Tell) -> Certificate:
    """Applies the erasures of the log and the list that a database does not know: it is older than they are."""
    wanted = await asyncio.to_thread(_of_log, site, tell) | (_of_list(listed) if listed else set())
    missing = sorted(wanted - await _known_to_all(site, wanted))
    for n in range(0, len(missing), AT_ONCE):
        await site.act("referrals", EraseAgain(referral_ids=missing[n : n + AT_ONCE]))
    return await _confirmed(site, missing, within, tell)


async def _confirmed(site: Site, ids: Sequence[UUID], within: float, tell: Tell) -> Certificate:
    deadline, waiting_for = time.monotonic() + within, ""
    async with site.connected("referrals") as conn:
        while True:
            found = Certificate(await persons.erasures(conn, ids))
            if not found.owed or time.monotonic() >= deadline:
                return found
            if waiting_for != (waiting_for := ", ".join(found.owed)):
                tell(f"waiting for {waiting_for}")
            await asyncio.sleep(LOOK_EVERY)


def _of_log(site: Site, tell: Tell) -> set[UUID]:
    found: set[UUID] = set()
    for number, record in enumerate(Log(site.kafka).read(PersonErased.spec.topic), 1):
        if dict(record.headers() or ()).get("ce_type") == PersonErased.spec.type.encode():
            found.add(PersonErased.model_validate_json(record.value(), extra="ignore").referral_id)
        if number % 100_000 == 0:
            tell(f"{number:,} records of the log")
    return found


def _of_list(file: Path) -> set[UUID]:
    return {UUID(each) for line in _lines(file) for each in line["referral_ids"]}


def _lines(file: Path) -> Iterator[Any]:
    """Raises DeployError where the file is not such a list. A last line that was cut off is of an act never done."""
    text = file.read_text(encoding="utf-8")
    try:
        yield from (json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines())
    except (ValueError, KeyError) as error:
        raise DeployError(f"{file} is no list of erasures. Name the file that FURTHEST_ERASURES named.") from error


def _list(file: Path, line: dict[str, Any]) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as out:
        out.write(json.dumps(line, default=str) + "\n")
        out.flush()
        os.fsync(out.fileno())


async def _known_to_all(site: Site, wanted: set[UUID]) -> set[UUID]:
    keys = {str(each) for each in wanted}
    for service in SERVICES:
        async with site.connected(service) as conn:
            keys &= await forget.known(conn, keys)
    return {UUID(key) for key in keys}


async def _referrals_of(site: Site, ref: UUID) -> list[UUID]:
    async with site.connected("referrals") as conn:
        ids = await persons.referrals_of(conn, ref)
    if not ids:
        raise DeployError(f"There is no person {ref}. Find them with: furthest person export --referral ID")
    return ids
