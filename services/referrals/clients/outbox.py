"""A partner's outbox, read from Kafka for a partner that has none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from chassis.envelope import Record, read, record_time
from chassis.logs import logger
from chassis.records import read_after
from chassis.settings import KafkaSettings
from contracts.message import MESSAGES
from contracts.topics import OUTBOX, outbox

log = logger("outbox")


class OutboxMessage(BaseModel):
    """One message to a partner. `type` is its short name; `time` is when Kafka took it."""

    offset: int
    id: str
    type: str
    time: datetime
    data: dict[str, Any]


class OutboxPage(BaseModel):
    """Messages in their order. Ask again after `next`; it is -1 while there was none."""

    messages: list[OutboxMessage]
    next: int


@dataclass(frozen=True, slots=True)
class Outbox:
    kafka: KafkaSettings

    async def page(self, partner: str, after: int, limit: int) -> OutboxPage:
        """Raises BeyondTheEnd."""
        page = await read_after(self.kafka, "referrals-outbox", outbox(partner), after, limit)
        return OutboxPage(messages=list(_known(page.records)), next=page.last)


def _known(records: Sequence[Record]) -> Iterator[OutboxMessage]:
    for record in records:
        try:
            envelope = read(record)
            model = MESSAGES.get(envelope.type)
            if model is None or model.spec.topic != OUTBOX:
                continue
            data = model.model_validate_json(envelope.data, extra="ignore").model_dump(mode="json")
        except (ValueError, ValidationError):
            log.warning("outbox_unreadable", topic=record.topic, offset=record.offset)
            continue
        yield OutboxMessage(
            offset=record.offset, id=envelope.id, type=model.spec.name, time=record_time(record), data=data
        )
