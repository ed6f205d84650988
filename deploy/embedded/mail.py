"""A mail server on loopback that delivers nothing: it keeps each mail as a line of JSON, to be looked at."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import smtplib
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.embedded.ports import LOOPBACK, choose_port
from deploy.embedded.processes import (
    START_WITHIN,
    NotYetError,
    Process,
    locked,
    log_file,
    must_live,
    recall,
    spawn,
    wait_until,
)
from deploy.embedded.processes import stop as stop_process

NAME = "mail"
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Mail:
    host: str
    port: int
    process: Process


def start(dir: Path, port: int | None = None, host: str = LOOPBACK) -> Mail:
    """
    Start the mail server, which keeps what it gets in `dir/mail`. If it runs there, it is returned.

    The port is `port`, or the one it had, or a free one. Raises EmbeddedError.
    """
    dir = dir.resolve()
    home = dir / NAME
    with locked(dir / "processes" / f"{NAME}.lock"):
        process = recall(dir, NAME) or _spawn(dir, home, port, host)
        mail = Mail(host, int((home / "port").read_text()), process)
        _await_ready(mail, log_file(dir, NAME))
    return mail


def stop(process: Process, grace: float = 10.0) -> None:
    stop_process(process, grace)


def received(dir: Path) -> Path:
    """One line for each mail: id, to, returns_to, subject, body, received_at."""
    return dir / NAME / "received.jsonl"


def kept(received: Path) -> list[dict[str, str]]:
    """Every mail that was taken, in order. A line without its end is being written: it is none yet."""
    lines = received.read_bytes().split(b"\n")[:-1] if received.exists() else []
    return [json.loads(line) for line in lines]


def _spawn(dir: Path, home: Path, port: int | None, host: str) -> Process:
    home.mkdir(mode=0o700, exist_ok=True)
    chosen = str(choose_port(home / "port", port))
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "deploy.embedded.mail",
        "--host",
        host,
        "--port",
        chosen,
        "--dir",
        dir,
    ]
    return spawn(NAME, argv, dir=dir)


def _await_ready(mail: Mail, log: Path) -> None:
    def answering() -> bool:
        must_live(mail.process, "The mail server", log)
        return _answers(mail)

    try:
        wait_until(answering, START_WITHIN, "the mail server to answer", log)
    except BaseException:
        stop(mail.process, 1)
        raise


def _answers(mail: Mail) -> bool:
    try:
        with smtplib.SMTP(mail.host, mail.port, local_hostname="localhost", timeout=2) as client:
            return client.noop()[0] == 250
    except (OSError, smtplib.SMTPException) as error:
        raise NotYetError(str(error)) from error


class Keep:
    """Answers 250 only when the line is in the file."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd calls it so
        line = json.dumps(_entry(envelope), ensure_ascii=False) + "\n"
        os.write(self._file, line.encode())
        return "250 Kept"

    def close(self) -> None:
        os.close(self._file)


def _entry(envelope: Envelope) -> dict[str, str | None]:
    content = envelope.original_content or b""
    message = message_from_bytes(content, EmailMessage, policy=default)
    body = message.get_body(("plain",))
    return {
        "id": message["X-Furthest-Id"],
        "to": ", ".join(envelope.rcpt_tos),
        "returns_to": envelope.mail_from,
        "subject": message["Subject"],
        "body": body.get_content().replace("\r\n", "\n") if body else "",
        "received_at": datetime.now(UTC).isoformat(),
    }


async def serve(dir: Path, host: str, port: int) -> None:
    """Until SIGTERM or SIGINT."""
    keep = Keep(received(dir))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    server = await loop.create_server(
        lambda: SMTP(keep, data_size_limit=MAX_BYTES, enable_SMTPUTF8=True, hostname="localhost"), host, port
    )
    await stopping.wait()
    server.close()
    keep.close()


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m deploy.embedded.mail", description=__doc__)
    asked.add_argument("--host", default=LOOPBACK)
    asked.add_argument("--port", type=int, required=True)
    asked.add_argument("--dir", type=Path, required=True)
    given = asked.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(given.dir, given.host, given.port))


if __name__ == "__main__":
    main()
