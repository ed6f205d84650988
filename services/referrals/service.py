"""The wiring of the referrals service."""

from functools import partial

from chassis.jwe import Opener
from chassis.sealing import Vault
from chassis.service import Service
from chassis.tokens import Tokens
from contracts.catalogue import topics_read
from contracts.changes import GroupReferralSubmitted, ReferralAmendmentRequested
from contracts.door import ReferralSubmitted
from services.referrals.api import for_services, routes
from services.referrals.clients.outbox import Outbox
from services.referrals.events_in import ACTS, DUE, handlers
from services.referrals.handlers.amending import opening_amendment
from services.referrals.handlers.gate import Gate
from services.referrals.handlers.group import opening_group
from services.referrals.handlers.importing import ImportReferral, on_import_referral, opening_import
from services.referrals.handlers.sims import WriteSim, WriteSimForProvider, on_write_sim
from services.referrals.handlers.submission import Programme, opening
from services.referrals.settings import ReferralsSettings
from services.referrals.store import Store, contacting, sims
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
        due=DUE,
        results={
            **ACTS,
            ImportReferral: partial(on_import_referral, programme),
            **dict.fromkeys((WriteSim, WriteSimForProvider), partial(on_write_sim, programme)),
        },
        routers=lambda running: routes(running, gate, Outbox(settings.kafka)),
        internal=lambda running: [for_services(running, gate, Tokens(settings.token_key))],
        answers_unknown=True,
        held={**HELD, **contacting.HELD, **sims.HELD},
    )
