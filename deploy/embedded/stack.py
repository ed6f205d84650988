"""Everything on this machine: servers, databases, topics, users and the five services, each a process of its own."""

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from chassis.settings import SECRETS_DIR, DatabaseSettings, KafkaSettings
from contracts.message import SERVICES, Service
from deploy import keys, provision
from deploy.embedded import kafka, mail, postgres
from deploy.embedded.ports import LOOPBACK, choose_port
from deploy.embedded.processes import (
    START_WITHIN,
    EmbeddedError,
    NotYetError,
    Process,
    StartError,
    locked,
    log_file,
    must_live,
    recall,
    spawn,
    stop,
    tail,
    wait_until,
)
from deploy.secrets import write
from deploy.site import ADMIN, Outside, Site, own_names, readiness

GRACE: Final = 30.0
SENDER: Final = "no-reply@furthest.example"
BOUNCES: Final = "bounces@furthest.example"
WITH_INTERNAL_DOORS: Final = ("referrals", "grants")

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
                self.report("stopping what was begun")
                self._stop(self.begun)
                raise

    def _up(self) -> dict[str, Any]:
        self.report("starting PostgreSQL, Kafka and the mail server")
        keys.make_secrets(self.secrets)
        self.begun = [name for name in ("postgres", "kafka", "mail") if not recall(self.dir, name)]
        # Threads start what is started, and are waited for inside: who is interrupted waits for what is under way, and
        # then stops it. The main thread would be interrupted between a process and the note that it is there.
        with ThreadPoolExecutor() as pool:
            database, started, mailbox = [pool.submit(s.start, self.dir) for s in (postgres, kafka, mail)]
            server, broker, letters = database.result(), started.result(), mailbox.result()
        self.report("making databases, roles, topics, users and access")
        addresses = self._addresses(server.database, broker.kafka, letters)
        site = self._site(addresses, broker.kafka, server.database)
        provision.apply_kafka(site)
        asyncio.run(provision.apply_databases(site))
        self.report("starting the services")
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda service: self.start_service(service, addresses), SERVICES))
        for service in SERVICES:
            self._await_ready(service, addresses)
        return self._keep(lambda kept: kept.update(addresses))

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
            self._keep(lambda kept: kept["services"].update({each: addresses["services"][each] for each in dead}))
        return dead

    def environment(self, service: Service, addresses: dict[str, Any]) -> dict[str, str]:
        """The environment of a service's process. Its secrets are in a folder of its own."""
        named = self._settings(service, addresses)
        return {
            SECRETS_DIR: str(self.secrets / service),
            **{f"FURTHEST_{name.upper()}": value for name, value in named.items()},
        }

    def _settings(self, service: Service, addresses: dict[str, Any]) -> dict[str, str]:
        return {
            **own_names(service),
            "database_host": LOOPBACK,
            "database_port": str(addresses["postgres"]["port"]),
            "kafka_bootstrap": addresses["kafka"],
            "http_port": addresses["services"][service]["http"].rpartition(":")[2],
            "replica": "0",
            **self._own_settings(service, addresses),
        }

    def _own_settings(self, service: Service, addresses: dict[str, Any]) -> dict[str, str]:
        internal = {name: known["internal"] for name, known in addresses["services"].items() if "internal" in known}
        own = {"internal_port": internal[service].rpartition(":")[2]} if service in internal else {}
        if service == "referrals":
            return {**own, "public_url": addresses["services"]["referrals"]["http"]}
        if service == "reporting":
            return {"publish_every_seconds": "10"}  # who tries it out wants to see numbers; once a day is safer
        if service != "notifications":
            return own
        return {
            "referrals_url": internal["referrals"],
            "grants_url": internal["grants"],
            "smtp_host": addresses["mail"]["host"],
            "smtp_port": str(addresses["mail"]["port"]),
            "smtp_tls": "none",
            "signature": "Digital help in Leeds",
            "smtp_sender": SENDER,
            "smtp_bounces": BOUNCES,
        }

    @property
    def site(self) -> Site:
        """What was started here, as commands use it. Raises EmbeddedError where nothing was."""
        addresses = self.addresses()

        def password(name: str) -> SecretStr:
            return SecretStr((self.secrets / name).read_text())

        return self._site(
            addresses,
            KafkaSettings(bootstrap=addresses["kafka"], user=ADMIN, password=password("kafka-admin")),
            DatabaseSettings(
                **addresses["postgres"], name="postgres", user=postgres.SUPERUSER, password=password("postgres-admin")
            ),
        )

    def _site(self, addresses: dict[str, Any], broker: KafkaSettings, server: DatabaseSettings) -> Site:
        return Site(
            self.secrets,
            broker,
            server,
            Outside(broker.bootstrap),
            lambda service: self._settings(service, addresses),
            {service: addresses["services"][service]["http"] for service in SERVICES},
            self.keep_partner,
            self._servers,
        )

    def _addresses(self, server: DatabaseSettings, broker: KafkaSettings, mailbox: mail.Mail) -> dict[str, Any]:
        return {
            "kafka": broker.bootstrap,
            "postgres": {"host": server.host, "port": server.port},
            "mail": {"host": mailbox.host, "port": mailbox.port, "received": str(mail.received(self.dir))},
            "services": {service: self._service_addresses(service, server.port) for service in SERVICES},
        }

    def _service_addresses(self, service: Service, port: int) -> dict[str, Any]:
        password = keys.read(self.secrets, service, "database_password")
        return {
            "http": self._url(service, service),
            "database": f"postgresql://{service}_app:{password}@{LOOPBACK}:{port}/{service}",
            "pid": None,
            **({"internal": self._url(service, f"{service}-internal")} if service in WITH_INTERNAL_DOORS else {}),
        }

    def _url(self, service: Service, name: str) -> str:
        """A port that was once chosen is kept, as long as it is free or the service runs on it."""
        kept = self.dir / "processes" / f"{name}.port"
        running = recall(self.dir, service) is not None and kept.exists()
        return f"http://{LOOPBACK}:{kept.read_text() if running else choose_port(kept, None)}"

    def _keep(self, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Changes what `run.json` says, one after the other."""
        with locked(self.dir / "run.lock"):
            addresses = self.addresses() if self.run_file.exists() else {"partners": {}}
            change(addresses)
            write(self.run_file, json.dumps(addresses, indent=2))
        return addresses

    def keep_partner(self, partner: str, credentials: dict[str, Any]) -> None:
        self._keep(lambda kept: kept["partners"].update({partner: credentials}))

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

        wait_until(ready, START_WITHIN, f"the {service} service to be ready", log)

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

    def _servers(self) -> dict[str, str]:
        names = ("postgres", "kafka", "mail")
        return {name: "up" if recall(self.dir, name) else "down" for name in names}


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
