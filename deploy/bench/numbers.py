"""The numbers: facts into the tables of reporting, and its page over everything that is stored."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx2

from chassis import kafka
from chassis.consume import Consumer
from chassis.decode import Decoder
from chassis.envelope import Event
from chassis.facts import Said
from chassis.migrations import migrate
from chassis.postgres import connect_pool, connected
from chassis.work import Worker
from contracts.referrals import ReferralReceived
from deploy.bench.city import City
from deploy.bench.ground import IN, SEALER, Ground, Watch, unplugged
from deploy.bench.hop import Heard, fail, until
from services.reporting.handlers.publishing import PublishMetrics

SCHEMA: Final = "numbers"
PAGES: Final = 100
PUBLISHED: Final = "select exists (select from edition where not is_final)"
PUBLISHED_WITHIN: Final = 1800.0
"""Months of half a year are closed first, one after another."""


async def projection(ground: Ground, records: int) -> float:
    """The whole of a consumer of reporting: a referral is a row, and so is each of its two needs."""
    watch, finished = Watch(records), asyncio.Event()
    await _make_tables(ground)
    service, heard = unplugged("reporting"), Heard()
    handle = service.handlers_by_type[ReferralReceived.spec.type]

    async def handler(events: Sequence[Event[Any]], store: Any, at: datetime) -> Sequence[Said]:
        heard.heard += len(events)
        return await handle(events, store, at)

    def committed() -> None:
        if heard.heard and watch.step(heard.take()):
            finished.set()

    app = ground.roles.app.model_copy(update={"search_path": SCHEMA})
    async with await connect_pool(app) as pool:
        decoder = Decoder({ReferralReceived.spec.type: ReferralReceived}, SEALER)
        handlers = {ReferralReceived.spec.type: handler}
        worker = Worker("reporting", pool, handlers, service.store, SEALER, lambda: datetime.now(UTC), committed)
        consumer = Consumer(worker, ground.fresh("numbers"), decoder, [IN], stop=fail)
        broker = kafka.broker(ground.kafka, "bench")
        consumer.subscribe(broker)
        await until(broker, finished)
    return watch.per_second


async def _make_tables(ground: Ground) -> None:
    """Anew for each round, in a schema of their own."""
    owner = ground.roles.owner
    async with connected(owner) as conn:
        await conn.execute(f"drop schema if exists {SCHEMA} cascade")
        await conn.execute(f"create schema {SCHEMA}")
        await conn.execute(f"grant usage on schema {SCHEMA} to {ground.roles.app.user}")
    inside = owner.model_copy(update={"search_path": SCHEMA})
    await migrate(inside, ground.roles.app.user, ["chassis", "services.reporting"])


async def page(city: City) -> dict[str, Any]:
    """How long it takes to publish all that is stored, and how long a reader waits for the page."""
    began = time.perf_counter()
    await city.stack.site.act("reporting", PublishMetrics())
    async with city.stack.site.connected("reporting") as conn, asyncio.timeout(PUBLISHED_WITHIN):
        while not await conn.fetchval(PUBLISHED):  # noqa: ASYNC110 - another process publishes
            await asyncio.sleep(1)
    published = time.perf_counter() - began
    waits: list[float] = []
    async with httpx2.AsyncClient(base_url=city.addresses["services"]["reporting"]["http"], timeout=30) as client:
        for _ in range(PAGES):
            began = time.perf_counter()
            answer = await client.get("/")
            waits.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
    return {"page_ms": waits, "publish_s": published}
