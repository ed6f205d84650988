"""A service whose database was put back from a backup: compared with the log, and what is owed told."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

import asyncpg
from confluent_kafka import KafkaException
from pydantic import BaseModel

from chassis import restored
from chassis.postgres import connected
from chassis.restored import Heard
from contracts.access import KeyAdded
from contracts.catalogue import told_partners, topics_written
from contracts.message import Service
from contracts.referrals import ReferralReceived
from contracts.topics import outbox
from deploy.errors import DeployError
from deploy.kafka.log import Log
from deploy.provision import partners_of
from deploy.site import Site
from services.referrals.handlers.restored import LetGoKey, LetGoReferral, ReleaseContact

DO: dict[str, str] = {
    "ReferralReceived": "came by HTTP: let it go with --let-go, and ask the partner to refer again",
    "ReferralWithdrawn": "came by HTTP: ask the partner to withdraw again",
    "KeyAdded": "opens doors and is not known here: let it go with --let-go, and add another",
    "KeyRevoked": "revoke it again: furthest key revoke, or partner suspend",
    "PartnerRegistered": "furthest partner add, or rotate",
    "AreasLoaded": "furthest areas load",
}
"""What is to be done where something of a kind is missing; others follow from these, or are of their partner."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A fact that the log has, and the database neither knew nor said again."""

    id: str
    type: str
    topic: str
    key: str
    said_at: datetime
    data: dict[str, Any]

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        kind = row["type"].split(".")[2]
        return cls(row["id"], kind, row["topic"], row["key"], row["said_at"], json.loads(row["value"]))

    @property
    def partner(self) -> str | None:
        return self.data.get("partner") or self.data.get("provider")

    def document(self) -> dict[str, Any]:
        shown = {name: value for name, value in asdict(self).items() if name != "data"}
        return {**shown, "partner": self.partner}

    def let_go(self) -> BaseModel | None:
        """The act of referrals by which nobody holds it any more, where there is one."""
        if self.type == "ReferralReceived":
            received = ReferralReceived.model_validate(self.data, extra="ignore")
            return LetGoReferral(referral_id=received.referral_id, need_ids=[need.need_id for need in received.needs])
        if self.type == "KeyAdded":
            return LetGoKey(key_id=KeyAdded.model_validate(self.data, extra="ignore").key_id)
        return None


@dataclass(frozen=True, slots=True)
class Compared:
    """`said_before` counts what the log had and the database did not."""

    service: Service
    said_before: int
    missing: list[Missing]

    @property
    def owed(self) -> list[Missing]:
        """What is missing, but for what became of a referral that is missing itself."""
        lost = {each.key for each in self.missing if each.type == "ReferralReceived"}
        return [each for each in self.missing if each.type == "ReferralReceived" or each.key not in lost]

    def document(self) -> dict[str, Any]:
        kinds = Counter(each.type for each in self.owed)
        return {
            "service": self.service,
            "said_before": self.said_before,
            "missing": len(self.owed),
            "kinds": {kind: {"missing": n, "then": DO.get(kind)} for kind, n in kinds.items()},
            "records": [each.document() for each in self.owed],
        }


async def compare(site: Site, service: Service) -> Compared:
    """The first time it reads the log, before the service starts; later it tells what is still missing.

    Raises DeployError where the database was not restored, or Kafka does not answer.
    """
    async with connected(site.roles(service).owner) as conn:
        if not await restored.was_restored(conn):
            raise DeployError(f"The database of {service} was not restored: there is nothing to compare.")
        if await restored.is_to_be_compared(conn):
            heard = await asyncio.to_thread(_heard, site, service, await restored.since(conn))
            await restored.compare(conn, heard, datetime.now(UTC))
        missing = [Missing.of(row) for row in await restored.missing(conn)]
        return Compared(service, await restored.number(conn), missing)


async def let_go(site: Site, missing: Sequence[Missing]) -> None:
    """Places held for lost referrals come free, and lost keys open nothing. Nothing more is owed for either."""
    acts = {each.key: done for each in missing if (done := each.let_go())}
    await site.act("referrals", *acts.values())
    async with connected(site.roles("referrals").owner) as conn:
        await restored.settled(conn, [each.id for each in missing if each.key in acts])


async def release_contact(site: Site, by: str, reason: str) -> None:
    await site.act("referrals", ReleaseContact(by=by, reason=reason))


def _heard(site: Site, service: Service, since: datetime | None) -> list[Heard]:
    topics = topics_written(service)
    if told_partners(service):
        topics += [outbox(partner) for partner in partners_of(site.admin())]
    try:
        return [heard for topic in topics for heard in _of_topic(Log(site.kafka), topic, service, since)]
    except KafkaException as error:
        raise DeployError(f"Kafka does not answer ({error.args[0].str()}). See: furthest status") from error


def _of_topic(log: Log, topic: str, service: Service, since: datetime | None) -> Iterator[Heard]:
    for record in log.read(topic, since):
        headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers() or ()}
        if headers.get("ce_source") == f"/furthest/{service}" and record.value() is not None:
            yield Heard(
                headers["ce_id"],
                topic,
                (record.key() or b"").decode(),
                headers["ce_type"],
                int(headers["ce_sequence"]),
                headers["ce_causationid"],
                datetime.fromisoformat(headers["ce_time"]),
                record.value(),
            )
