"""Staff open funds and rounds, amend them, and move them on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Fact, Said, answer, refusal
from contracts.grants import FundOpened
from contracts.refusal import FieldError
from services.grants import events_out
from services.grants.domain.awards import Application, Book
from services.grants.domain.organisation import recipient_id
from services.grants.domain.rounds import Round, round_errors, stage_errors
from services.grants.handlers.acts import MoveRound, PutFund, PutRound, TopUpRound
from services.grants.handlers.reserve import move_up
from services.grants.handlers.weights import freeze
from services.grants.store import Store
from services.grants.store.assessment import Result
from services.grants.store.rounds import Decision, Fund, TopUp, described
from services.grants.store.rows import Asked


async def on_put_fund(events: Sequence[Event[PutFund]], store: Store, _at: datetime) -> list[Said]:
    """Nothing is said again of a fund that stays as it is."""
    funds = await store.rounds.funds({event.data.fund_id for event in events})
    said: list[Said] = []
    for event in events:
        wanted = _fund(event.data)
        opened = FundOpened(fund_id=wanted.fund_id, name=wanted.name)
        said += [answer(event, opened)]
        said += [Fact(opened, event)] if funds.get(wanted.fund_id) != wanted else []
        funds[wanted.fund_id] = wanted
    await store.rounds.save_funds(list(funds.values()))
    return said


async def on_put_round(events: Sequence[Event[PutRound]], store: Store, at: datetime) -> list[Said]:
    """Nothing is said again of a round that stays as it is; what is amended goes into its history."""
    funds = await store.rounds.funds({event.data.fund_id for event in events})
    rounds = await store.rounds.lock({event.data.round_id for event in events})
    said: list[Said] = []
    decisions: list[Decision] = []
    for event in events:
        asked, before = event.data, rounds.get(event.data.round_id)
        wanted = _round(asked, before)
        if errors := round_errors(wanted, before, at, fund_is_open=wanted.fund_id in funds, why=asked.why):
            said.append(refusal(event, *errors))
            continue
        said += [answer(event, events_out.round_opened(wanted))]
        if wanted != before:
            said.append(Fact(events_out.round_opened(wanted), event))
            decisions.append(_amended(asked, wanted, before))
        rounds[wanted.round_id] = wanted
    await store.rounds.save(list(rounds.values()))
    await store.rounds.record(decisions, at)
    return said


async def on_top_up(events: Sequence[Event[TopUpRound]], store: Store, at: datetime) -> list[Said]:
    rounds = await store.rounds.lock({event.data.round_id for event in events})
    book = await store.applications.book([], rounds)
    said: list[Said] = []
    for event in events:
        asked = event.data
        after = book.top_up(asked.round_id, asked.amount_pence)
        if isinstance(after, FieldError):
            said.append(refusal(event, after))
            continue
        funder = recipient_id(asked.funder.id, None, None)
        await store.rounds.top_up([TopUp(asked.round_id, funder.id, asked.funder.name, asked.amount_pence)], at)
        details = {"pence": asked.amount_pence, "funder": funder.id}
        await store.rounds.record([Decision(asked.by, "topped-up", asked.round_id, details=details)], at)
        said += events_out.both(event, events_out.round_opened(after))
        said += await move_up(event, book, store, asked.round_id, at)
    return said


async def on_move_round(events: Sequence[Event[MoveRound]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        said += await _move(event, store, at)
    return said


async def _move(event: Event[MoveRound], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    round_ = (await store.rounds.lock([asked.round_id])).get(asked.round_id)
    applications = await store.applications.asked_in(asked.round_id)
    statuses = [each.application.status for each in applications]
    scored = bool(round_ and round_.rules.criteria)
    errors = stage_errors(
        round_,
        asked.to,
        at,
        awaited=sum(bool(each.changes_until and each.changes_until > at) for each in applications),
        unassessed=statuses.count("submitted") if scored else 0,
        undecided=statuses.count("assessed") + statuses.count("reserve"),
    )
    if round_ is None or errors:
        return [refusal(event, *errors)]
    await store.rounds.move(asked.round_id, asked.to)
    await store.rounds.record([Decision(asked.by, f"moved-to-{asked.to}", asked.round_id, why=asked.why)], at)
    if asked.to == "assessing":
        await store.applications.close(asked.round_id)
        await freeze(round_, applications, store, at)
    if asked.to == "cancelled":
        return [answer(event, events_out.round_opened(round_)), *await _cancel(event, round_, applications, store, at)]
    if asked.to == "deciding" and not scored:
        open_ = [each.application for each in applications if each.application.status == "submitted"]
        await store.assessment.settle([Result(each.application_id, 0) for each in open_])
        return [
            answer(event, events_out.round_opened(round_)),
            *(Fact(events_out.application_assessed(each, 0, 0), event) for each in open_),
        ]
    return [answer(event, events_out.round_opened(round_))]


async def _cancel(
    event: Event[MoveRound], round_: Round, applications: Sequence[Asked], store: Store, at: datetime
) -> list[Said]:
    """Nobody waits for a decision of a round that is cancelled."""
    by, reason = event.data.by, "round-cancelled"
    book = Book({each.application.application_id: each.application for each in applications}, {round_.round_id: round_})
    declined = [book.decline(application_id, by) for application_id in sorted(book.applications)]
    await store.money.save(book, by, at, reason)
    return [
        Fact(events_out.application_declined(each, reason, []), event)
        for each in declined
        if isinstance(each, Application)
    ]


def _fund(asked: PutFund) -> Fund:
    funder = asked.funder
    if funder is None:
        return Fund(asked.fund_id, asked.name)
    return Fund(asked.fund_id, asked.name, recipient_id(funder.id, None, None).id, funder.name)


def _round(asked: PutRound, before: Round | None) -> Round:
    wanted = Round(
        asked.round_id,
        asked.fund_id,
        asked.budget_pence,
        asked.maximum_pence,
        asked.minimum_pence,
        asked.opens_at,
        asked.closes_at,
        rules=asked.rules,
    )
    return replace(wanted, awarded_pence=before.awarded_pence, stage=before.stage) if before else wanted


def _amended(asked: PutRound, wanted: Round, before: Round | None) -> Decision:
    after = described(wanted)
    then = described(before) if before else {}
    details = {name: {"from": then.get(name), "to": value} for name, value in after.items() if then.get(name) != value}
    return Decision(asked.by, "amended" if before else "opened", wanted.round_id, why=asked.why, details=details)
