"""From a record to an event: what cannot be read is answered where its sender listens, or becomes a dead letter."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from chassis.dead_letters import DeadLetter, unreadable
from chassis.envelope import Envelope, Event, Record, read, record_time
from chassis.errors import Refused, Stopped, field_errors, refuse
from chassis.facts import Fact, refusal
from chassis.ids import uuid7
from chassis.logs import logger, rule_of
from chassis.sealing import Sealer
from contracts.message import MESSAGES, Message
from contracts.topics import partner_of

log = logger("decode")

SUBMISSION_ID = refuse(
    "id",
    "id-form",
    "The id of a message is 1 to 64 letters, digits, dots, dashes, colons or underscores.",
    "Use a UUID, or a number of your own system; never a name.",
)

_CANONICAL: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

Prepare = Callable[[Message], Message]
"""Opens and checks one partner's message outside the transaction. Raises Refused."""


def is_submission_id(text: str) -> bool:
    return 0 < len(text) <= 64 and all(c.isascii() and (c.isalnum() or c in "._:-") for c in text)


def partner_event(
    partner: str, submission_id: str, data: Message, type_: str, time: Any, record: Record | None = None
) -> Event[Message]:
    """A partner's message as an event. Its correlation is ours, so that no text of the partner travels on."""
    source = f"/partners/{partner}"
    correlation = str(uuid7(time, source, submission_id))
    return Event(submission_id, source, type_, time, data.key(), source, data, correlation, partner, record)


@dataclass(frozen=True, slots=True)
class Decoder:
    """Reads the records of one consumer.

    `models` are what it handles, by each CloudEvents type in which that may arrive: an old version is read as the
    newest. `answers_unknown` marks the one service that
    refuses what no service knows; the others pass over it.
    """

    models: Mapping[str, type[Message]]
    sealer: Sealer
    prepare: Mapping[str, Prepare] = field(default_factory=dict)
    answers_unknown: bool = False

    def decode(self, record: Record) -> Event[Any] | Fact | DeadLetter | None:
        """An event; the answer to a partner whose message is wrong; a dead letter; or none of our business.

        A record on which our own code fails is a dead letter too: it must not hold up those behind it. Raises Stopped
        for a fact of a version that a later release says.
        """
        try:
            return self._decode(record)
        except Stopped:
            raise
        except Exception as error:
            log.error("decode_failed", topic=record.topic, offset=record.offset, exc_info=error)
            return self._letter(record, None, rule_of(error), "(message)")

    def _decode(self, record: Record) -> Event[Any] | Fact | DeadLetter | None:
        partner = partner_of(record.topic)
        try:
            envelope = read(record)
        except ValueError as rule:
            return self._bad_envelope(record, partner, str(rule))
        model = self.models.get(envelope.type)
        if model is None and not partner:
            self._pass_over(envelope)
            return None
        if model is None:
            return self._unknown(record, partner, envelope) if self.answers_unknown and partner else None
        if partner:
            return self._submission(record, partner, envelope, model)
        return self._fact(record, envelope, model)

    def _pass_over(self, envelope: Envelope) -> None:
        """Raises Stopped where a fact is none of our business only because we cannot read it yet."""
        if f"{envelope.type.rpartition('.v')[0]}.v1" in self.models:
            raise Stopped(f"{envelope.type} is newer than this release: deploy one that reads it, and it goes on")

    def _fact(self, record: Record, envelope: Envelope, model: type[Message]) -> Event[Any] | DeadLetter:
        try:
            data = model.read(envelope.type, envelope.data, extra="ignore")
            event_id = envelope.id if _CANONICAL(envelope.id) else str(UUID(envelope.id))
        except ValidationError as error:
            first = field_errors(error)[0]
            return self._letter(record, envelope, first.rule, first.field)
        except ValueError:
            return self._letter(record, envelope, "id-is-no-uuid", "id")
        key = (record.key or b"").decode(errors="replace")
        return Event(
            event_id,
            envelope.source,
            envelope.type,
            record_time(record),
            key,
            key,
            data,
            envelope.correlation,
            None,
            record,
        )

    def _submission(self, record: Record, partner: str, envelope: Envelope, model: type[Message]) -> Event[Any] | Fact:
        if not is_submission_id(envelope.id):
            return _refused_unread(record, partner, SUBMISSION_ID)
        try:
            data = model.read(envelope.type, envelope.data, extra="forbid")
            prepare = self.prepare.get(model.spec.type)
            data = prepare(data) if prepare else data
        except ValidationError as error:
            return _refused_unread(record, partner, *field_errors(error), submission_id=envelope.id)
        except Refused as error:
            return _refused_unread(record, partner, *error.errors, submission_id=envelope.id)
        return partner_event(partner, envelope.id, data, envelope.type, record_time(record), record)

    def _bad_envelope(self, record: Record, partner: str | None, rule: str) -> Fact | DeadLetter | None:
        if partner and not self.answers_unknown:
            return None
        if not partner:
            return self._letter(record, None, rule, "headers")
        mend = "Send a CloudEvent: headers ce_specversion 1.0, ce_id, ce_source and ce_type, in UTF-8; data as JSON."
        return _refused_unread(record, partner, refuse("headers", rule, "The record is no CloudEvent.", mend))

    def _unknown(self, record: Record, partner: str, envelope: Envelope) -> Fact | None:
        known = MESSAGES.get(envelope.type)
        if known is not None and known.spec.consumers and known.spec.topic.startswith("partners."):
            return None
        mend = "Use a type from the list of messages for partners."
        error = refuse("type", "unknown-type", "There is no message of this type.", mend)
        named = envelope.id if is_submission_id(envelope.id) else None
        return _refused_unread(record, partner, error, submission_id=named)

    def _letter(self, record: Record, envelope: Envelope | None, rule: str, name: str) -> DeadLetter:
        known = envelope.type if envelope and envelope.type in MESSAGES else None
        return unreadable(self.sealer, record, known, rule, name)


def _refused_unread(record: Record, partner: str, *errors: Any, submission_id: str | None = None) -> Fact:
    """The answer to a message of which not more than its place and perhaps its id is known."""
    source = f"/partners/{partner}"
    time = record_time(record)
    place = f"{record.topic}/{record.partition}/{record.offset}"
    correlation = str(uuid7(time, source, place))
    cause: Event[Any] = Event(
        submission_id or "", source, "", time, place, source, Message.model_construct(), correlation, partner, record
    )
    return refusal(cause, *errors)
