"""What stands outside the notifications service: the contacts door of referrals, and a mail server."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from chassis.envelope import headers_of
from chassis.tokens import Tokens
from deploy.embedded.ports import free_port
from tests.support import TOKEN_KEY, Clock, eventually

ADDRESS = "planted-mark@example.org"
MAIL_OF_APPLICANT = "applicant-mark@example.org"


def a_contact(**changes: Any) -> dict[str, Any]:
    """Permission to send an email now, in full words; without the ids."""
    return {
        "decision": "send",
        "reason": None,
        "channel": "email",
        "address": ADDRESS,
        "language": "en",
        "neutral": False,
        "voicemail": False,
        "not_before": None,
        **changes,
    }


@dataclass
class StandInReferrals:
    """Answers each lookup with the contact of its need, else with `usual`."""

    port: int = field(default_factory=free_port)
    clock: Clock = field(default_factory=Clock)
    usual: dict[str, Any] = field(default_factory=a_contact)
    of_need: dict[str, dict[str, Any]] = field(default_factory=dict)
    mails: dict[str, str] = field(default_factory=dict)
    status: int = 200
    asked: list[list[dict[str, Any]]] = field(default_factory=list)
    change: Callable[[list[Any]], list[Any]] = lambda contacts: contacts

    def _knows(self, request: Request) -> bool:
        token = request.headers["authorization"].removeprefix("Bearer ")
        return Tokens(TOKEN_KEY).who(token, "referrals", self.clock()) == "notifications"

    async def work_contacts(self, request: Request) -> JSONResponse:
        if not self._knows(request):
            return JSONResponse({}, 401)
        asked = (await request.json())["whom"]
        return JSONResponse({"mails": {each: self.mails[each] for each in asked if each in self.mails}}, self.status)

    async def contacts(self, request: Request) -> JSONResponse:
        if not self._knows(request):
            return JSONResponse({}, 401)
        lookups = (await request.json())["lookups"]
        self.asked.append(lookups)
        return JSONResponse({"contacts": self.change([self._contact(lookup) for lookup in lookups])}, self.status)

    def _contact(self, lookup: dict[str, Any]) -> dict[str, Any]:
        """The first of the contact and of those that `then` come whose channel was not tried."""
        ids = {name: lookup[name] for name in ("referral_id", "need_id")}
        first = self.of_need.get(lookup["need_id"], self.usual)
        ways = [way for way in (first, *first.get("then", ())) if way["channel"] not in lookup["tried"]]
        left = ways[0] if ways else a_contact(decision="withheld", reason="no-channel-left", channel=None)
        return {**ids, **{name: value for name, value in left.items() if name != "then"}}

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["StandInReferrals"]:
        doors = {"/v1/contacts": self.contacts, "/v1/work-contacts": self.work_contacts}
        app = Starlette(routes=[Route(path, door, methods=["POST"]) for path, door in doors.items()])
        async with served(app, self.port):
            yield self


@dataclass
class StandInGrants:
    """Answers of each application how it stands; `changes` replaces what is answered of one."""

    port: int = field(default_factory=free_port)
    clock: Clock = field(default_factory=Clock)
    standings: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    status: int = 200
    asked: list[list[dict[str, Any]]] = field(default_factory=list)

    async def contacts(self, request: Request) -> JSONResponse:
        token = request.headers["authorization"].removeprefix("Bearer ")
        if Tokens(TOKEN_KEY).who(token, "grants", self.clock()) != "notifications":
            return JSONResponse({}, 401)
        lookups = (await request.json())["lookups"]
        self.asked.append(lookups)
        return JSONResponse({"contacts": [self._contact(**lookup) for lookup in lookups]}, self.status)

    def _contact(self, application_id: str, about: str, day: str | None) -> dict[str, Any]:
        standing = {
            "organisation": "Armley Helping Hands",
            "title": "Tablets for Armley",
            "fund": "Digital fund",
            "asked_pence": 5_000_00,
            "awarded_pence": 4_000_00,
            **self.standings.get(application_id, {}),
        }
        known = {"application_id": application_id, "about": about, "email": MAIL_OF_APPLICANT, "standing": standing}
        return {**known, **self.changes.get(application_id, {})}

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["StandInGrants"]:
        app = Starlette(routes=[Route("/v1/applicant-contacts", self.contacts, methods=["POST"])])
        async with served(app, self.port):
            yield self


@contextlib.asynccontextmanager
async def served(app: Starlette, port: int) -> AsyncIterator[None]:
    server = _Server(uvicorn.Config(app, "127.0.0.1", port, log_config=None, ws="none", lifespan="off"))
    task = asyncio.create_task(server.serve())
    await eventually(_now(lambda: server.started), bool)
    try:
        yield
    finally:
        server.should_exit = True
        await task


class _Server(uvicorn.Server):
    """Signals are pytest's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def _now(look: Callable[[], bool]) -> Any:
    async def looked() -> bool:
        return look()

    return looked


@dataclass
class StandInMailServer:
    """Takes mail, keeps it, and misbehaves towards the addresses named. `got` is whatever came over in full."""

    got: list[EmailMessage] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    refuses_content_for: set[str] = field(default_factory=set)
    puts_off: set[str] = field(default_factory=set)
    hangs_up_on: set[str] = field(default_factory=set)
    hangs_up_after_data: set[str] = field(default_factory=set)
    refuses_every_sender: bool = False
    connections: int = 0
    port: int = 0
    senders: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [mail["X-Furthest-Id"] for mail in self.got]

    async def handle_EHLO(  # noqa: N802 - aiosmtpd calls it so
        self, server: Any, session: Session, envelope: Envelope, hostname: str, responses: Any
    ) -> Any:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(self, server: Any, _s: Any, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        if self.refuses_every_sender:
            return f"550 <{address}> may not send here"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: Any, _s: Any, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        if address in self.refuses:
            return f"550 <{address}> is not known here"
        if address in self.puts_off:
            return f"451 <{address}> is greylisted"
        if address in self.hangs_up_on:
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        (to,) = envelope.rcpt_tos
        if to in self.refuses_content_for:
            return f"554 no such content for <{to}>"
        content = envelope.original_content or b""
        self.senders.append(envelope.mail_from or "")
        self.got.append(message_from_bytes(content, EmailMessage, policy=default))
        if to in self.hangs_up_after_data:
            server.transport.abort()
        return "250 OK"

    @contextlib.asynccontextmanager
    async def serving(
        self, port: int = 0, tls: str = "none", context: ssl.SSLContext | None = None
    ) -> AsyncIterator["StandInMailServer"]:
        loop = asyncio.get_running_loop()
        starttls = context if tls == "starttls" else None
        from_the_start = context if tls == "tls" else None
        server = await loop.create_server(
            lambda: SMTP(self, hostname="localhost", tls_context=starttls), "127.0.0.1", port, ssl=from_the_start
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


def a_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's context for 127.0.0.1, and the file of the authority that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private, public = folder / "key.pem", folder / "certificate.pem"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def facts_in(rows: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """The names and contents of the facts in outbox rows."""
    kinds = [dict(headers_of(row["headers"]))["ce_type"].decode() for row in rows]
    return [(kind.split(".")[2], json.loads(row["value"])) for kind, row in zip(kinds, rows, strict=True)]
