import os
import signal
import smtplib
import stat
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from deploy.embedded import mail
from deploy.embedded.processes import StartError, alive, recall, wait_until


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    left = recall(tmp_path, mail.NAME)
    if left:
        mail.stop(left, 1)


def send(server: mail.Mail, number: str, body: str = "Hello.\n") -> None:
    message = EmailMessage()
    message["To"] = "person@example.org"
    message["From"] = "help@example.org"
    message["Subject"] = "News for you"
    message["X-Furthest-Id"] = number
    message.set_content(body)
    with smtplib.SMTP(server.host, server.port, local_hostname="localhost", timeout=60) as client:
        client.send_message(message)


def test_what_was_taken_is_in_the_file_when_the_server_has_answered(home: Path) -> None:
    server = mail.start(home)
    send(server, "1", "Grüße, and a line that is long: " + "x" * 200 + "\n.\n")
    (line,) = mail.kept(mail.received(home))
    assert line.pop("received_at").endswith("+00:00")
    assert line == {
        "id": "1",
        "to": "person@example.org",
        "returns_to": "help@example.org",
        "subject": "News for you",
        "body": "Grüße, and a line that is long: " + "x" * 200 + "\n.\n",
    }


def test_a_mail_whose_line_is_still_being_written_is_none_yet(tmp_path: Path) -> None:
    received = tmp_path / "received.jsonl"
    assert mail.kept(received) == []
    whole = '{"id": "1", "body": "one\u2028line"}\n'.encode()
    received.write_bytes(whole + '{"id": "2", "body": "Gr\u00fc'.encode()[:-1])
    assert [each["id"] for each in mail.kept(received)] == ["1"]


def test_only_its_owner_may_read_the_mails(home: Path) -> None:
    send(mail.start(home), "1")
    assert stat.S_IMODE(mail.received(home).stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "mail").stat().st_mode) == 0o700


def test_it_listens_on_loopback_only(home: Path) -> None:
    connections = psutil.Process(mail.start(home).process.pid).net_connections()
    assert {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def test_one_that_runs_is_returned(home: Path) -> None:
    assert mail.start(home) == mail.start(home)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_it_comes_back_on_its_port_and_goes_on_in_its_file(home: Path, signum: signal.Signals) -> None:
    first = mail.start(home)
    send(first, "1")
    os.kill(first.process.pid, signum)
    wait_until(lambda: not alive(first.process), 60, "the mail server to end")
    second = mail.start(home)
    send(second, "2")
    assert first.port == second.port
    assert [line["id"] for line in mail.kept(mail.received(home))] == ["1", "2"]


def test_a_stop_is_clean_also_while_somebody_is_connected(home: Path) -> None:
    server = mail.start(home)
    with smtplib.SMTP(server.host, server.port, local_hostname="localhost", timeout=60) as client:
        client.noop()
        mail.stop(server.process)
        assert not alive(server.process)
    assert (home / "logs" / "mail.log").read_text() == ""


def test_a_taken_port_is_said(home: Path, taken_port: int) -> None:
    with pytest.raises(StartError, match=f"Port {taken_port} is taken"):
        mail.start(home, taken_port)
