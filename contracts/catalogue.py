"""The catalogue: every message and topic, and who may write and read it. Access control is derived from it."""

from dataclasses import dataclass, field

from contracts import (
    access,
    changes,
    contacting,
    door,
    grants,
    matching,
    notifications,
    offers,
    people,
    referrals,
    refusal,
    reporting,
    stock,
)
from contracts.message import MESSAGES, Message, Service
from contracts.topics import ACCESS, ERASURES, INBOX, MAX_FACT_BYTES, MAX_RECORD_BYTES, OUTBOX, inbox, outbox

DAY_MS = 24 * 60 * 60 * 1000
DECLARED_IN = (
    access,
    changes,
    contacting,
    door,
    grants,
    matching,
    notifications,
    offers,
    people,
    referrals,
    refusal,
    reporting,
    stock,
)
for _kind in sorted(MESSAGES, key=lambda kind: MESSAGES[kind].__module__):
    MESSAGES[_kind] = MESSAGES.pop(_kind)  # so that the order does not depend on who imported what first


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic. Its partition count is fixed for life."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> str:
        """For how long a record stays, in words."""
        if self.config.get("cleanup.policy") == "compact":
            return "the latest of each key, for ever"
        milliseconds = int(self.config["retention.ms"])
        return "for ever" if milliseconds < 0 else f"{milliseconds // DAY_MS} days"


_FOR_EVER = {"retention.ms": "-1", "max.message.bytes": str(MAX_FACT_BYTES)}
_COMPACTED = {"cleanup.policy": "compact", "retention.ms": "-1"}
_DOOR = {
    "retention.ms": str(7 * DAY_MS),
    "message.timestamp.type": "LogAppendTime",
    "compression.type": "uncompressed",
    "max.message.bytes": str(MAX_RECORD_BYTES),
}

TOPICS: tuple[Topic, ...] = (
    Topic("referrals", 6, _FOR_EVER),
    Topic("matching", 6, _FOR_EVER),
    Topic("notifications", 6, _FOR_EVER),
    Topic("grants", 3, _FOR_EVER),
    Topic("reporting", 1, _COMPACTED),
    Topic(ACCESS, 1, _COMPACTED),
    Topic(ERASURES, 1, _FOR_EVER),
)

READS_INBOXES: tuple[Service, ...] = ("referrals", "matching")
OWNER_OF_UNKNOWN: Service = "referrals"
READS_OUTBOXES: Service = "referrals"
"""Shows partners without Kafka what stands in their outbox."""
PUBLISHED = "reporting"
"""The topic that subscribers from outside read."""
OTHER_READERS: dict[str, str] = {
    ACCESS: "every service, at its doors",
    "matching": "whoever recomputes its decisions",
    PUBLISHED: "everybody who has a key of a reader",
    OUTBOX: "the partner",
}
"""Who reads a topic beside the consumers of its messages."""


def partner_topics(partner: str) -> tuple[Topic, Topic]:
    return Topic(inbox(partner), 1, _DOOR), Topic(outbox(partner), 1, _DOOR)


def newest() -> dict[str, type[Message]]:
    """The messages that are written today, by type. Whoever reads one reads those that it replaces."""
    old = {model.spec.replaces for model in MESSAGES.values()}
    return {kind: model for kind, model in MESSAGES.items() if model not in old}


def consumed_by(service: Service) -> dict[str, type[Message]]:
    return {kind: model for kind, model in newest().items() if service in model.spec.consumers}


def topics_read(service: Service) -> dict[str, int]:
    """The fact topics that a service subscribes to, with their partitions. Inboxes are subscribed to by pattern."""
    read = {model.spec.topic for model in consumed_by(service).values()}
    return {topic.name: topic.partitions for topic in TOPICS if topic.name in read}


def topics_written(service: Service) -> list[str]:
    """The topics a service says facts on, partners' outboxes left out."""
    written = {model.spec.topic for model in MESSAGES.values() if model.spec.owner == service}
    return sorted(written - {INBOX, OUTBOX})


def told_partners(service: Service) -> dict[str, type[Message]]:
    """What a service writes to partners' outboxes. Whoever reads inboxes may refuse what stands there."""
    refused = {refusal.MessageRefused} if service in READS_INBOXES else set()
    return {
        kind: model
        for kind, model in MESSAGES.items()
        if model.spec.topic == OUTBOX and (model.spec.owner == service or model in refused)
    }
