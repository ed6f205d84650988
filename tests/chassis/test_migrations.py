"""Migrations on a real PostgreSQL: once, in order, as the owner, and never changed."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from chassis.errors import Stopped
from chassis.migrations import migrate, migrations_of
from chassis.postgres import connect
from deploy.provision import make_database
from deploy.site import ROLES, Roles
from tests.support import Servers

FIRST = "set local lock_timeout = '5s';\ncreate table place (id bigint generated always as identity, name text);\n"
SECOND = "set local lock_timeout = '5s';\nalter table place add column ward text;\n"

Package = Callable[..., str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Writes these migrations into a package of their own, made anew at each call, and returns its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    name = f"shop_{secrets.token_hex(4)}"
    folder = tmp_path / name / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()

    def write(**files: str) -> str:
        for old in folder.glob("*.sql"):
            old.unlink()
        for file, sql in files.items():
            (folder / f"{file.removeprefix('m')}.sql").write_text(sql)
        return name

    return write


async def new_roles(servers: Servers) -> Roles:
    """An empty database with its roles."""
    name = f"shop_{secrets.token_hex(4)}"
    made = Roles(*(servers.postgres.model_copy(update={"name": name, "user": f"{name}_{role}"}) for role in ROLES))
    await make_database(servers.postgres, made)
    return made


@pytest_asyncio.fixture
async def roles(servers: Servers) -> Roles:
    return await new_roles(servers)


async def run(roles: Roles, package: str) -> list[str]:
    return [name.rpartition("/")[2] for name in await migrate(roles.owner, roles.app.user, [package])]


async def ask(roles: Roles, sql: str) -> list[asyncpg.Record]:
    """Asks as the application does."""
    conn = await connect(roles.app)
    try:
        return await conn.fetch(sql)
    finally:
        await conn.close()


async def test_what_is_missing_is_applied_once_and_in_order(roles: Roles, package: Package) -> None:
    assert await run(roles, package(m0001_pre_place=FIRST)) == ["0001_pre_place.sql"]
    both = package(m0001_pre_place=FIRST, m0002_post_ward=SECOND)
    assert await run(roles, both) == ["0002_post_ward.sql"]
    assert await run(roles, both) == []
    assert [m.name.rpartition("/")[2] for m in migrations_of(both)] == ["0001_pre_place.sql", "0002_post_ward.sql"]


async def test_two_that_migrate_at_once_apply_once(roles: Roles, package: Package) -> None:
    both = package(m0001_pre_place=FIRST, m0002_post_ward=SECOND)
    applied = await asyncio.gather(*(run(roles, both) for _ in range(4)))
    assert sorted(len(names) for names in applied) == [0, 0, 0, 2]


async def test_an_applied_file_that_was_changed_is_refused_and_nothing_runs(roles: Roles, package: Package) -> None:
    await run(roles, package(m0001_pre_place=FIRST))
    changed = package(m0001_pre_place=FIRST + "-- a comment", m0002_post_ward=SECOND)
    with pytest.raises(Stopped, match=r"changed \(shop_\w+/0001_pre_place.sql\).*new file"):
        await run(roles, changed)
    assert not await ask(roles, "select 1 from information_schema.columns where column_name = 'ward'")


async def test_an_applied_file_that_is_gone_is_refused(roles: Roles, package: Package) -> None:
    await run(roles, package(m0001_pre_place=FIRST, m0002_post_ward=SECOND))
    with pytest.raises(Stopped, match=r"gone \(shop_\w+/0002_post_ward.sql\)"):
        await run(roles, package(m0001_pre_place=FIRST))


@pytest.mark.parametrize(
    "broken", ["insert into nowhere values (1);", "alter table schema_migration add column must_fail int not null;"]
)
async def test_a_migration_that_fails_or_cannot_be_recorded_leaves_nothing(
    roles: Roles, package: Package, broken: str
) -> None:
    with pytest.raises((asyncpg.UndefinedTableError, asyncpg.NotNullViolationError)):
        await run(roles, package(m0001_pre_place=FIRST + broken))
    assert await run(roles, package(m0001_pre_place=FIRST)) == ["0001_pre_place.sql"]


async def test_the_application_reads_and_writes_rows(roles: Roles, package: Package) -> None:
    await run(roles, package(m0001_pre_place=FIRST, m0002_post_ward=SECOND))
    for sql in (
        "insert into place (name, ward) values ('library', 'E05011400')",
        "update place set name = 'hub'",
        "select * from place",
        "delete from place",
    ):
        await ask(roles, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "create table mine (id int)",
        "create schema mine",
        "create temporary table mine (id int)",
        "drop table place",
        "alter table place add column mine text",
        "truncate place",
        "select * from schema_migration",
        "update schema_migration set checksum = ''",
    ],
)
async def test_the_application_changes_no_table_and_no_history(roles: Roles, package: Package, sql: str) -> None:
    await run(roles, package(m0001_pre_place=FIRST))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(roles, sql)


async def test_nobody_else_enters_the_database(roles: Roles, servers: Servers) -> None:
    stranger = (await new_roles(servers)).app
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connect(stranger.model_copy(update={"name": roles.app.name}))
