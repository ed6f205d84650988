"""Sends mails over one SMTP connection and tells of each what is known about it.

The exceptions of aiosmtplib repeat addresses, so they are classified here and go no further, text and all.
"""

import asyncio
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Final, Literal

import aiosmtplib
from aiosmtplib import SMTPException, SMTPResponseException, SMTPSenderRefused
from pydantic import SecretStr

from chassis.logs import logger
from chassis.metrics import DEGRADED
from services.notifications.clients.words import Text
from services.notifications.domain.bounces import returned_to
from services.notifications.settings import NotificationsSettings

log = logger("mail")

Outcome = Literal["sent", "refused", "unknown-result", "put-off", "not-tried"]
"""`put-off`: the server would not take this mail now. `not-tried`: we did not come to it. Neither was sent."""

CONNECT_WITHIN: Final = 15.0
ONE_MAIL_WITHIN: Final = 20.0
RESET_WITHIN: Final = 5.0
QUIT_WITHIN: Final = 2.0
ID_HEADER: Final = "X-Furthest-Id"
ADDRESS: Final = re.compile(r"[!#-'*+\-./0-9=?A-Z^_`a-z{|}~]{1,64}@[A-Za-z0-9.-]{1,253}")
WIRE: Final = SMTP_POLICY.clone(cte_type="7bit")
TROUBLE: Final = (SMTPException, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Mail:
    """`id` is by which we know it again."""

    id: str
    to: SecretStr
    text: Text
    at: datetime


@dataclass(frozen=True, slots=True)
class MailServer:
    settings: NotificationsSettings

    async def send(self, mails: Sequence[Mail], stop_at: float) -> list[Outcome]:
        """One outcome for each mail, in order. None is begun after `stop_at`, by the clock of the event loop."""
        outcomes: list[Outcome] = []
        smtp = self._client()
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                await smtp.connect()
            await self._send_all(smtp, mails, stop_at, outcomes)
        except TROUBLE as error:
            log.warning("mail_unavailable", error=type(error).__name__)
        finally:
            await _close(smtp)
        DEGRADED.labels(part="mail").set(0 if len(outcomes) == len(mails) else 1)
        not_tried: list[Outcome] = ["not-tried"]
        return outcomes + not_tried * (len(mails) - len(outcomes))

    async def _send_all(
        self, smtp: aiosmtplib.SMTP, mails: Sequence[Mail], stop_at: float, outcomes: list[Outcome]
    ) -> None:
        """Ends early when the connection or our time is lost: one connection, however ill the server is."""
        for mail in mails:
            if not smtp.is_connected or asyncio.get_running_loop().time() > stop_at:
                return
            outcomes.append(await self._send_one(smtp, mail))

    async def _send_one(self, smtp: aiosmtplib.SMTP, mail: Mail) -> Outcome:
        """Raises SMTPSenderRefused: the server will have nothing from us, which is not this mail's fault."""
        to = mail.to.get_secret_value()
        if not ADDRESS.fullmatch(to):
            return "refused"
        content = self._content(mail, to)
        data_began = False
        try:
            async with asyncio.timeout(ONE_MAIL_WITHIN):
                await smtp.mail(self._returns_to(mail))
                await smtp.rcpt(to)
                data_began = True
                await smtp.data(content)
            return "sent"
        except SMTPSenderRefused:
            raise
        except TROUBLE as error:
            outcome = _known_of(error, data_began=data_began)
            log.warning("mail_not_taken", message_id=mail.id, outcome=outcome, error=type(error).__name__)
            await _reset(smtp, outcome)
            return outcome

    def _content(self, mail: Mail, to: str) -> bytes:
        message = EmailMessage(policy=WIRE)
        message["From"] = self.settings.smtp_sender
        message["To"] = to
        message["Subject"] = " ".join(mail.text.subject.split())  # a title may hold what Unicode takes for a line's end
        message["Date"] = format_datetime(mail.at)
        message["Message-ID"] = f"<{mail.id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message[ID_HEADER] = mail.id
        message.set_content(mail.text.body)
        return message.as_bytes()

    def _returns_to(self, mail: Mail) -> str:
        bounces = self.settings.smtp_bounces
        return returned_to(bounces, mail.id) if bounces else self.settings.smtp_sender

    @property
    def _domain(self) -> str:
        return self.settings.smtp_sender.partition("@")[2]

    def _client(self) -> aiosmtplib.SMTP:
        settings = self.settings
        return aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            cert_bundle=str(settings.smtp_ca) if settings.smtp_ca else None,
            local_hostname=self._domain,
            timeout=CONNECT_WITHIN,
        )


def _known_of(error: BaseException, *, data_began: bool) -> Outcome:
    """A reply of the 500s is a no, one of the 400s a not-now. Without either, a mail whose DATA began may have left."""
    code = error.code if isinstance(error, SMTPResponseException) else 0
    if 500 <= code <= 599:
        return "refused"
    if 400 <= code <= 499 or not data_began:
        return "put-off"
    return "unknown-result"


async def _reset(smtp: aiosmtplib.SMTP, outcome: Outcome) -> None:
    """Readies the connection for the next mail, or closes it."""
    try:
        if outcome == "unknown-result":
            smtp.close()
        else:
            await smtp.rset(timeout=RESET_WITHIN)
    except TROUBLE:
        smtp.close()


async def _close(smtp: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(*TROUBLE):
        if smtp.is_connected:
            await smtp.quit(timeout=QUIT_WITHIN)
    smtp.close()
