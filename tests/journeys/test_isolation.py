"""No partner reaches what is another's, and no service more than its own: tried with real clients."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from confluent_kafka import KafkaError
from pydantic import SecretStr

from chassis.kafka import client_options
from chassis.settings import KafkaSettings
from contracts.message import SERVICES
from deploy.demo.doors import kafka_settings
from deploy.kafka.admin import _bindings
from deploy.keys import read
from deploy.provision import own_access, partner_access, partner_user, service_access
from tests.deployment import Deployment
from tests.journeys.partners import headers, producer, refused_reading


async def test_a_partner_cannot_write_to_another_partners_inbox_nor_to_a_fact_topic(deployment: Deployment) -> None:
    mine, other = deployment.partners["gp-armley"], deployment.partners["food-bank"]
    for topic in (other["inbox"], other["outbox"], mine["outbox"], "referrals", "access"):
        writer = producer(mine, request_timeout_ms=3000)
        try:
            await writer.start()
            with pytest.raises(TopicAuthorizationFailedError):
                await writer.send_and_wait(topic, b"{}", headers=headers("x"))
        finally:
            await writer.stop()


@pytest.mark.parametrize("topic", ["partners.food-bank.outbox", "partners.food-bank.inbox", "referrals", "access"])
def test_a_partner_cannot_read_what_is_not_its_outbox(deployment: Deployment, topic: str) -> None:
    mine = deployment.partners["gp-armley"]
    assert refused_reading(mine, topic, "partners.gp-armley.spy") == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("group", ["referrals", "partners.food-bank.reader"])
def test_a_partner_cannot_use_a_group_that_is_not_its_own(deployment: Deployment, group: str) -> None:
    mine = deployment.partners["gp-armley"]
    assert refused_reading(mine, mine["outbox"], group) == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_every_user_may_do_in_kafka_what_the_catalogue_says_and_nothing_else(deployment: Deployment) -> None:
    partners, admin = deployment.stack.addresses()["partners"], deployment.stack.site.admin()
    for service in SERVICES:
        said = [*service_access(service), *(a for p in partners for a in partner_access(service, p))]
        assert admin.rights(service) == {b for access in said for b in _bindings(service, access)}
    for partner in partners:
        user = partner_user(partner)
        said = own_access(partner)
        assert admin.rights(user) == {b for access in said for b in _bindings(user, access)}


async def test_a_wrong_password_is_refused(deployment: Deployment) -> None:
    mine = kafka_settings(deployment.partners["gp-armley"]).model_copy(update={"password": SecretStr("wrong")})
    writer = AIOKafkaProducer(**client_options(mine, "spy"))
    try:
        with pytest.raises(KafkaConnectionError):
            await writer.start()
    finally:
        await writer.stop()


@pytest.mark.parametrize(
    ("service", "topic"), [("grants", "referrals"), ("reporting", "access"), ("notifications", "matching")]
)
async def test_a_service_cannot_write_to_what_is_not_its_topic(
    deployment: Deployment, service: str, topic: str
) -> None:
    own = KafkaSettings(
        bootstrap=deployment.addresses["kafka"],
        user=service,
        password=SecretStr(read(deployment.stack.secrets, service, "kafka_password")),
    )
    writer = AIOKafkaProducer(**client_options(own, "spy"), request_timeout_ms=3000)
    try:
        await writer.start()
        with pytest.raises(TopicAuthorizationFailedError):
            await writer.send_and_wait(topic, b"{}")
    finally:
        await writer.stop()
