"""Records that no service can use: what they look like, and who is to keep a dead letter of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from contracts.catalogue import topics_read
from contracts.door import ReferralSubmitted
from contracts.matching import OfferMade
from contracts.message import SERVICES, Message
from contracts.referrals import ReferralReceived

MARK: Final = "x-poison"
MODELS: Final[dict[str, type[Message]]] = {
    "referrals": ReferralReceived,
    "matching": OfferMade,
    "inbox": ReferralSubmitted,
}
UNREADABLE: Final = ("no-event", "bad-header")
"""Those whose type nobody can tell, so that every reader of the topic keeps them."""
KINDS: Final = ("not-json", "wrong-schema", "no-value", "id-is-no-uuid", *UNREADABLE)


@dataclass(frozen=True, slots=True)
class Poison:
    """`id` is none where it cannot be read."""

    id: str | None
    headers: list[tuple[str, bytes]]
    value: bytes | None


def make(kind: str, where: str) -> Poison:
    model = MODELS[where]
    id_ = "not a uuid" if kind == "id-is-no-uuid" else str(uuid4())
    good = model.model_validate(model.example).model_dump_json().encode()
    value = {"not-json": b"{not json", "wrong-schema": b'{"referral_id": 7}', "no-value": None}.get(kind, good)
    fields = {
        "ce_specversion": b"1.0",
        "ce_id": id_.encode(),
        "ce_source": b"/nobody",
        "ce_type": model.spec.type.encode(),
    }
    if kind == "no-event":
        fields = {}
    if kind == "bad-header":
        fields["ce_type"] = b"\xff\xfe"
    readable = kind not in (*UNREADABLE, "id-is-no-uuid")
    return Poison(id_ if readable else None, [*fields.items(), (MARK, kind.encode())], value)


def letters_owed(record: Any) -> Iterator[tuple[str, str, str, str]]:
    """(service, topic, partition, offset) of each dead letter that is to be kept of a record in a topic."""
    topic = record.topic()
    kind = dict(record.headers() or ())[MARK].decode()
    for service in SERVICES:
        if topic in topics_read(service) and (kind in UNREADABLE or service in MODELS[topic].spec.consumers):
            yield service, topic, str(record.partition()), str(record.offset())
