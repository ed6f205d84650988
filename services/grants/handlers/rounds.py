"""Staff open funds and rounds, and change them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chassis.envelope import Event
from chassis.facts import Fact, Said, answer, refusal
from contracts.grants import FundOpened
from services.grants.domain.rounds import Round, round_errors
from services.grants.events_out import round_opened
from services.grants.handlers.acts import PutFund, PutRound
from services.grants.store import Store


async def on_put_fund(events: Sequence[Event[PutFund]], store: Store, _at: datetime) -> list[Said]:
    """Nothing is said again of a fund that stays as it is."""
    names = await store.funds({event.data.fund_id for event in events})
    said: list[Said] = []
    for event in events:
        opened = FundOpened(fund_id=event.data.fund_id, name=event.data.name)
        said += [answer(event, opened)]
        said += [Fact(opened, event)] if names.get(opened.fund_id) != opened.name else []
        names[opened.fund_id] = opened.name
    await store.save_funds(names)
    return said


async def on_put_round(events: Sequence[Event[PutRound]], store: Store, _at: datetime) -> list[Said]:
    """Nothing is said again of a round that stays as it is."""
    funds = await store.funds({event.data.fund_id for event in events})
    rounds = await store.lock_rounds({event.data.round_id for event in events})
    said: list[Said] = []
    for event in events:
        wanted, before = _wanted(event.data), rounds.get(event.data.round_id)
        if errors := round_errors(wanted, before, fund_is_open=wanted.fund_id in funds):
            said.append(refusal(event, *errors))
            continue
        wanted = replace(wanted, awarded_pence=before.awarded_pence if before else 0)
        said += [answer(event, round_opened(wanted))]
        said += [Fact(round_opened(wanted), event)] if wanted != before else []
        rounds[wanted.round_id] = wanted
    await store.save_rounds(list(rounds.values()))
    return said


def _wanted(asked: PutRound) -> Round:
    return Round(
        asked.round_id,
        asked.fund_id,
        asked.budget_pence,
        asked.maximum_pence,
        asked.minimum_pence,
        asked.opens_at,
        asked.closes_at,
    )
