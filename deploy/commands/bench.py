"""`furthest bench`: what this machine can do."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from deploy.bench.plan import FIGURES, QUICK, Sizes
from deploy.bench.run import Bench
from deploy.bench.table import show_table
from deploy.console import AsJson, err, out, show


def _figures(asked: str) -> str:
    wanted = [letter.strip() for letter in asked.split(",")]
    if unknown := [letter for letter in wanted if letter not in FIGURES]:
        raise typer.BadParameter(f"There is no figure {', '.join(unknown)}. There are: {', '.join(FIGURES)}.")
    return "".join(wanted)


def bench(
    only: Annotated[str, typer.Option(callback=_figures, help="Only these figures, such as a,c,d.")] = ",".join(
        FIGURES
    ),
    rounds: Annotated[int | None, typer.Option(min=1, max=50, help="Rounds of which the median is told.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer and smaller: shows that it runs.")] = False,
    dir: Annotated[Path | None, typer.Option(help="An empty folder to keep the servers' data in.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure speed, latency, cost and memory, each beside its baseline; starts and stops servers of its own."""
    sizes = QUICK if quick else Sizes()
    sizes = replace(sizes, rounds=rounds) if rounds else sizes
    with tempfile.TemporaryDirectory(prefix="furthest-bench-", ignore_cleanup_errors=True) as folder:
        document = Bench(sizes, only, dir or Path(folder), _report).run()
    show(document, as_json, lambda: show_table(out, document))


def _report(line: str) -> None:
    """Also with --json: it takes minutes, and standard error is for this."""
    err.print(f"[dim]… {line}[/dim]", highlight=False)
