"""Plain SQL, forward only: each file is applied once, in order, under a lock, and may never change after."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import asyncpg

from chassis.errors import Stopped
from chassis.postgres import connected
from chassis.settings import DatabaseSettings

_LOCK = 0x4D696772


@dataclass(frozen=True, slots=True)
class Migration:
    """One file, named by its package and its own name; the checksum is the SHA-256 of its text."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_of(package: str) -> list[Migration]:
    """The files `<package>/migrations/NNNN_pre|post_what.sql`, in order."""
    folder: Traversable = files(package) / "migrations"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Migration(f"{package}/{f.name}", f.read_text(encoding="utf-8")) for f in found]


async def migrate(owner: DatabaseSettings, app_role: str, packages: Sequence[str]) -> list[str]:
    """Applies what is missing, as the owner, and lets the application role use it. Returns the names applied.

    A migration that gives that role less finds its name in the setting `furthest.app_role`.
    Raises Stopped where an applied file was changed or is gone.
    """
    async with connected(owner) as conn:
        await conn.execute("select pg_advisory_lock($1)", _LOCK)
        await _prepare(conn, app_role)
        wanted = [migration for package in packages for migration in migrations_of(package)]
        missing = _missing(wanted, await _applied(conn))
        for migration in missing:
            async with conn.transaction():
                await conn.execute(migration.sql)
                await conn.execute(
                    "insert into schema_migration (name, checksum) values ($1, $2)", migration.name, migration.checksum
                )
        return [migration.name for migration in missing]


async def _prepare(conn: "asyncpg.Connection[asyncpg.Record]", app_role: str) -> None:
    await conn.execute(
        """create table if not exists schema_migration (
               name text primary key, checksum text not null, applied_at timestamptz not null default now())"""
    )
    await conn.execute("select set_config('furthest.app_role', $1, false)", app_role)
    role = await conn.fetchval("select quote_ident($1)", app_role)
    await conn.execute(f"alter default privileges grant select, insert, update, delete on tables to {role}")
    await conn.execute(f"alter default privileges grant usage on sequences to {role}")


async def _applied(conn: "asyncpg.Connection[asyncpg.Record]") -> dict[str, str]:
    return {row["name"]: row["checksum"] for row in await conn.fetch("select name, checksum from schema_migration")}


def _missing(wanted: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    changed = [m.name for m in wanted if m.name in applied and applied[m.name] != m.checksum]
    gone = sorted(set(applied) - {m.name for m in wanted})
    if changed or gone:
        raise Stopped(
            f"applied migrations were changed ({', '.join(changed) or 'none'}) or are gone "
            f"({', '.join(gone) or 'none'}): put them back as they were, and write what has to change as a new file"
        )
    return [m for m in wanted if m.name not in applied]
