"""The wiring of the referrals service."""

from chassis.jwe import Opener
from chassis.sealing import Vault
from chassis.service import Service
from chassis.tokens import Tokens
from contracts.catalogue import topics_read
from contracts.changes import GroupReferralSubmitted, ReferralAmendmentRequested
from contracts.door import ReferralSubmitted
from services.referrals.api import for_services, routes
from services.referrals.clients.outbox import Outbox
from services.referrals.events_in import acts, due, handlers
from services.referrals.handlers.amending import opening_amendment
from services.referrals.handlers.gate import Gate
from services.referrals.handlers.group import opening_group
from services.referrals.handlers.importing import ImportReferral, opening_import
from services.referrals.handlers.submission import Programme, opening
from services.referrals.settings import ReferralsSettings
from services.referrals.store import Store, contacting, people, sims
from services.referrals.store.persons import HELD


def build(settings: ReferralsSettings) -> Service:
    programme = Programme(Opener(settings.jwe_key), Vault(settings.programme_key))
    gate = Gate(programme, settings.public_url)
    return Service(
        name="referrals",
        reads=topics_read("referrals"),
        store=Store,
        handlers=handlers(programme),
        prepare={
            ReferralSubmitted: opening(programme),
            ReferralAmendmentRequested: opening_amendment(programme),
            GroupReferralSubmitted: opening_group(programme),
            ImportReferral: opening_import(programme),
        },
        due=due(programme),
        results=acts(programme),
        routers=lambda running: routes(running, gate, Outbox(settings.kafka)),
        internal=lambda running: [for_services(running, gate, Tokens(settings.token_key))],
        answers_unknown=True,
        held={**HELD, **contacting.HELD, **sims.HELD, **people.HELD},
    )
