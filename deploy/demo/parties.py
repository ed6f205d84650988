"""The partners of the demo: they know nothing of us but their credentials and our doors."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from chassis.kafka import client_options
from contracts.changes import PersonAnswered
from contracts.door import ReferralWithdrawalRequested
from contracts.message import Message
from contracts.offers import OfferAnswered, SupportReported
from deploy.demo.doors import RETRY_EVERY, Doors, Told, kafka_settings


@dataclass(slots=True)
class Mailbox:
    """Follows a partner's outbox with the partner's own credentials. `read` is how many records it has got."""

    credentials: dict[str, Any]
    received: list[Told] = field(default_factory=list)
    react: Callable[[Told], Awaitable[None]] | None = None
    read: int = 0
    consumer: AIOKafkaConsumer | None = None

    @property
    def partner(self) -> str:
        name: str = self.credentials["id"]
        return name

    async def follow(self) -> None:
        """Until cancelled. Where Kafka fails, it goes on from the record it had got to."""
        while True:
            with contextlib.suppress(KafkaError):
                await self._follow()
            await asyncio.sleep(RETRY_EVERY)

    async def start_over(self) -> None:
        """From the first record, with the credentials as they are now: a consumer asks with those it began with."""
        self.read = 0
        if self.consumer:
            await self.consumer.stop()

    async def _follow(self) -> None:
        options = client_options(kafka_settings(self.credentials), f"{self.partner}-reader")
        self.consumer = consumer = AIOKafkaConsumer(**options)
        try:
            await consumer.start()
            outbox = TopicPartition(self.credentials["outbox"], 0)
            consumer.assign([outbox])
            consumer.seek(outbox, self.read)
            async for record in consumer:
                headers = {name: value.decode() for name, value in record.headers}
                told = Told(self.partner, headers["ce_id"], headers["ce_type"].split(".")[2], json.loads(record.value))
                self.received.append(told)
                if self.react:
                    await self.react(told)
                self.read = record.offset + 1
        finally:
            await consumer.stop()


@dataclass(slots=True)
class Regretter:
    """Takes back some of a partner's referrals as soon as it hears that they are accepted.

    Of others the person says no to the first help that is found.
    """

    doors: Doors
    share: float
    withdrawn: dict[str, str] = field(default_factory=dict)
    """Referrals by the id of the submission that takes them back."""
    said_no: dict[str, str] = field(default_factory=dict)
    """Needs by the id of the submission that says no."""

    async def react(self, told: Told) -> None:
        if told.type == "ReferralAcknowledged" and chance_of(told.data["referral_id"], "withdraw") < self.share:
            await self._withdraw(told.data["referral_id"])
        elif told.type == "ReferralProgressed" and self._says_no(told.data):
            await self._say_no(told.data["need_id"])

    def _says_no(self, progress: dict[str, Any]) -> bool:
        return progress["status"] == "offered" and chance_of(progress["need_id"], "no") < self.share

    async def _say_no(self, need: str) -> None:
        if f"n-{need}" in self.said_no:
            return
        self.said_no[f"n-{need}"] = need
        message = PersonAnswered(need_id=UUID(need), answer="no")
        if chance_of(need, "door") < 0.5:
            await self.doors.kafka.send(type(message), f"n-{need}", message.model_dump_json().encode())
        else:
            await self.doors.http.tell("POST", "referrals", f"/v1/needs/{need}/answer", f"n-{need}", message, "need_id")

    async def _withdraw(self, referral: str) -> None:
        if f"w-{referral}" in self.withdrawn:
            return
        self.withdrawn[f"w-{referral}"] = referral
        message = ReferralWithdrawalRequested(referral_id=UUID(referral), reason="no-longer-needed")
        if chance_of(referral, "door") < 0.5:
            await self.doors.kafka.send(type(message), f"w-{referral}", message.model_dump_json().encode())
        else:
            path = f"/v1/referrals/{referral}/withdrawal"
            await self.doors.http.tell("POST", "referrals", path, f"w-{referral}", message, "referral_id")


@dataclass(slots=True)
class Provider:
    """Answers what it is offered: most are accepted, some declined, some left lying; help starts and often ends.

    `by_http` is the share of the answers that go by HTTP. `answered` holds the ids of all that it sent.
    """

    doors: Doors
    by_http: float = 0.0
    answered: set[str] = field(default_factory=set)
    needs: dict[str, str] = field(default_factory=dict)

    async def react(self, told: Told) -> None:
        if told.type == "OfferProposed":
            self.needs[told.data["offer_id"]] = told.data["need_id"]
            await self._answer(told.data["offer_id"])
        elif told.type == "OfferClosed" and told.data["reason"] == "accepted":
            await self._help(told.data["offer_id"])

    async def _answer(self, offer_id: str) -> None:
        chance = chance_of(offer_id)
        if chance < 0.7:
            await self._send(OfferAnswered.model_validate({"offer_id": offer_id, "answer": "accept"}), f"a-{offer_id}")
        elif chance < 0.82:
            body = {"offer_id": offer_id, "answer": "decline", "reason": "no-capacity"}
            await self._send(OfferAnswered.model_validate(body), f"a-{offer_id}")

    async def _help(self, offer_id: str) -> None:
        need, chance = self.needs[offer_id], chance_of(offer_id, "help")
        if chance < 0.8:
            await self._send(SupportReported.model_validate({"need_id": need, "state": "started"}), f"s-{offer_id}")
        if chance < 0.5:
            body = {"need_id": need, "state": "ended", "outcome": "helped"}
            await self._send(SupportReported.model_validate(body), f"e-{offer_id}")

    async def _send(self, message: Message, submission_id: str) -> None:
        if submission_id in self.answered:
            return
        self.answered.add(submission_id)
        if isinstance(message, OfferAnswered) and chance_of(submission_id, "door") < self.by_http:
            path = f"/v1/offers/{message.offer_id}/answer"
            await self.doors.http.tell("POST", "matching", path, submission_id, message, "offer_id")
        else:
            await self.doors.kafka.send(type(message), submission_id, message.model_dump_json().encode())


def chance_of(*seed: str) -> float:
    """From 0 to 1, the same for the same words."""
    return int.from_bytes(sha256("/".join(seed).encode()).digest()[:4], "big") / 2**32
