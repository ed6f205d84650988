"""Staff open funds and rounds, amend them, and move them on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Fact, Said, answer
from contracts.grants import FundOpened
from contracts.refusal import FieldError
from services.grants import events_out
from services.grants.domain.awards import Application, Book
from services.grants.domain.organisation import recipient_id
from services.grants.domain.rounds import Round, round_errors, stage_errors
from services.grants.handlers.acts import MoveRound, PutFund, PutRound, TopUpRound
from services.grants.handlers.one_by_one import allowed, check
from services.grants.handlers.reserve import move_up
from services.grants.handlers.weights import freeze
from services.grants.store import Store
from services.grants.store.assessment import Result
from services.grants.store.rounds import Decision, Fund, TopUp, described
from services.grants.store.rows import Asked


async def put_fund(event: Event[PutFund], store: Store, _at: datetime) -> list[Said]:
    """Nothing is said again of a fund that stays as it is."""
    wanted = _fund(event.data)
    known = (await store.rounds.funds([wanted.fund_id])).get(wanted.fund_id)
    await store.rounds.save_funds([wanted])
    opened = FundOpened(fund_id=wanted.fund_id, name=wanted.name)
    return [answer(event, opened), *([] if known == wanted else [Fact(opened, event)])]


async def put_round(event: Event[PutRound], store: Store, at: datetime) -> list[Said]:
    """Nothing is said again of a round that stays as it is; what is amended goes into its history."""
    asked = event.data
    funds = await store.rounds.funds([asked.fund_id])
    before = (await store.rounds.lock([asked.round_id])).get(asked.round_id)
    wanted = _round(asked, before)
    check(*round_errors(wanted, before, at, fund_is_open=wanted.fund_id in funds, why=asked.why))
    opened = events_out.round_opened(wanted)
    if wanted == before:
        return [answer(event, opened)]
    await store.rounds.save([wanted])
    await store.rounds.record([_amended(asked, wanted, before)], at)
    return events_out.both(event, opened)


async def top_up(event: Event[TopUpRound], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    book = await store.applications.book([], await store.rounds.lock([asked.round_id]))
    after = allowed(book.top_up(asked.round_id, asked.amount_pence))
    funder = recipient_id(asked.funder.id, None, None)
    await store.rounds.top_up([TopUp(asked.round_id, funder.id, asked.funder.name, asked.amount_pence)], at)
    details = {"pence": asked.amount_pence, "funder": funder.id}
    await store.rounds.record([Decision(asked.by, "topped-up", asked.round_id, details=details)], at)
    told = events_out.both(event, events_out.round_opened(after))
    return [*told, *await move_up(event, book, store, asked.round_id, at)]


async def move(event: Event[MoveRound], store: Store, at: datetime) -> list[Said]:
    asked = event.data
    round_ = (await store.rounds.lock([asked.round_id])).get(asked.round_id)
    applications = await store.applications.asked_in(asked.round_id)
    check(*_stage_errors(round_, applications, asked, at))
    assert round_  # noqa: S101 - else it was refused
    await store.rounds.move(asked.round_id, asked.to)
    await store.rounds.record([Decision(asked.by, f"moved-to-{asked.to}", asked.round_id, why=asked.why)], at)
    told: list[Said] = [answer(event, events_out.round_opened(round_))]
    match asked.to:
        case "assessing":
            await store.applications.close(asked.round_id)
            await freeze(round_, applications, store, at)
        case "cancelled":
            await store.applications.close(asked.round_id)
            told += await _cancel(event, round_, applications, store, at)
        case "deciding" if not round_.rules.criteria:
            told += await _settle_unscored(event, applications, store)
    return told


def _stage_errors(
    round_: Round | None, applications: Sequence[Asked], asked: MoveRound, at: datetime
) -> Sequence[FieldError]:
    statuses = [each.application.status for each in applications]
    return stage_errors(
        round_,
        asked.to,
        at,
        awaited=sum(bool(each.changes_until and each.changes_until > at) for each in applications),
        unassessed=statuses.count("submitted") if round_ and round_.rules.criteria else 0,
        undecided=statuses.count("assessed") + statuses.count("reserve"),
    )


async def _settle_unscored(event: Event[MoveRound], applications: Sequence[Asked], store: Store) -> list[Said]:
    """A round without criteria is decided by need alone."""
    open_ = [each.application for each in applications if each.application.status == "submitted"]
    await store.assessment.settle([Result(each.application_id, 0) for each in open_])
    return [Fact(events_out.application_assessed(each, 0, 0), event) for each in open_]


async def _cancel(
    event: Event[MoveRound], round_: Round, applications: Sequence[Asked], store: Store, at: datetime
) -> list[Said]:
    """Nobody waits for a decision of a round that is cancelled."""
    by, reason = event.data.by, "round-cancelled"
    book = Book({each.application.application_id: each.application for each in applications}, {round_.round_id: round_})
    declined = [book.decline(application_id) for application_id in sorted(book.applications)]
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
