"""`furthest replay`: who was next, and why, from the log alone."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.table import Table

from contracts.vocabulary import KINDS, Kind
from deploy.console import DEFAULT_DIR, AsJson, Dir, err, out, progress, show
from deploy.replay import Compared, compare
from deploy.where import site_of
from services.matching.domain.fit import PlaceKey

SHOWN: Final = 5

At = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"], help="As of then, in UTC; else now."),
]
OfKind = Annotated[Kind | None, typer.Option(help="Only this kind of help.")]


def replay(at: At = None, kind: OfKind = None, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Make every decision of matching again from its facts, and the order of the queue, and compare with what it has.

    Exit code 1 where a match or the order is another.
    """
    then = at and at.replace(tzinfo=UTC)
    found = asyncio.run(compare(site_of(dir), [kind] if kind else sorted(KINDS), then, progress(as_json)))
    show({"at": then, "kinds": {each.kind: each.document() for each in found}}, as_json, lambda: _show(found))
    if not all(each.is_same for each in found):
        err.print("The log and the tables of matching do not say the same.", highlight=False)
        raise typer.Exit(1)


def _show(found: Sequence[Compared]) -> None:
    table = Table("kind", "decisions", "otherwise", "not in the log", "waiting", "order of the queue", box=None)
    for each in found:
        queue = {None: "", True: "same", False: "differs"}[each.queue_is_same]
        counts = (len(each.made.decisions), len(each.otherwise), len(each.not_in_log), len(each.made.queue))
        table.add_row(each.kind, *(f"{n:,}" for n in counts), queue)
    out.print(table)
    for each in found:
        for decision, in_tables in each.otherwise[:SHOWN]:
            out.print(
                f"{each.kind} {decision.number}: need {decision.need_id} was given {_place(decision.place)}, "
                f"by the rules {_place(decision.again)}, in the tables "
                f"{f'need {in_tables[0]} {_place(in_tables[1])}' if in_tables else 'nobody anything'}",
                soft_wrap=True,
            )
        if each.not_in_log:
            out.print(f"{each.kind}: no fact tells of {', '.join(map(str, each.not_in_log[:SHOWN]))}", soft_wrap=True)
        if each.queue_apart:
            position, in_log, stored = each.queue_apart
            out.print(
                f"{each.kind}: at {position} in the queue is need {in_log or 'nobody'} by the log, "
                f"{stored or 'nobody'} in the tables",
                soft_wrap=True,
            )
        if each.made.untold:
            out.print(f"{each.kind}: {each.made.untold:,} facts were said before they told their reasons.")


def _place(key: PlaceKey | None) -> str:
    return "/".join(key) if key else "nothing"
