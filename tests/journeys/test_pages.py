"""What every service shows: health, metrics, and its API, which is read with no internet."""

import re

import pytest

from contracts.asyncapi import document
from contracts.message import MESSAGES, SERVICES
from tests.deployment import Deployment


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_tells_its_health_and_documents_itself_offline(deployment: Deployment, service: str) -> None:
    async with deployment.client(service) as client:
        assert (await client.get("/health")).json() == {"status": "ok"}
        assert (await client.get("/ready")).json()["service"] == service
        assert "furthest_outbox_unsent_rows" in (await client.get("/metrics")).text
        docs = (await client.get("/docs")).text
        assets = re.findall(r'(?:src|href)="([^"]+)"', docs)
        assert assets, "the page has a script and a style"
        for asset in assets:
            assert not asset.startswith(("http", "//")), "nothing is asked of the internet"
            assert (await client.get(asset)).status_code == 200


async def test_every_message_is_shown_in_every_deployment(deployment: Deployment) -> None:
    async with deployment.client("referrals") as client:
        page = await client.get("/messages")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        assert all(f'id="{kind}"' in page.text for kind in MESSAGES)
        assert (await client.get("/asyncapi.json")).json() == document()


async def test_a_key_of_a_partner_opens_no_door_of_staff(deployment: Deployment) -> None:
    partner = deployment.partners["food-bank"]["api_key"]
    for service, path in (("matching", "/v1/queue"), ("reporting", "/v1/counts"), ("notifications", "/v1/call-tasks")):
        for key, status in ((partner, 403), (deployment.staff_key, 200)):
            async with deployment.client(service, key) as client:
                assert (await client.get(path)).status_code == status, path
