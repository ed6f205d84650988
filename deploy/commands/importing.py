"""`furthest import`: a waiting list that was kept elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.console import DEFAULT_DIR, AsJson, By, Dir, Reason, err, out, progress, show
from deploy.desk import desk
from deploy.waiting_list import Imported, take_over
from deploy.where import site_of


def import_(
    file: Annotated[Path, typer.Argument(help="CSV, or JSON lines: a referral as over HTTP, with received_on.")],
    partner: Annotated[str, typer.Option(help="Who referred these people.")],
    reason: Reason,
    by: By,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Take over an existing waiting list: each person keeps the day since which they wait. May be repeated.

    Good rows are taken, others listed with what is wrong; exit code 1 where there are any.
    """
    with desk(site_of(dir), "referrals", "staff", by) as referrals:
        done = take_over(file, partner, reason, referrals, progress(as_json))
    show({"taken": done.taken, "refused": done.refused}, as_json, lambda: _show(done))
    if done.refused:
        raise typer.Exit(1)


def _show(done: Imported) -> None:
    out.print(f"People taken over: {done.taken}.")
    for each in done.refused:
        for error in each["errors"]:
            told = f"  row {each['row']} ({each['reference']}), {error['field']}: {error['message']} {error['mend']}"
            err.print(told, highlight=False)
