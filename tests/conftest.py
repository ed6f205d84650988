"""Fixtures of every test: servers started once a run, a database and topics for each test that wants them."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
import structlog
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no types

from chassis import logs
from chassis.migrations import migrate
from chassis.postgres import Database, connect, connect_pool
from chassis.service import Service
from chassis.settings import DatabaseSettings
from deploy.embedded import kafka, postgres
from deploy.kafka.admin import Admin
from deploy.provision import make_database
from deploy.site import Roles
from tests import containers
from tests.deployment import Deployment, deployed
from tests.support import USUAL, Clock, Servers, Stage

hypothesis.settings.register_profile(
    USUAL,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],  # it times the machine
)
hypothesis.settings.register_profile("fast", hypothesis.settings.get_profile(USUAL), max_examples=30)
hypothesis.settings.register_profile(
    "thousands",
    hypothesis.settings.get_profile(USUAL),
    derandomize=False,
    max_examples=2000,
    print_blob=True,
)
hypothesis.settings.load_profile(USUAL)

STARTS_PROCESSES = {"deploy", "journeys", "faults", "doors"}
"""Folders of tests that start processes of their own."""
ALONE = {"tests/journeys/test_demo.py", "tests/journeys/test_stack.py"}
"""Journeys with a deployment of their own; all others, and the doors, look at one."""


class Together(LoadScopeScheduling):  # type: ignore[misc]  # the same
    """What one worker runs in a go, where there are several: what looks at the same servers, else a module."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        folder = module.split("/")[1]
        if module in ALONE or folder not in {"deploy", "journeys", "doors"}:
            return module
        return "deploy" if folder == "deploy" else "deployment"


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Together:
    return Together(config, log)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what `make test-fast` leaves out. What floods the deployment comes after what looks at all of it."""
    for item in items:
        if _folder(item) in STARTS_PROCESSES or "servers" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.servers)
    items.sort(key=lambda item: _folder(item) == "doors")


@cache
def kind_of_servers() -> str:
    """`containers` where that is possible, else `embedded`; or what FURTHEST_TEST_SERVERS says."""
    asked = os.environ.get("FURTHEST_TEST_SERVERS", "")
    if asked not in {"", "embedded", "containers"}:
        raise pytest.UsageError(f"FURTHEST_TEST_SERVERS is {asked!r}: make it embedded or containers, or unset it.")
    if asked == "containers" and not containers.available():
        raise pytest.UsageError(
            "FURTHEST_TEST_SERVERS asks for containers, but no Docker engine answers that has the images "
            f"{containers.POSTGRES} and {containers.KAFKA}. Start it and pull them, or unset the variable."
        )
    return asked or ("containers" if containers.available() else "embedded")


def pytest_configure(config: pytest.Config) -> None:
    """A wrong choice of servers ends the run before any test. What is logged is plain: pictures of errors are slow."""
    kind_of_servers()
    plain: list[structlog.typing.Processor] = [logs._exception_without_text, structlog.processors.KeyValueRenderer()]
    structlog.configure(plain, logger_factory=structlog.stdlib.LoggerFactory())


def pytest_report_header(config: pytest.Config) -> str:
    return f"servers: {kind_of_servers()}"


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    in_containers = kind_of_servers() == "containers"
    with containers.started() if in_containers else embedded(tmp_path_factory.mktemp("servers")) as both:
        yield both


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """All of it, once a run."""
    with deployed(tmp_path_factory.mktemp("deployment")) as everything:
        yield everything


@contextmanager
def embedded(folder: Path) -> Iterator[Servers]:
    database = postgres.start(folder)
    try:
        broker = kafka.start(folder)
        try:
            yield Servers(database.database, broker.kafka, Admin(broker.kafka))
        finally:
            kafka.stop(broker.process)
    finally:
        postgres.stop(database.process)


def _roles(servers: Servers, service: str, name: str) -> Roles:
    def settings(role: str) -> DatabaseSettings:
        return servers.postgres.model_copy(update={"name": name, "user": f"{service}_{role}"})

    return Roles(settings("owner"), settings("app"), settings("backup"))


@pytest.fixture(scope="session")
def templates(servers: Servers) -> Callable[[str], str]:
    """The name of a migrated, empty database of a service, to copy."""
    made: set[str] = set()

    def template(service: str) -> str:
        name = f"{service}_template"
        if name not in made:
            roles = _roles(servers, service, name)
            asyncio.run(_make(servers, service, roles))
            made.add(name)
        return name

    return template


async def _make(servers: Servers, service: str, roles: Roles) -> None:
    await make_database(servers.postgres, roles)
    packages = [package for package in ("chassis", f"services.{service}") if find_spec(package)]
    await migrate(roles.owner, roles.app.user, packages)


@pytest_asyncio.fixture
async def new_database(
    servers: Servers, templates: Callable[[str], str]
) -> AsyncIterator[Callable[[str], Awaitable[DatabaseSettings]]]:
    """Makes a database for this test alone; returns how its application role reaches it."""

    async def make(service: str) -> DatabaseSettings:
        template = await asyncio.to_thread(templates, service)
        name = f"{service}_{secrets.token_hex(4)}"
        conn = await connect(servers.postgres)
        try:
            await conn.execute(f"create database {name} template {template} owner {service}_owner")
        finally:
            await conn.close()
        return _roles(servers, service, name).app

    yield make


@pytest_asyncio.fixture
async def stage(
    new_database: Callable[[str], Awaitable[DatabaseSettings]],
) -> AsyncIterator[Callable[[Service], Awaitable[Stage]]]:
    """Puts a service's handlers on a database of their own."""
    pools: list[Database] = []

    async def put(service: Service) -> Stage:
        pool = await connect_pool(await new_database(service.name))
        pools.append(pool)
        return Stage(service, pool, Clock())

    yield put
    for pool in pools:
        await pool.close()
