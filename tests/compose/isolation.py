"""What nobody may do from outside, tried with real clients: each raises AssertionError where it can be done."""

import socket
import ssl
import time
from typing import Any

import httpx2
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from confluent_kafka import KafkaError as Code
from pydantic import SecretStr

from chassis.kafka import client_options
from chassis.settings import KafkaSettings
from deploy.demo.doors import kafka_settings
from tests.compose.deployment import PORTS, Composed
from tests.journeys.partners import headers, producer, refused_reading
from tests.support import eventually

Credentials = dict[str, Any]
HIDDEN = ("/metrics", "//metrics", "/ready", "/v1/queue", "/v1/contacts", "/internal/v1/contacts", "/openapi.json")
REVOKED_WITHIN = 5.0
SUSPENDED = "to-be-suspended"


def trusting(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca)


async def of_others(mine: Credentials, other: Credentials) -> None:
    """A partner's topics and groups are its own."""
    for topic in (other["inbox"], other["outbox"], mine["outbox"], "referrals", "access"):
        assert await refused_writing(mine, topic), f"{mine['id']} wrote to {topic}"
    for topic in (other["outbox"], other["inbox"], "referrals", "access"):
        code = refused_reading(mine, topic, f"{mine['group_prefix']}spy")
        assert code == Code.TOPIC_AUTHORIZATION_FAILED, f"{mine['id']} reads {topic}: {code}"
    for group in ("referrals", f"{other['group_prefix']}reader"):
        code = refused_reading(mine, mine["outbox"], group)
        assert code == Code.GROUP_AUTHORIZATION_FAILED, f"{mine['id']} uses the group {group}: {code}"


async def refused_writing(credentials: Credentials, topic: str) -> bool:
    writer = producer(credentials, request_timeout_ms=5000)
    try:
        await writer.start()
        await writer.send_and_wait(topic, b"{}", headers=headers("x"))
    except TopicAuthorizationFailedError:
        return True
    finally:
        await writer.stop()
    return False


async def without_proof(mine: Credentials, other_ca: str) -> None:
    """No TLS, another authority's certificate, or a wrong password: no connection."""
    good = kafka_settings(mine)
    for change in ({"tls_ca": None}, {"tls_ca": other_ca}, {"password": SecretStr("wrong")}, {"user": "referrals"}):
        assert not await connects(good.model_copy(update=change)), f"connected with another {', '.join(change)}"
    assert await connects(good), "the right credentials do not connect"


async def connects(settings: KafkaSettings) -> bool:
    writer = AIOKafkaProducer(**client_options(settings, "spy"), request_timeout_ms=5000)
    try:
        await writer.start()
    except (KafkaError, ssl.SSLError, OSError):
        return False
    finally:
        await writer.stop()
    return True


async def hidden(deployment: Composed, http: httpx2.AsyncClient, staff: str) -> None:
    """What is for operations and for other services is not outside, whoever asks, and only the ports meant for it."""
    for path in HIDDEN:
        for key in ({}, {"Authorization": f"Bearer {staff}"}):
            answer = await http.get(f"{deployment.edge}{path}", headers=key)
            assert answer.status_code == 404, f"{path} answers {answer.status_code}"
    page = await http.get(deployment.edge)
    assert page.status_code == 200
    assert page.headers["strict-transport-security"], "no Strict-Transport-Security"
    assert page.headers["content-security-policy"], "no Content-Security-Policy"
    too_long = await http.post(f"{deployment.edge}/v1/referrals", content=b"x" * 300_000)
    assert too_long.status_code == 413
    assert deployment.published() == {int(deployment.environment[name]) for name in PORTS}


def speaks_only_new_tls(deployment: Composed) -> None:
    context = ssl.create_default_context(cadata=deployment.ca)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    port = int(deployment.environment["FURTHEST_HTTPS_PORT"])
    with socket.create_connection(("localhost", port), 5) as plain:
        try:
            context.wrap_socket(plain, server_hostname="localhost").close()
        except (ssl.SSLError, ConnectionError):
            return
    raise AssertionError("an old TLS is spoken")


async def revoked(deployment: Composed, http: httpx2.AsyncClient) -> float:
    """A partner that is suspended is out within 5 seconds, by both doors; how long it took."""
    partner = deployment.furthest("partner", "add", SUSPENDED)
    key = {"Authorization": f"Bearer {partner['api_key']}"}

    async def status() -> int:
        return (await http.get(f"{deployment.edge}/v1/outbox", headers=key)).status_code

    async def takes() -> bool:
        return await writes_to_its_own(partner)

    await eventually(status, lambda seen: seen == 200)
    await eventually(takes, bool)
    deployment.furthest("partner", "suspend", SUSPENDED)
    began = time.monotonic()
    await eventually(status, lambda seen: seen == 401, within=REVOKED_WITHIN)
    await eventually(takes, lambda taken: not taken, within=REVOKED_WITHIN)
    return time.monotonic() - began


async def writes_to_its_own(credentials: Credentials) -> bool:
    writer = producer(credentials, request_timeout_ms=5000)
    try:
        await writer.start()
        await writer.send_and_wait(credentials["inbox"], b"{}", headers=headers("suspended-1"))
    except KafkaError:
        return False
    finally:
        await writer.stop()
    return True
