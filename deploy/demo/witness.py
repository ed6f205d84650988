"""What was seen from outside: what partners sent and were told, the log, the mails, and every database.

Topics are read once from end to end, and only what the rules look at is kept.
"""

import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import asyncpg

from chassis.decode import is_submission_id
from contracts.catalogue import TOPICS, consumed_by
from contracts.message import Service
from contracts.topics import inbox, outbox
from deploy.demo.doors import Told
from deploy.demo.parties import Provider
from deploy.demo.plan import Submission
from deploy.kafka.log import Log

TO_APPLICANTS: Final = frozenset(
    model.spec.name for model in consumed_by("notifications").values() if model.spec.owner == "grants"
)
"""Facts of grants that an applicant is told of."""
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "ReferralReceived": ("referral_id",),
    "ReferralWithdrawn": ("referral_id",),
    "NeedStatusChanged": ("need_id", "status", "reason", "at", "previous"),
    "NeedWaiting": ("need_id",),
    "GapRecorded": ("need_id",),
    "OfferMade": ("need_id", "offer_id"),
    "OfferAccepted": ("need_id", "offer_id"),
    "OfferDeclined": ("need_id", "offer_id"),
    "OfferExpired": ("need_id", "offer_id"),
    "NeedAnswered": ("need_id",),
    "SupportStarted": ("need_id",),
    "SupportEnded": ("need_id",),
    "CallRequested": ("task_id", "channel"),
    "CallCompleted": ("task_id",),
    "AnswerTaken": ("need_id", "task_id"),
    "NotificationDelivered": ("need_id", "status", "about"),
    **dict.fromkeys(TO_APPLICANTS, ("application_id",)),
}
"""The facts that rules look at, and their fields."""
MOVES: Final = frozenset(FIELDS) - {
    *TO_APPLICANTS,
    "NeedAnswered",
    "ReferralReceived",
    "ReferralWithdrawn",
    "NeedStatusChanged",
    "CallRequested",
    "CallCompleted",
    "AnswerTaken",
    "NotificationDelivered",
}
"""Facts of matching that move a need in referrals."""


@dataclass(slots=True)
class Versions:
    """The versions of one key on one topic, as they stand in the log, repeated ids left out."""

    number: int = 0
    last: int = 0
    back: int = 0

    def add(self, version: int) -> None:
        self.number += 1
        self.back += version <= self.last
        self.last = max(self.last, version)


@dataclass(slots=True)
class Said:
    """What services said, each id once: a relay may say twice, with one id."""

    ids: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    """Of each topic the ids with their types."""
    facts: dict[str, list[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(list))
    of_need: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    versions: dict[tuple[str, str, str], Versions] = field(default_factory=lambda: defaultdict(Versions))
    foreign: list[Any] = field(default_factory=list)
    """Records that no service wrote."""

    def take(self, record: Any) -> None:
        headers = {name: value or b"" for name, value in record.headers() or ()}
        source, id_ = headers.get("ce_source", b""), headers.get("ce_id", b"").decode(errors="replace")
        topic = record.topic()
        if not source.startswith(b"/furthest/"):
            self.foreign.append(record)
        if not source.startswith(b"/furthest/") or id_ in self.ids[topic]:
            return
        key = (topic, source.decode().rpartition("/")[2], (record.key() or b"").decode())
        self.versions[key].add(int(headers["ce_sequence"]))
        self.ids[topic][id_] = headers["ce_type"].decode()
        kind = self.ids[topic][id_].split(".")[2]
        if kind in FIELDS and not topic.startswith("partners."):
            self._keep(kind, json.loads(record.value()))

    def _keep(self, kind: str, data: dict[str, Any]) -> None:
        self.facts[kind].append(tuple(data[name] for name in FIELDS[kind]))
        if kind in MOVES:
            self.of_need[data["need_id"]].append(kind)

    def all(self, kind: str, name: str) -> list[str]:
        """One field of every fact of a kind."""
        nth = FIELDS[kind].index(name)
        return [fact[nth] for fact in self.facts[kind]]


@dataclass(slots=True)
class Evidence:
    """`sent` counts what partners sent, by submission id; one that could not be read counts as none.

    `provider` is what the provider did, `withdrawn` are the referrals that were taken back, and `said_no` the needs of
    which the person said no to what was found, by submission id.
    """

    submissions: Sequence[Submission]
    told: Sequence[Told]
    sent: Counter[str | None]
    said: Said
    mails: Path
    databases: Mapping[Service, str]
    provider: Provider
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    said_no: Mapping[str, str] = field(default_factory=dict)

    @asynccontextmanager
    async def connected(self, service: Service) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        conn = await asyncpg.connect(self.databases[service])
        try:
            yield conn
        finally:
            await conn.close()

    async def rows(self, service: Service, sql: str, *args: Any) -> list[tuple[Any, ...]]:
        """Every value as text, or none."""
        async with self.connected(service) as conn:
            rows = await conn.fetch(sql, *args)
        return [tuple(None if value is None else str(value) for value in row) for row in rows]

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """What partners were told, each id once for Kafka; over HTTP each answer counts."""
        return [each.data for each in self.told if each.type == kind]

    @property
    def refused(self) -> Counter[str | None]:
        return Counter(answer["submission_id"] for answer in self.messages("MessageRefused"))


def said_in(log: Log, partners: Iterable[str]) -> Said:
    """Reads every topic that services write, partners' outboxes too."""
    said = Said()
    for topic in (*(topic.name for topic in TOPICS), *map(outbox, partners)):
        for record in log.read(topic):
            said.take(record)
    return said


def sent_to(log: Log, partners: Iterable[str]) -> Counter[str | None]:
    """How often each submission id stands in the partners' inboxes. An acknowledgement that is lost makes one more."""
    return Counter(_submission_id(record) for partner in partners for record in log.read(inbox(partner)))


def _submission_id(record: Any) -> str | None:
    try:
        named = {name: (value or b"").decode() for name, value in record.headers() or ()}
    except UnicodeDecodeError:
        return None
    is_event = named.get("ce_specversion") and named.get("ce_type") and is_submission_id(named.get("ce_id", ""))
    return named["ce_id"] if is_event else None
