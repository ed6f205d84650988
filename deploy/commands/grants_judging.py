"""`furthest grants`: who assesses, what they gave, and how it ranks."""

from typing import Annotated

import typer

from deploy.console import DEFAULT_DIR, AsJson, By, Dir, out, show
from deploy.grant_office import Application, Round, ask, ask_about
from deploy.grant_tables import points, show_assigned, show_ranking, show_scores

app = typer.Typer()

As = Annotated[str, typer.Option("--as", help="The assessor, by the name that staff gave.")]


@app.command()
def assessor(
    name: Annotated[str, typer.Argument(help="As their key names them: furthest key add --role assessor.")],
    by: By,
    organisation: Annotated[list[str] | None, typer.Option(help="They work for it. May be repeated.")] = None,
    interest: Annotated[list[str] | None, typer.Option(help="In a councillor's register. May be repeated.")] = None,
    ward: Annotated[list[str] | None, typer.Option(help="A councillor's ward. May be repeated.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="They are given nothing more.")] = False,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Name an assessor with all their interests, in the place of what was said before."""
    given = {"organisations": organisation or [], "interests": interest or [], "wards": ward or []}
    body = {**given, "is_active": not stop}
    ask(dir, by, "PUT", f"/v1/assessors/{name}", body)
    show({"assessor": name, **body}, as_json, lambda: out.print(f"{name} {'stops' if stop else 'may assess'}."))


@app.command()
def assign(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Give every application the assessors it lacks: evenly, and to nobody with an interest in it."""
    rows = ask(dir, by, "POST", f"/v1/rounds/{round_id}/assignment")
    show(rows, as_json, lambda: show_assigned(rows))


@app.command()
def scores(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Show the scores of a round side by side."""
    rows = ask(dir, by, "GET", f"/v1/rounds/{round_id}/scores")
    show(rows, as_json, lambda: show_scores(rows))


@app.command()
def score(
    application: Application,
    given: Annotated[list[str], typer.Argument(help="Points by criterion, such as need=4 people=3.")],
    assessor: As,
    comment: Annotated[str, typer.Option(help="Why, for the others who assess and decide.")],
    by: By,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Write down what an assessor gives, once, where they do not do so themselves."""
    body = {"scores": _points(given), "comment": comment}
    rows = ask_about(dir, by, application, "/scores", body, "assessor", assessor)
    show(rows, as_json, lambda: show_scores(rows))


def _points(given: list[str]) -> dict[str, int]:
    pairs = [each.partition("=") for each in given]
    if not all(value.isascii() and value.isdecimal() for _, _, value in pairs):
        raise typer.BadParameter("Give points as CRITERION=NUMBER, such as need=4.")
    return {code: int(value) for code, _, value in pairs}


@app.command()
def conflict(
    application: Application,
    assessor: As,
    reason: Annotated[str, typer.Option(help="Why they must not judge it.")],
    by: By,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Declare an assessor's conflict: the application goes to another."""
    ask_about(dir, by, application, "/conflict", {"reason": reason}, "assessor", assessor)
    told = {"application": application, "assessor": assessor, "reason": reason}
    show(told, as_json, lambda: out.print(f"{application} is taken from {assessor}."))


@app.command()
def moderate(
    application: Application,
    settled: Annotated[int, typer.Argument(min=0, max=100, metavar="POINTS", help="Of a hundred.")],
    by: By,
    why: Annotated[str, typer.Option(help="For the history.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Settle the points of an application on which the assessors do not agree."""
    told = ask_about(dir, by, application, "/moderation", {"points": settled, "why": why}, "approver")
    show(told, as_json, lambda: out.print(f"{application} has {points(told['points'])} points.", highlight=False))


@app.command()
def ranking(round_id: Round, by: By, dir: Dir = DEFAULT_DIR, as_json: AsJson = False) -> None:
    """Rank a round, with the line where its budget ends."""
    found = ask(dir, by, "GET", f"/v1/rounds/{round_id}/ranking")
    show(found, as_json, lambda: show_ranking(found))
