"""The one place where the notifications service is put together."""

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel

from chassis.service import Service, now
from chassis.tokens import Tokens
from contracts.catalogue import topics_read
from services.notifications import api
from services.notifications.clients.at_work import AtWork
from services.notifications.clients.grants import Grants
from services.notifications.clients.letters import must_print
from services.notifications.clients.mail import MailServer
from services.notifications.clients.notify import Notify
from services.notifications.clients.peers import Peer
from services.notifications.clients.referrals import Referrals
from services.notifications.clients.teller import Asker, Carriers, Follower, Teller, of_needs
from services.notifications.clients.words import Words
from services.notifications.domain.digest import Digest
from services.notifications.domain.telling import FollowUp, LookUp, Tell, TellApplicant
from services.notifications.events_in import DUE, HANDLERS, RESULTS
from services.notifications.settings import NotificationsSettings
from services.notifications.store import HELD, Store


def build(settings: NotificationsSettings, clock: Callable[[], datetime] = now) -> Service:
    referrals = Peer("referrals", settings.referrals_url, Tokens(settings.token_key), clock)
    notify = Notify(settings)
    carriers, words = Carriers(MailServer(settings), notify), Words(signature=settings.signature)
    must_print(words)
    grants = Peer("grants", settings.grants_url, Tokens(settings.token_key), clock)
    tellers: dict[type[BaseModel], Teller] = {
        Tell: Teller(Referrals(referrals).contacts, of_needs(words), carriers, clock),
        TellApplicant: Teller(Grants(grants).contacts, words.to_applicant, carriers, clock),
    }
    return Service(
        name="notifications",
        reads=topics_read("notifications"),
        store=Store,
        handlers=HANDLERS,
        due=DUE,
        results=RESULTS,
        senders={
            **tellers,
            LookUp: Asker(notify, clock),
            FollowUp: Follower(notify),
            Digest: AtWork(referrals.work_mails, words.to_provider, carriers, clock),
        },
        routers=lambda running: [api.routes(running, tellers, settings.notify_callback_token)],
        held=HELD,
    )
