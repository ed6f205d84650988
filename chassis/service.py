"""One process of a service: its consumers, relay, due work, senders and HTTP, started and drained together."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import uvicorn
from aiokafka.record import _crecords
from fastapi import APIRouter
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from pydantic import BaseModel

from chassis import cluster, kafka, restored
from chassis.access import Access
from chassis.consume import Consumer
from chassis.decode import Decoder, Prepare
from chassis.door import Door
from chassis.due import DueWork, Sender, Senders
from chassis.envelope import Event
from chassis.errors import Stopped
from chassis.facts import Handler, Said
from chassis.http import Health, build_app, build_internal_app
from chassis.ids import uuid7
from chassis.logs import configure, logger
from chassis.metrics import DEGRADED
from chassis.postgres import Conn, Database, connect_pool
from chassis.quota import Quota
from chassis.relay import Relay
from chassis.sealing import Sealer
from chassis.settings import Settings
from chassis.tidy import Tidy
from chassis.waiting import unbroken
from chassis.watch import Watch
from chassis.work import Worker
from contracts.message import Message
from contracts.topics import INBOX

log = logger("service")

T = TypeVar("T")

DRAIN_WITHIN = 25.0
LEAVE_WITHIN = 5.0
"""Kafka is told that we go. Where it does not answer, it finds out itself: nothing rests on it."""
COLLECT_EVERY = 200_000
"""A dozen polls of a thousand events make as many objects: by default half of the time of decoding is spent on
looking through them, and through all that was imported, for cycles that are not there."""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Service:
    """What a service is made of. The chassis runs it; what it decides is in the handlers.

    `reads` are topics of facts with their partitions. `handlers` take facts and partners' messages, by their class;
    `due` and `results` take the service's own models: work that fell due, and the results of errands. `senders` make
    the errands of a class.
    """

    name: str
    reads: Mapping[str, int]
    store: Callable[[Conn], Any]
    handlers: Mapping[type[Message], Handler]
    prepare: Mapping[type[Message], Prepare] = field(default_factory=dict)
    due: Mapping[type[BaseModel], Handler] = field(default_factory=dict)
    results: Mapping[type[BaseModel], Handler] = field(default_factory=dict)
    senders: Mapping[type[BaseModel], Sender] = field(default_factory=dict)
    routers: Callable[["Running"], Sequence[APIRouter]] = lambda running: ()
    internal: Callable[["Running"], Sequence[APIRouter]] | None = None
    """Its doors for other services, which have a port of their own."""
    answers_unknown: bool = False
    held: Mapping[str, str] = field(default_factory=dict)
    """By table, the SQL that selects what it keeps of keys ($1, text[]): for those who ask what is known of them."""
    not_from_facts: Collection[str] | None = None
    """Its tables that facts alone do not make, where the log can make all others again; None where it cannot."""

    @property
    def handlers_by_type(self) -> dict[str, Handler]:
        """Messages by their CloudEvents type, the service's own models by the name of their class."""
        messages = {kind: handler for model, handler in self.handlers.items() for kind in model.types()}
        own = {model.__name__: handler for model, handler in {**self.due, **self.results}.items()}
        return messages | own

    def worker(self, database: Database, sealer: Sealer, clock: Callable[[], datetime] = now) -> Worker:
        return Worker(self.name, database, self.handlers_by_type, self.store, sealer, clock)

    @property
    def inbox_models(self) -> dict[str, type[Message]]:
        return {kind: m for m in self.handlers if m.spec.topic == INBOX for kind in m.types()}

    @property
    def fact_models(self) -> dict[str, type[Message]]:
        return {kind: m for m in self.handlers if m.spec.topic != INBOX for kind in m.types()}


@dataclass(frozen=True, slots=True)
class Running:
    """What the routes of a service may use."""

    name: str
    database: Database
    worker: Worker
    door: Door
    clock: Callable[[], datetime]

    async def act(self, done: BaseModel) -> None:
        """Does what somebody asks here that is no message. Raises Refused."""
        await self.worker.request(_act(done, self.clock()))


def decoders(service: Service, sealer: Sealer) -> dict[str, Decoder]:
    """How each of a service's consumers reads, by its name."""
    read: dict[str, Decoder] = {}
    if service.fact_models:
        read[service.name] = Decoder(service.fact_models, sealer)
    if service.inbox_models:
        prepare = {model.spec.type: how for model, how in service.prepare.items()}
        read[f"{service.name}.inbox"] = Decoder(service.inbox_models, sealer, prepare, service.answers_unknown)
    return read


def _consumers(
    service: Service, settings: Settings, worker: Worker, broker: KafkaBroker, stop: Callable[[Stopped], None]
) -> list[Consumer]:
    consumers: list[Consumer] = []
    of_facts, of_inboxes = service.name, f"{service.name}.inbox"
    read = decoders(service, worker.sealer)
    if of_facts in read:
        consumers.append(Consumer(worker, of_facts, read[of_facts], tuple(service.reads), stop=stop))
    if of_inboxes in read:
        quota = Quota(settings.inbox_daily_quota, worker.clock)
        consumers.append(Consumer(worker, of_inboxes, read[of_inboxes], stop=stop, quota=quota))
    for consumer in consumers:
        consumer.subscribe(broker)
    _assert_safe(broker)
    return consumers


def _assert_safe(broker: KafkaBroker) -> None:
    """FastStream's defaults lose messages, and aiokafka's slow parser replaces the fast one in silence."""
    if not hasattr(_crecords, "DefaultRecordBatch"):
        raise Stopped("aiokafka's compiled record parser is missing: install the wheel for this platform")
    for subscriber in broker.subscribers:
        if subscriber.ack_policy is not AckPolicy.NACK_ON_ERROR:
            raise Stopped(f"subscriber {subscriber} does not use NACK_ON_ERROR: it could lose messages")


async def run(service: Service, settings: Settings, clock: Callable[[], datetime] = now) -> None:
    """Runs until SIGTERM or SIGINT, then drains. Raises Stopped where going on would be wrong."""
    configure(service.name)
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    stopping = asyncio.Event()
    causes: list[Stopped] = []

    def stop(why: Stopped | None = None) -> None:
        causes.extend([why] if why else [])
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    async with await connect_pool(settings.database) as database:
        await restored.check(database, service.name)
        async with serving(service, settings, database, clock, stop):
            log.info("started", port=settings.http_port)
            await stopping.wait()
            log.info("stopping", reason=str(causes[0]) if causes else "asked to")
    if causes:
        raise causes[0]


async def act(
    service: Service, settings: Settings, *acts: BaseModel, clock: Callable[[], datetime] = now
) -> list[Said]:
    """Does what staff or operations ask, from outside the service's process: committed here, said by its relay."""
    said: list[Said] = []
    async with await connect_pool(settings.database) as database:
        worker = service.worker(database, Sealer(settings.sealing_key), clock)
        for each in acts:
            said += (await worker.request(_act(each, clock()))).said
    return said


def _act(data: BaseModel, at: datetime) -> Event[Any]:
    identity = str(uuid7(at))
    return Event(identity, "/furthest/acts", type(data).__name__, at, identity, identity, data, identity)


@contextlib.asynccontextmanager
async def serving(
    service: Service,
    settings: Settings,
    database: Database,
    clock: Callable[[], datetime],
    stop: Callable[[Stopped], None],
) -> AsyncIterator[None]:
    relay = Relay(settings.database, settings.kafka, service.name)
    worker = service.worker(database, Sealer(settings.sealing_key), clock)
    worker.wake = relay.wake
    access = Access(settings.kafka, service.name, clock)
    broker = kafka.broker(settings.kafka, f"{service.name}-{settings.replica}")
    consumers = _consumers(service, settings, worker, broker, stop)
    servers = _servers(service, settings, worker, access)
    stopping = asyncio.Event()
    drained = [
        *(server.serve() for server in servers),
        DueWork(worker, _by_name(service.due), clock).run(stopping),
        Senders(worker, _by_name(service.senders), clock, settings.replica, clock()).run(stopping),
        Tidy(database, clock).run(stopping),
    ]
    safe = partial(cluster.check, settings.kafka, f"{service.name}-start", service.reads, database, clock())
    consuming = _consume(broker, safe, Watch(consumers), stopping)
    tasks = [asyncio.create_task(work) for work in (*drained, relay.run(), access.run(), consuming)]
    for task in tasks:
        task.add_done_callback(lambda ended: _ended(ended, stop))
    try:
        yield
    finally:
        stopping.set()
        for server in servers:
            server.should_exit = True
        tasks[-1].cancel()
        await asyncio.wait(tasks[-1:], timeout=DRAIN_WITHIN)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop_consuming(broker, consumers), DRAIN_WITHIN)
        await asyncio.wait(tasks[: len(drained)], timeout=DRAIN_WITHIN)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=LEAVE_WITHIN)


def _servers(service: Service, settings: Settings, worker: Worker, access: Access) -> "list[_Server]":
    prepare = {model.spec.type: how for model, how in service.prepare.items()}
    door = Door(worker, worker.clock, prepare)
    running = Running(service.name, worker.database, worker, door, worker.clock)
    health = Health(service.name, worker.database)
    app = build_app(service.name, access, health, service.routers(running), settings.safeguarding)
    apps = [(app, settings.http_port)]
    if service.internal and settings.internal_port:
        apps.append((build_internal_app(service.internal(running)), settings.internal_port))
    return [
        _Server(uvicorn.Config(app, settings.http_host, port, log_config=None, access_log=False)) for app, port in apps
    ]


def _by_name(models: Mapping[type[BaseModel], T]) -> dict[str, tuple[type[BaseModel], T]]:
    return {model.__name__: (model, what) for model, what in models.items()}


def _ended(task: "asyncio.Task[None]", stop: Callable[[Stopped], None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("part_ended", exc_info=error)
        stop(error if isinstance(error, Stopped) else Stopped(f"a part of the service ended: {type(error).__name__}"))


async def _consume(
    broker: KafkaBroker, safe: Callable[[], Awaitable[None]], watch: Watch, stopping: asyncio.Event
) -> None:
    """Kafka may come up after us: until then we serve what needs only Postgres. Raises Stopped."""
    DEGRADED.labels(part="consuming").set(1)
    while True:
        try:
            await safe()
            await unbroken(broker.start())
            break
        except Stopped:
            raise
        except Exception as error:
            log.warning("kafka_unavailable", exc_info=error)
            await asyncio.sleep(1)
    DEGRADED.labels(part="consuming").set(0)
    await watch.run(stopping)


async def stop_consuming(broker: KafkaBroker, consumers: Sequence[Consumer]) -> None:
    for consumer in consumers:
        await consumer.drain()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(broker.stop(), LEAVE_WITHIN)
    for consumer in consumers:
        await consumer.drain()


class _Server(uvicorn.Server):
    """Signals are ours: uvicorn would handle them and raise them again."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield
