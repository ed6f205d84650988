"""The one place where the notifications service is put together."""

from collections.abc import Callable
from datetime import datetime

from chassis.service import Service, now
from chassis.tokens import Tokens
from contracts.catalogue import topics_read
from services.notifications import api, handlers
from services.notifications.clients.mail import MailServer
from services.notifications.clients.referrals import Referrals
from services.notifications.clients.teller import Teller
from services.notifications.clients.words import Words
from services.notifications.domain.telling import CallNeeded, Failed, Postponed, Sent, Tell, Withheld
from services.notifications.events_in import HANDLERS
from services.notifications.settings import NotificationsSettings
from services.notifications.store import HELD, Store


def build(settings: NotificationsSettings, clock: Callable[[], datetime] = now) -> Service:
    referrals = Referrals(settings.referrals_url, Tokens(settings.token_key), clock)
    return Service(
        name="notifications",
        reads=topics_read("notifications"),
        store=Store,
        handlers=HANDLERS,
        results={
            Sent: handlers.on_sent,
            Failed: handlers.on_failed,
            Withheld: handlers.on_withheld,
            CallNeeded: handlers.on_call_needed,
            Postponed: handlers.on_postponed,
        },
        senders={Tell: Teller(referrals, MailServer(settings), Words(), clock)},
        routers=lambda running: [api.routes(running)],
        held=HELD,
    )
