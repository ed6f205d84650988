"""`furthest grants`: what is awarded, on which terms, and what is paid of it."""

from datetime import date
from typing import Annotated, Any, Literal

import typer

from deploy.console import DEFAULT_DIR, AsJson, By, Dir, out, show
from deploy.grant_office import Advice, Amount, Application, ask_about, pence
from deploy.grant_tables import pounds

app = typer.Typer()

Basis = Literal["no-subsidy", "minimal-financial-assistance", "other-scheme"]


@app.command()
def award(
    application: Application,
    amount: Amount,
    by: By,
    under: Annotated[str | None, typer.Option(help="The delegated decision that it rests on.")] = None,
    instalment: Annotated[
        list[str] | None,
        typer.Option(help="DAY=POUNDS, or DAY=POUNDS:WHAT where that is to be shown first. May be repeated."),
    ] = None,
    report: Annotated[list[str] | None, typer.Option(help="The day on which one is due. May be repeated.")] = None,
    subsidy: Annotated[Basis, typer.Option(help="Whether it is one in law.")] = "no-subsidy",
    received: Annotated[float, typer.Option(min=0, help="Of such help in three years before, in pounds.")] = 0,
    reserve: Annotated[bool, typer.Option("--reserve", help="Put it on the reserve list instead.")] = False,
    advice: Advice = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Promise money to an application, at once or by instalments, or put it on the reserve list."""
    body = {
        "amount_pence": pence(amount),
        "decided_under": under,
        "schedule": [_instalment(each) for each in instalment or ()],
        "reports_due": report or [],
        "subsidy": {"basis": subsidy, "received_pence": pence(received)},
        "advice": advice,
    }
    told = ask_about(dir, by, application, "/reserve" if reserve else "/award", body, "approver")
    done = "is on the reserve list for" if reserve else "is awarded"
    sentence = f"{application} {done} £{pounds(told['amount_pence'])}."
    show(told, as_json, lambda: out.print(sentence, highlight=False))


def _instalment(text: str) -> dict[str, Any]:
    day, _, rest = text.partition("=")
    amount, _, evidence = rest.partition(":")
    try:
        due_on, asked = date.fromisoformat(day), pence(float(amount))
    except ValueError:
        raise typer.BadParameter("Write an instalment as 2027-01-31=2000, or 2027-01-31=2000:Receipts.") from None
    return {"due_on": due_on.isoformat(), "amount_pence": asked, "evidence": evidence or None}


@app.command()
def decline(
    application: Application,
    by: By,
    reason: Annotated[str, typer.Option(help="A code: outside-budget, low-score, not-eligible, or one of your own.")],
    advice: Advice = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Turn an application down."""
    told = ask_about(dir, by, application, "/decline", {"reason": reason, "advice": advice}, "approver")
    show(told, as_json, lambda: out.print(f"{application} is declined: {reason}."))


@app.command()
def pay(
    application: Application,
    amount: Amount,
    by: By,
    instalment: Annotated[int, typer.Option(min=1, help="Which of its schedule.")] = 1,
    evidence: Annotated[str | None, typer.Option(help="What was shown for it.")] = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Record that an instalment was paid."""
    body = {"instalment": instalment, "amount_pence": pence(amount), "evidence": evidence}
    told = ask_about(dir, by, application, "/payments", body)
    show(told, as_json, lambda: out.print(f"£{pounds(told['paid_pence'])} of {application} is paid.", highlight=False))


@app.command("return")
def give_back(
    application: Application,
    amount: Amount,
    by: By,
    why: Annotated[str, typer.Option(help="For the history.")],
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Record money that was paid, not spent, and came back. The reserve list moves up."""
    told = ask_about(dir, by, application, "/returns", {"amount_pence": pence(amount), "why": why})
    left = f"{application} has £{pounds(told['awarded_pence'])} now."
    show(told, as_json, lambda: out.print(left, highlight=False))
