"""`furthest topics`: topics, users and access of Kafka."""

import time
from typing import Annotated, Final

import typer

from deploy import provision
from deploy.console import DEFAULT_DIR, AsJson, Dir, err, out, show
from deploy.where import site_of

LOOK_EVERY: Final = 1.0

app = typer.Typer(no_args_is_help=True, help="Topics, users and access of Kafka.")


@app.command()
def apply(dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Make the topics, users and rights that the catalogue asks for. May be repeated."""
    topics = provision.apply_kafka(site_of(dir))
    show(topics, as_json, lambda: out.print(f"{len(topics)} topics are as they should be."))


@app.command()
def whole(
    within: Annotated[float, typer.Option(min=0, max=3600, help="Seconds to wait for it.")] = 0,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Tell whether every partition has all its copies in step. Exit code 1 where one lacks some."""
    admin, deadline = site_of(dir).admin(), time.monotonic() + within
    while (lacking := admin.lacking()) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    show({"lacking": lacking}, as_json, lambda: _show(lacking))
    if lacking:
        raise typer.Exit(1)


def _show(lacking: list[str]) -> None:
    if not lacking:
        out.print("Every partition has all its copies.")
    else:
        err.print(f"{len(lacking)} partitions lack a copy, such as {', '.join(lacking[:3])}.", highlight=False)
