"""Credentials come and go: two at a time, and none of those revoked opens a door."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.errors import KafkaError

from tests.deployment import Deployment
from tests.journeys.partners import a_body, headers, producer
from tests.support import eventually

PARTNER = "rotating-partner"
REVOKED_WITHIN = 5.0


def furthest(deployment: Deployment, *words: str) -> dict[str, Any]:
    done = deployment.furthest(*words, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def door(deployment: Deployment, credentials: dict[str, Any]) -> Callable[[], Awaitable[int]]:
    async def status() -> int:
        async with deployment.client("referrals", credentials["api_key"]) as http:
            return (await http.get("/v1/outbox")).status_code

    return status


def inbox(credentials: dict[str, Any]) -> Callable[[], Awaitable[bool]]:
    """Whether Kafka takes a record of a partner's."""

    async def takes() -> bool:
        writer = producer(credentials, request_timeout_ms=3000)
        try:
            await writer.start()
            body = json.dumps(a_body(credentials)).encode()
            await writer.send_and_wait(credentials["inbox"], body, headers=headers("rotated-1"))
        except KafkaError:
            return False
        finally:
            await writer.stop()
        return True

    return takes


async def is_let_in(deployment: Deployment, credentials: dict[str, Any]) -> None:
    await eventually(door(deployment, credentials), lambda status: status == 200)
    await eventually(inbox(credentials), bool)


async def is_shut_out(deployment: Deployment, credentials: dict[str, Any]) -> None:
    await eventually(door(deployment, credentials), lambda status: status == 401, within=REVOKED_WITHIN)
    await eventually(inbox(credentials), lambda taken: not taken, within=REVOKED_WITHIN)


def test_what_nobody_can_be_called_is_refused_with_a_sentence(deployment: Deployment) -> None:
    for role, name, why in (
        ("staff", "x" * 101, "principal: String should have at most 100 characters"),
        ("reader", "[/bold]", "'[/bold]' cannot be a reader's id"),
    ):
        done = deployment.furthest("key", "add", "--role", role, "--principal", name)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert why in " ".join(done.stderr.split())


async def test_a_partner_has_two_credentials_while_it_changes_over_and_none_when_suspended(
    deployment: Deployment,
) -> None:
    old = furthest(deployment, "partner", "add", PARTNER)
    new = furthest(deployment, "partner", "rotate", PARTNER)
    for credentials in (old, new):
        await is_let_in(deployment, credentials)
    third = deployment.furthest("partner", "rotate", PARTNER)
    assert third.returncode == 1
    assert f"furthest partner rotate {PARTNER} --finish" in " ".join(third.stderr.split())

    assert furthest(deployment, "partner", "rotate", PARTNER, "--finish") == {
        "id": PARTNER,
        "kafka_users": 1,
        "keys": 1,
    }
    await is_shut_out(deployment, old)
    await is_let_in(deployment, new)

    assert furthest(deployment, "partner", "suspend", PARTNER)["keys"] == 1
    await is_shut_out(deployment, new)
    await is_let_in(deployment, furthest(deployment, "partner", "rotate", PARTNER))


async def test_a_key_of_staff_is_revoked(deployment: Deployment) -> None:
    async def status() -> int:
        async with deployment.client("matching", added["api_key"]) as http:
            return (await http.get("/v1/queue")).status_code

    added = furthest(deployment, "key", "add", "--role", "staff", "--principal", "leaver")
    await eventually(status, lambda seen: seen == 200)
    assert furthest(deployment, "key", "revoke", "--role", "staff", "--principal", "leaver") == {"revoked": 1}
    await eventually(status, lambda seen: seen == 401, within=REVOKED_WITHIN)


def test_who_is_no_partner_has_no_credentials(deployment: Deployment) -> None:
    key = ("key", "add", "--role", "partner", "--principal", "nobody-here")
    for words in (("partner", "rotate", "nobody-here"), ("partner", "suspend", "nobody-here"), key):
        done = deployment.furthest(*words)
        assert done.returncode == 1
        assert "There is no partner nobody-here here." in done.stderr
