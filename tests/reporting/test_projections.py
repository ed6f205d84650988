"""Tables are what the log says, in whichever order topics are heard and however often a fact comes."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.service import Service
from chassis.work import Batch
from contracts.catalogue import consumed_by
from contracts.grants import (
    ApplicationAssessed,
    ApplicationDeclined,
    ApplicationSubmitted,
    ApplicationWithdrawn,
    FundOpened,
    GrantAwarded,
    PaymentMade,
    RoundOpened,
    UnderspendReturned,
)
from contracts.matching import (
    GapClosed,
    GapRecorded,
    NeedEscalated,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferMade,
    OfferWithdrawn,
    PlaceChanged,
    PlaceOpened,
    ProviderRegistered,
    SupportEnded,
    SupportStarted,
)
from contracts.message import Message
from contracts.notifications import CallRequested, NotificationFailed, NotificationSent, NotificationWithheld
from contracts.referrals import AreasLoaded, PartnerRegistered, ReferralClosed, ReferralWithdrawn
from contracts.stock import DirectHelpGiven, LoanChanged
from services.reporting.events_in import EVENTS_IN
from tests.reporting.builders import (
    GIPTON,
    a,
    areas,
    dump,
    empty,
    moved,
    need_id,
    received,
    referral_id,
    reporting,
)
from tests.support import Stage, fact_event, usual

Put = Callable[[Service], Awaitable[Stage]]
OF_ONE = {"referral_id": referral_id(1), "need_id": need_id(1)}


async def replay(stage: Stage, log: list[tuple[int, Message]]) -> dict[str, list[dict[str, Any]]]:
    """The tables after hearing facts, each with the identity it has in the log."""
    await empty(stage)
    events = [fact_event(fact, event_id=UUID(int=position + 1)) for position, fact in log]
    outcome = await stage.worker.run(Batch("reporting", events))
    assert not outcome.failed
    return await dump(stage)


def a_life() -> list[Message]:
    """What is said of three referrals and of the world around them, in an order that could be."""
    world: list[Message] = [
        a(PartnerRegistered),
        areas(E05011400="Gipton & Harehills"),
        a(AreasLoaded, version="IMD 2030"),
        a(ProviderRegistered),
        a(PlaceOpened),
        a(PlaceChanged, capacity=9),
        a(FundOpened),
        a(RoundOpened),
        a(ApplicationSubmitted),
        a(GrantAwarded),
        a(ApplicationDeclined, application_id=UUID(int=5)),
        a(ApplicationSubmitted, application_id=UUID(int=6)),
        a(ApplicationAssessed, application_id=UUID(int=6)),
        a(GrantAwarded, application_id=UUID(int=6)),
        a(PaymentMade, application_id=UUID(int=6)),
        a(ApplicationWithdrawn, application_id=UUID(int=6)),
        a(DirectHelpGiven),
    ]
    for number in (1, 2, 3):
        of = {"referral_id": referral_id(number), "need_id": need_id(number)}
        offer = {**of, "offer_id": UUID(int=number)}
        world += [
            received(number),
            a(GapRecorded, **of),
            moved(number, "on-hold", reason="no-place-suits"),
            a(GapClosed, **of),
            a(NeedWaiting, **of),
            a(OfferMade, **offer),
            moved(number, "offered"),
            a(OfferDeclined if number == 2 else OfferAccepted, **offer),
            moved(number, "accepted"),
            a(NotificationSent, **of),
            a(SupportStarted, **of),
            moved(number, "in-progress"),
            a(LoanChanged, **of),
            a(NeedEscalated, **of),
            a(SupportEnded, **of),
            a(ReferralWithdrawn, referral_id=of["referral_id"], need_ids=[of["need_id"]]),
            moved(number, "completed", outcome="helped"),
            a(ReferralClosed, referral_id=of["referral_id"]),
            a(OfferWithdrawn, **offer),
            a(CallRequested, **of),
        ]
    return world


def test_every_fact_that_the_catalogue_gives_reporting_has_a_handler() -> None:
    assert {model.spec.type for model in EVENTS_IN} == set(consumed_by("reporting"))


async def test_a_referral_is_a_row_and_so_is_each_need(on: Stage) -> None:
    await on.hear(received(1, ("device", "champion")))
    (row,) = await on.rows("select partner, area, score, closed_at from referral")
    assert row == {"partner": "gp-armley", "area": GIPTON, "score": 40, "closed_at": None}
    assert await on.rows("select kind, status from need order by need_id") == [
        {"kind": "device", "status": "requested"},
        {"kind": "champion", "status": "requested"},
    ]


async def test_a_status_that_comes_before_its_referral_is_kept(on: Stage) -> None:
    await on.hear(moved(1, "on-hold"))
    await on.hear(received(1))
    assert await on.rows("select status from need") == [{"status": "on-hold"}]


async def test_the_last_of_several_statuses_in_one_poll_stands(on: Stage) -> None:
    await on.hear(received(1), moved(1, "on-hold"), moved(1, "offered"), moved(1, "accepted"))
    assert await on.rows("select status from need") == [{"status": "accepted"}]


async def test_a_need_that_only_matching_spoke_of_is_counted_by_nobody(on: Stage) -> None:
    await on.hear(a(NeedWaiting, **OF_ONE))
    assert await on.rows("select status from need") == [{"status": None}]


async def test_an_offer_that_ended_is_not_made_again_by_its_beginning(on: Stage) -> None:
    await on.hear(a(OfferAccepted))
    await on.hear(a(OfferMade))
    assert await on.rows("select state, kind from offer") == [{"state": "accepted", "kind": "device"}]


async def test_a_gap_is_open_until_it_is_closed(on: Stage) -> None:
    await on.hear(a(GapRecorded))
    assert await on.rows("select is_open from gap") == [{"is_open": True}]
    await on.hear(a(GapClosed), a(GapRecorded), a(GapClosed))
    assert await on.rows("select is_open from gap") == [{"is_open": False}]


async def test_an_older_version_of_the_areas_does_not_replace_a_newer_one(on: Stage) -> None:
    await on.hear(a(AreasLoaded, version="IMD 2030"))
    await on.hear(a(AreasLoaded, version="IMD 2025"))
    assert await on.rows("select version from area") == [{"version": "IMD 2030"}]


async def test_each_notification_is_a_row_with_what_came_of_it(on: Stage) -> None:
    await on.hear(a(NotificationSent), a(NotificationFailed), a(NotificationWithheld), a(CallRequested))
    assert await on.rows("select result, channel, reason from notification order by result") == [
        {"result": "call-requested", "channel": "phone", "reason": None},
        {"result": "failed", "channel": "email", "reason": "refused"},
        {"result": "sent", "channel": "email", "reason": None},
        {"result": "withheld", "channel": None, "reason": "no-safe-channel"},
    ]


async def test_an_award_keeps_what_was_asked_for(on: Stage) -> None:
    await on.hear(a(GrantAwarded, amount_pence=400_000))
    await on.hear(a(ApplicationSubmitted))
    assert await on.rows("select state, asked_pence, awarded_pence from application") == [
        {"state": "awarded", "asked_pence": 500_000, "awarded_pence": 400_000}
    ]


async def test_what_is_paid_returned_and_given_up_is_told_of_a_grant(on: Stage) -> None:
    await on.hear(a(ApplicationSubmitted), a(ApplicationAssessed), a(GrantAwarded), a(PaymentMade))
    state = "select state, points, awarded_pence, paid_pence, wards from application"
    one = {"points": 7250, "paid_pence": 250_000, "wards": [GIPTON]}
    assert await on.rows(state) == [{"state": "awarded", "awarded_pence": 500_000, **one}]
    await on.hear(a(UnderspendReturned))
    assert await on.rows(state) == [{"state": "awarded", "awarded_pence": 490_000, **one}]
    await on.hear(a(ApplicationWithdrawn))
    assert await on.rows(state) == [{"state": "withdrawn", "awarded_pence": None, **one}]


async def test_no_table_has_or_holds_a_person_ref(on: Stage) -> None:
    fact = received(1)
    await on.hear(fact)
    kept = await dump(on)
    assert str(fact.referral_id) in str(kept)
    assert str(fact.person_ref) not in str(kept)
    assert await on.rows("select 1 from information_schema.columns where column_name like '%person%'") == []


async def test_the_same_facts_heard_again_change_nothing(stage: Put) -> None:
    """The inbox forgets after 30 days; the tables must not count twice even then."""
    on = await stage(reporting())
    log = list(enumerate(a_life()))
    once = await replay(on, log)
    outcome = await on.worker.run(Batch("reporting", [fact_event(f, event_id=UUID(int=n + 1)) for n, f in log]))
    assert not outcome.failed
    assert await dump(on) == once


@pytest.mark.invariant(1)
@given(order=st.randoms(use_true_random=False))
@settings(max_examples=usual(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_interleaving_of_topics_ends_the_same(on: Stage, order: Any) -> None:
    """A key keeps its order on its topic; nothing else does."""
    log = list(enumerate(a_life()))
    queues: dict[tuple[str, str], list[tuple[int, Message]]] = {}
    for position, fact in log:
        queues.setdefault((fact.spec.topic, fact.key()), []).append((position, fact))
    shuffled = []
    while queues:
        one = order.choice(sorted(queues))
        shuffled.append(queues[one].pop(0))
        queues = {key: rest for key, rest in queues.items() if rest}
    assert await replay(on, shuffled) == await replay(on, log)
