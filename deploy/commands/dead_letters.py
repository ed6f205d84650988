"""`furthest dead-letters`: records that had no effect."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer
from rich.table import Column, Table

from chassis.letter_rows import Warrant, Which
from chassis.settle import Order
from contracts.message import Service
from deploy import dead_letters
from deploy.console import DEFAULT_DIR, AsJson, By, Dir, Reason, Yes, confirm, err, known_service, out, show
from deploy.site import Site
from deploy.where import site_of

LARGEST = 2**63 - 1

app = typer.Typer(no_args_is_help=True, help="Records that had no effect.")


def _known(services: list[str] | None) -> list[str]:
    return [known_service(service) for service in services or ()]


def _utc(time: datetime | None) -> datetime | None:
    return time and time.replace(tzinfo=UTC)


_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
Kind = Literal["unreadable", "unexpected", "parked"]
Of = Annotated[Service, typer.Argument(help="Whose letters.")]
Services = Annotated[
    list[str] | None, typer.Option("--service", callback=_known, help="Only of this service; may be repeated.")
]
Topic = Annotated[str | None, typer.Option(help="Only those read from this topic.")]
OfKind = Annotated[Kind | None, typer.Option("--kind", help="Only those of this kind.")]
Rule = Annotated[str | None, typer.Option(help="Only those whose rule has this text in it.")]
Key = Annotated[str | None, typer.Option(help="Only those of this key.")]
Since = Annotated[datetime | None, typer.Option(formats=_TIMES, help="Only those that died then or later, in UTC.")]
Until = Annotated[datetime | None, typer.Option(formats=_TIMES, help="Only those that died before then, in UTC.")]
Ids = Annotated[
    list[int] | None,
    typer.Argument(min=1, max=LARGEST, help="Their ids. Without any, the options pick them, or all go."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do it, say how it went, and take all of it back.")]
WithParked = Annotated[bool, typer.Option("--with-parked", help="Discard what is parked behind them, too.")]


@app.command("list")
def list_letters(
    service: Services = None,
    topic: Topic = None,
    kind: OfKind = None,
    rule: Rule = None,
    key: Key = None,
    since: Since = None,
    until: Until = None,
    settled: Annotated[bool, typer.Option("--all", help="Also those replayed or discarded.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many of each service.")] = 100,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first."""
    which = Which(topic, kind, rule, key, _utc(since), _utc(until), settled)
    found = asyncio.run(dead_letters.listed(site_of(dir), service or (), which, limit))  # type: ignore[arg-type]  # checked by the callback
    show(found, as_json, lambda: _show_found(found))


@app.command("show")
def show_letter(
    service: Of,
    number: Annotated[int, typer.Argument(min=1, max=LARGEST, help="Its id, from the list.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Explain one: where it lay, which rule, what is parked behind it, what was done. Its body stays sealed."""
    letter = asyncio.run(dead_letters.shown(site_of(dir), service, number))
    show(letter, as_json, lambda: _show_letter(letter))


@app.command()
def replay(
    service: Of,
    reason: Reason,
    by: By,
    ids: Ids = None,
    topic: Topic = None,
    kind: OfKind = None,
    rule: Rule = None,
    key: Key = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Run letters again, by id, or all that the list shows with the same options.

    A key is one transaction: with a letter go all that park its key, in their order. Where one fails, nothing of that
    key is changed, and the exit code is 1. The service may run or not; what it says leaves by its relay.
    """
    which = Which(topic, kind, rule, key, _utc(since), _utc(until))
    order = Order("replay", Warrant(by, reason), rehearse=dry_run)
    _settle(site_of(dir), service, order, ids or [], which, yes, as_json)


@app.command()
def discard(
    service: Of,
    reason: Reason,
    by: By,
    ids: Ids = None,
    topic: Topic = None,
    kind: OfKind = None,
    rule: Rule = None,
    key: Key = None,
    since: Since = None,
    until: Until = None,
    with_parked: WithParked = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Let letters go without effect, by id, or all that the list shows with the same options.

    What is parked behind them is then replayed, in order and in the same transaction; where that fails, nothing is
    discarded either, and the exit code is 1. It goes on waiting where another dead letter holds the key, and is
    discarded too with --with-parked.
    """
    which = Which(topic, kind, rule, key, _utc(since), _utc(until))
    order = Order("discard", Warrant(by, reason), with_parked, rehearse=dry_run)
    _settle(site_of(dir), service, order, ids or [], which, yes, as_json)


def _settle(
    site: Site, service: Service, order: Order, ids: Sequence[int], which: Which, yes: bool, as_json: bool
) -> None:
    if not ids:
        ids = asyncio.run(dead_letters.picked(site, service, which))
        if ids and not (yes or order.rehearse):
            confirm(
                f"{order.act.capitalize()} {len(ids)} dead letters of {service}?", as_json, "look with --dry-run, then"
            )
    elif which != Which():
        raise typer.BadParameter("Name letters by their ids, or pick them by options, not both.")
    else:
        asyncio.run(dead_letters.must_be_unsettled(site, service, ids))
    done = asyncio.run(dead_letters.settle(site, service, order, ids))
    document = dead_letters.document(service, order, done)
    show(document, as_json, lambda: _show_done(document))
    if document["failed"]:
        raise typer.Exit(1)


def _show_found(found: list[dict[str, Any]]) -> None:
    if not found:
        out.print("There are no dead letters.")
        return
    names = ("service", "id", "kind", "topic", "offset", "type", "rule", "field", "when")
    table = Table(*(Column(name, overflow="fold") for name in names), box=None)
    for letter in found:
        place = f"{letter['partition']}/{letter['record_offset']}"
        type_ = (letter["type"] or "").removeprefix("furthest.")
        when = letter["dead_at"].strftime("%Y-%m-%d %H:%M:%S")
        rule = letter["rule"].partition(" < ")[0]
        columns = (letter["kind"], letter["topic"], place, type_, rule, letter["field"] or "", when)
        table.add_row(letter["service"], str(letter["id"]), *columns)
    out.print(table)


def _show_letter(letter: dict[str, Any]) -> None:
    for name, value in letter.items():
        if name == "done":
            text = "; ".join(f"{d['done']} by {d['who']} at {d['at']:%Y-%m-%d %H:%M:%S}: {d['why']}" for d in value)
        else:
            text = str(len(value) if name == "parked_behind" else value)
        out.print(f"  {name:<16}{text}", highlight=False, soft_wrap=True)


def _show_done(document: dict[str, Any]) -> None:
    if not document["keys"]:
        out.print("There are no such dead letters.")
    for key in document["keys"]:
        at = f"{key['topic']} {key['key']}"
        for done in ("discarded", "replayed", "waiting"):
            if key[done]:
                out.print(f"  {at}: {done} {', '.join(str(n) for n in key[done])}", highlight=False, soft_wrap=True)
        if key["failed"] is not None:
            err.print(
                f"  {at}: {key['failed']} fails: {key['rule']}. Nothing of this key was changed.", highlight=False
            )
    if document["dry_run"]:
        out.print("This was a dry run: nothing was changed.")
