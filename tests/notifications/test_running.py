"""The service as it runs: a fact on Kafka becomes a mail, and what was said goes back to Kafka."""

import json
import secrets
from collections.abc import Awaitable, Callable
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from chassis.kafka import client_options
from chassis.postgres import connect_pool
from chassis.service import serving
from chassis.settings import DatabaseSettings
from deploy.embedded.ports import free_port
from deploy.provision import apply_topics
from services.notifications.service import build
from tests.notifications.conftest import a_change, settings_for
from tests.notifications.standins import StandInMailServer, StandInReferrals
from tests.support import NOON, Clock, Servers, eventually, read_topic


async def test_a_fact_on_kafka_becomes_one_mail_and_one_fact(
    servers: Servers,
    new_database: Callable[[str], Awaitable[DatabaseSettings]],
    referrals: StandInReferrals,
    mail: StandInMailServer,
) -> None:
    apply_topics(servers.admin)
    database, kafka = await new_database("notifications"), servers.kafka
    settings = settings_for(
        referrals.port,
        mail.port,
        kafka_bootstrap=kafka.bootstrap,
        kafka_user=kafka.user,
        kafka_password=kafka.password,
        database_host=database.host,
        database_port=database.port,
        database_name=database.name,
        database_user=database.user,
        database_password=database.password,
        http_port=free_port(),
        replica=secrets.token_hex(4),
    )
    change, event_id = a_change("accepted"), uuid4()
    clock = Clock(NOON)

    async def told() -> list[str]:
        records = await read_topic(kafka, "notifications", 6)
        return [json.loads(record.value)["need_id"] for record in records]

    async with (
        await connect_pool(database) as pool,
        serving(build(settings, clock), settings, pool, clock, lambda why: None),
    ):
        attributes = {"specversion": "1.0", "id": str(event_id), "source": "/furthest/referrals"}
        headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
        headers.append(("ce_type", change.spec.type.encode()))
        async with AIOKafkaProducer(**client_options(kafka, "test"), acks="all") as producer:
            for _ in range(2):
                value, key = change.model_dump_json().encode(), change.key().encode()
                await producer.send_and_wait("referrals", value, key=key, headers=headers)
        assert await eventually(told, bool) == [str(change.need_id)]
    assert len(mail.got) == 1
