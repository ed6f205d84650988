"""The wiring of the referrals service."""

from chassis.jwe import Opener
from chassis.sealing import Vault
from chassis.service import Service
from chassis.tokens import Tokens
from contracts.catalogue import topics_read
from contracts.door import ReferralSubmitted
from services.referrals.api import internal, routes
from services.referrals.clients.outbox import Outbox
from services.referrals.domain.priority import Policy
from services.referrals.events_in import acts, handlers
from services.referrals.handlers.submission import Programme, opening
from services.referrals.settings import ReferralsSettings
from services.referrals.store import Store
from services.referrals.store.persons import HELD


def build(settings: ReferralsSettings) -> Service:
    programme = Programme(Policy(), Opener(settings.jwe_key), Vault(settings.programme_key))
    return Service(
        name="referrals",
        reads=topics_read("referrals"),
        store=Store,
        handlers=handlers(programme),
        prepare={ReferralSubmitted: opening(programme)},
        results=acts(programme),
        routers=lambda running: [routes(running, programme, Outbox(settings.kafka))],
        internal=lambda running: [internal(running, programme, Tokens(settings.token_key))],
        answers_unknown=True,
        held=HELD,
    )
