from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from pydantic import SecretStr

from chassis.access import Access
from chassis.dead_letters import KeptRecord
from chassis.envelope import header_text, headers_of
from chassis.settings import KafkaSettings
from contracts.access import KeyAdded, KeyRevoked
from contracts.topics import ACCESS

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def record(said: KeyAdded | KeyRevoked) -> KeptRecord:
    headers = header_text(str(uuid4()), "/furthest/referrals", said.spec.type, NOW.isoformat(), 1, "c", "c")
    value = said.model_dump_json().encode()
    return KeptRecord(ACCESS, 0, 0, 0, said.key().encode(), value, tuple(headers_of(headers)))


def an_access() -> Access:
    return Access(KafkaSettings(bootstrap="", user="", password=SecretStr("")), "toy", lambda: NOW)


def a_key(lives: timedelta) -> KeyAdded:
    digest = sha256(b"a key").hexdigest()
    return KeyAdded(key_id=uuid4(), sha256=digest, role="staff", principal="anna", expires_at=NOW + lives)


def test_a_revoked_key_opens_nothing_while_all_keys_are_read_again() -> None:
    access, added = an_access(), a_key(timedelta(days=1))
    access.take(record(added))
    assert access.caller("a key")
    access.take(record(KeyRevoked(key_id=added.key_id)))
    assert access.caller("a key") is None
    access.take(record(added))
    assert access.caller("a key") is None


def test_a_key_that_has_expired_is_not_held_in_memory() -> None:
    access = an_access()
    access.take(record(a_key(timedelta())))
    assert not access.keys
