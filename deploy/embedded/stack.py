"""Everything on this machine: servers, databases, topics, users and the five services, each a process of its own."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx2
from pydantic import SecretStr

from chassis.postgres import connect
from chassis.service import act
from chassis.settings import SECRETS_DIR, DatabaseSettings
from contracts.message import SERVICES, Service
from deploy import areas, keys, provision
from deploy.embedded import kafka, mail, postgres
from deploy.embedded.kafka_properties import ADMIN
from deploy.embedded.ports import LOOPBACK, choose_port
from deploy.embedded.processes import (
    EmbeddedError,
    NotYetError,
    Process,
    StartError,
    alive,
    locked,
    log_file,
    must_live,
    recall,
    spawn,
    stop,
    tail,
    wait_until,
)
from deploy.embedded.secrets import write
from deploy.kafka.admin import Admin
from deploy.provision import Roles
from deploy.wiring import settings_of
from services.referrals.service import build as build_referrals

GRACE: Final = 30.0
READY_WITHIN: Final = 60.0
SENDER: Final = "no-reply@furthest.example"

Report = Callable[[str], None]


@dataclass(slots=True)
class Stack:
    """A deployment under one folder. `run.json` in it holds every address, and is only for its owner."""

    dir: Path
    report: Report = lambda line: None
    begun: list[str] = field(default_factory=list)

    @property
    def secrets(self) -> Path:
        return self.dir / "secrets"

    @property
    def run_file(self) -> Path:
        return self.dir / "run.json"

    def addresses(self) -> dict[str, Any]:
        """What `run.json` says. Raises EmbeddedError where nothing was started here."""
        if not self.run_file.exists():
            raise EmbeddedError(f"Nothing was started in {self.dir}. Start it with: furthest up --dir {self.dir}")
        addresses: dict[str, Any] = json.loads(self.run_file.read_text())
        return addresses

    def up(self) -> dict[str, Any]:
        """Starts what is missing and returns when all of it is ready. Raises EmbeddedError.

        What this call began is stopped again where it does not come to its end.
        """
        self.dir = self.dir.resolve()
        self.dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self.dir / "up.lock"):
            try:
                return self._up()
            except BaseException:
                self._stop(self.begun)
                raise

    def _up(self) -> dict[str, Any]:
        self.report("starting PostgreSQL, Kafka and the mail server")
        keys.make_secrets(self.secrets)
        self.begun = [name for name in ("postgres", "kafka", "mail") if not recall(self.dir, name)]
        with ThreadPoolExecutor() as pool:
            database, broker, mailbox = (pool.submit(s.start, self.dir) for s in (postgres, kafka, mail))
        server, admin_of = database.result(), broker.result()
        self.report("making databases, roles, topics, users and access")
        addresses = self._addresses(server, admin_of, mailbox.result())
        asyncio.run(self._databases(server))
        admin = Admin(admin_of.bootstrap, admin_of.user, admin_of.password)
        provision.apply_topics(admin)
        provision.apply_users(admin, {s: keys.read(self.secrets, s, "kafka_password") for s in SERVICES})
        asyncio.run(self._first_acts(addresses))
        self.report("starting the services")
        for service in SERVICES:
            self.start_service(service, addresses)
        for service in SERVICES:
            self._await_ready(service, addresses)
        return self._keep(addresses)

    def start_service(self, service: Service, addresses: dict[str, Any]) -> Process:
        """Starts a service unless it runs."""
        process = recall(self.dir, service)
        if process is None:
            self.begun.append(service)
            argv = [sys.executable, "-m", f"services.{service}"]
            process = spawn(service, argv, dir=self.dir, env=self.environment(service, addresses))
        addresses["services"][service]["pid"] = process.pid
        return process

    def restart_dead(self) -> list[Service]:
        """Starts every service that has died, and says which."""
        addresses = self.addresses()
        dead = [service for service in SERVICES if recall(self.dir, service) is None]
        for service in dead:
            self.start_service(service, addresses)
        if dead:
            self._keep(addresses)
        return dead

    def environment(self, service: Service, addresses: dict[str, Any]) -> dict[str, str]:
        """The environment of a service's process. Its secrets are in a folder of its own."""
        port = addresses["services"][service]["http"].rpartition(":")[2]
        named = {
            "database_host": LOOPBACK,
            "database_port": str(addresses["postgres"]["port"]),
            "database_name": service,
            "database_user": f"{service}_app",
            "kafka_bootstrap": addresses["kafka"],
            "kafka_user": service,
            "http_port": port,
            "replica": "0",
            **self._own_settings(service, addresses),
        }
        return {
            SECRETS_DIR: str(self.secrets / service),
            **{f"FURTHEST_{name.upper()}": value for name, value in named.items()},
        }

    def _own_settings(self, service: Service, addresses: dict[str, Any]) -> dict[str, str]:
        if service != "notifications":
            return {}
        return {
            "referrals_url": addresses["services"]["referrals"]["http"],
            "smtp_host": addresses["mail"]["host"],
            "smtp_port": str(addresses["mail"]["port"]),
            "smtp_tls": "none",
            "smtp_sender": SENDER,
        }

    def settings(self, service: Service, addresses: dict[str, Any]) -> Any:
        """For acts on a service from outside of its process."""
        environment = self.environment(service, addresses)
        folder = environment.pop(SECRETS_DIR)
        named = {name.removeprefix("FURTHEST_").lower(): value for name, value in environment.items()}
        given: dict[str, Any] = {"_secrets_dir": folder, **named}
        return settings_of(service)(**given)

    def admin(self, addresses: dict[str, Any]) -> Admin:
        return Admin(addresses["kafka"], ADMIN, (self.secrets / "kafka-admin").read_text())

    def roles(self, service: Service, port: int) -> Roles:
        def settings(role: str, secret: str) -> DatabaseSettings:
            password = SecretStr(keys.read(self.secrets, service, secret))
            return DatabaseSettings(host=LOOPBACK, port=port, name=service, user=f"{service}_{role}", password=password)

        return Roles(settings("owner", "owner_password"), settings("app", "database_password"))

    def _addresses(self, server: postgres.Server, broker: kafka.Broker, mailbox: mail.Mail) -> dict[str, Any]:
        before = self.addresses() if self.run_file.exists() else {"partners": {}}
        return {
            "kafka": broker.bootstrap,
            "postgres": {"host": server.host, "port": server.port},
            "mail": {"host": mailbox.host, "port": mailbox.port, "received": str(mail.received(self.dir))},
            "services": {service: self._service_addresses(service, server.port) for service in SERVICES},
            "partners": before["partners"],
        }

    def _service_addresses(self, service: Service, port: int) -> dict[str, Any]:
        kept = self.dir / "processes" / f"{service}.port"
        running = recall(self.dir, service) is not None and kept.exists()
        http = int(kept.read_text()) if running else choose_port(kept, None)
        app = self.roles(service, port).app
        password = app.password.get_secret_value()
        return {
            "http": f"http://{LOOPBACK}:{http}",
            "database": f"postgresql://{app.user}:{password}@{app.host}:{app.port}/{app.name}",
            "pid": None,
        }

    def _keep(self, addresses: dict[str, Any]) -> dict[str, Any]:
        write(self.run_file, json.dumps(addresses, indent=2))
        return addresses

    def keep_partner(self, partner: str, credentials: dict[str, Any]) -> None:
        addresses = self.addresses()
        addresses["partners"][partner] = credentials
        self._keep(addresses)

    async def _databases(self, server: postgres.Server) -> None:
        admin = DatabaseSettings(
            host=server.host,
            port=server.port,
            name="postgres",
            user=server.user,
            password=SecretStr(server.password),
        )
        for service in SERVICES:
            roles = self.roles(service, server.port)
            await provision.make_database(admin, roles)
            await provision.migrate_service(service, roles)

    async def _first_acts(self, addresses: dict[str, Any]) -> None:
        """The key that notifications asks referrals with, and the default areas, once."""
        settings = self.settings("referrals", addresses)
        conn = await connect(settings.database)
        try:
            known = await conn.fetchval("select exists (select from access_key where role = 'service')")
        finally:
            await conn.close()
        if not known:
            service_key = keys.read(self.secrets, "notifications", "service_key")
            key = keys.add_key(service_key, "service", "notifications", datetime.now(UTC))
            await act(build_referrals(settings), settings, key, areas.default())

    def _await_ready(self, service: Service, addresses: dict[str, Any]) -> None:
        process, log = recall(self.dir, service), log_file(self.dir, service)
        url = f"{addresses['services'][service]['http']}/ready"

        def ready() -> bool:
            if process is None:
                raise StartError(f"The {service} service ended while it was starting.{tail(log)}")
            must_live(process, f"The {service} service", log)
            seen = readiness(url)
            if seen.get("status") != "ok":
                raise NotYetError(json.dumps(seen))
            return True

        wait_until(ready, READY_WITHIN, f"the {service} service to be ready", log)

    def down(self) -> None:
        """Stops the services, which drain first, then the servers. What was never started is no error."""
        self.dir = self.dir.resolve()
        with locked(self.dir / "up.lock") if self.dir.exists() else contextlib.nullcontext():
            self._stop([*SERVICES, "mail", "kafka", "postgres"])

    def _stop(self, names: list[str]) -> None:
        running = {name: process for name in names if (process := recall(self.dir, name))}
        services = [running[name] for name in SERVICES if name in running]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda process: stop(process, GRACE), services))
        for name, server in (("mail", mail), ("kafka", kafka), ("postgres", postgres)):
            if name in running:
                server.stop(running[name])

    def status(self) -> dict[str, Any]:
        """Health, lag, outbox and dead letters of each service, and whether each server lives."""
        addresses = self.addresses()
        servers = {
            n: "up" if (p := recall(self.dir, n)) and alive(p) else "down" for n in ("postgres", "kafka", "mail")
        }
        return {
            "servers": servers,
            "services": {s: readiness(f"{addresses['services'][s]['http']}/ready") for s in SERVICES},
        }


def readiness(url: str) -> dict[str, Any]:
    """What `/ready` says, or that nobody answers."""
    try:
        seen: dict[str, Any] = httpx2.get(url, timeout=3).json()
    except (httpx2.HTTPError, ValueError) as error:
        return {"status": "down", "reason": type(error).__name__}
    return seen


@contextlib.contextmanager
def running(dir: Path, report: Report, *, keep: bool) -> Iterator[Stack]:
    """A stack for the time of a block; taken down after it, unless it ended well and is to be kept."""
    stack = Stack(dir, report)
    stack.up()
    done = False
    try:
        yield stack
        done = True
    finally:
        if not (keep and done):
            report("stopping")
            stack.down()
