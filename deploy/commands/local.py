"""Everything on this machine, without containers: `furthest up`, `down` and `demo`."""

import asyncio
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from deploy.console import DEFAULT_DIR, AsJson, Dir, err, out, progress, show
from deploy.demo.run import fresh_folder, prepare
from deploy.demo.show import links as show_links
from deploy.demo.show import progress as show_progress
from deploy.demo.show import summary as show_summary
from deploy.embedded.stack import Stack, running

DEMO_DIR = Path(".furthest/demo")


def up(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Start what is missing, on this machine, and return when all of it is ready."""
    addresses = Stack(dir, progress(as_json)).up()

    def human() -> None:
        for service, where in addresses["services"].items():
            out.print(f"{service:<14} {where['http']}")
        out.print(f"\nAddresses and credentials: {dir / 'run.json'}\nStop it with: furthest down --dir {dir}")

    show(addresses, as_json, human)


def down(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Stop everything; what was kept stays."""
    Stack(dir, progress(as_json)).down()
    show({"status": "down"}, as_json, lambda: out.print("Everything is stopped."))


def demo(
    referrals: Annotated[int, typer.Option(min=1, max=100_000, help="How many people are referred.")] = 200,
    file: Annotated[Path | None, typer.Option(help="Send these instead: a referral a line, as JSON.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave it running, with links.")] = False,
    dir: Dir = DEMO_DIR,
    as_json: AsJson = False,
) -> None:
    """Show the main job: start everything, refer people over every door, and count every effect."""
    fresh_folder(dir)
    report = progress(as_json)
    with running(dir, report, keep=keep) as stack:
        report("registering three partners")
        with Live(console=err, refresh_per_second=4, transient=True) if not as_json else nullcontext() as live:
            watch = (lambda seen: live.update(show_progress(seen))) if live else (lambda seen: None)
            shown = prepare(stack, referrals, file, watch)
            asyncio.run(shown.run())
        document = asyncio.run(shown.summary())
        show(document, as_json, lambda: asyncio.run(show_summary(out, shown, document)))
        if keep and not as_json:
            show_links(out, shown)
    if document["lost"] or document["doubled"]:
        raise typer.Exit(1)
