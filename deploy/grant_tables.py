"""What the commands of grants show on a terminal, which may have 80 columns."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.table import Column, Table

from contracts.calendar import LONDON
from deploy.console import err, out
from deploy.grant_office import short

Row = Mapping[str, Any]


def pounds(pence: int | None) -> str:
    """Pence only where there are some."""
    if pence is None:
        return ""
    return f"{pence / 100:,.2f}" if pence % 100 else f"{pence // 100:,}"


def points(hundredths: int | None) -> str:
    return "" if hundredths is None else f"{hundredths / 100:.1f}"


def moment(iso: str) -> str:
    """In London, where deadlines are."""
    return f"{datetime.fromisoformat(iso).astimezone(LONDON):%d %b %Y %H:%M:%S}"


def number(name: str) -> Column:
    return Column(name, justify="right", no_wrap=True)


def cut(text: str, others: int) -> str:
    """What of it fits on one line beside columns that take so much of the terminal."""
    width = max(12, out.width - others)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def fold(name: str) -> Column:
    return Column(name, overflow="fold")


def whole(name: str) -> Column:
    return Column(name, no_wrap=True)


def show_rounds(rounds: Iterable[Row]) -> None:
    table = Table(whole("round"), "fund", "is", whole("deadline, London"), number("budget, £"), number("applied"))
    _plain(table)
    for each in rounds:
        told = each["round_id"], each["fund_name"], each["phase"], moment(each["closes_at"])
        table.add_row(*told, pounds(each["budget_pence"]), str(each["applications"]))
    out.print(table)


def show_applications(found: Row) -> None:
    numbers = number("asked, £"), number("points"), number("need")
    table = _plain(Table(whole("id"), whole("organisation"), *numbers, "is"))
    for each in found["applications"]:
        alike = ", like another" if each["may_be_duplicates"] else ""
        table.add_row(
            short(each["application_id"]),
            cut(each["organisation_name"], 50),
            pounds(each["amount_pence"]),
            points(each["points"]),
            str(each["gap_points"]),
            each["status"] + (", to moderate" if each["needs_moderation"] else "") + alike,
        )
    out.print(table)
    left = f"£{pounds(found['remaining_pence'])} of £{pounds(found['budget_pence'])} is left."
    out.print(f"{len(found['applications'])} applications; {left}", highlight=False)


def show_assigned(rows: list[dict[str, Any]]) -> None:
    """How many each assessor has, and how many have nobody yet."""
    each = Counter(row["assessor"] for row in rows)
    of_one = Counter(row["application_id"] for row in rows)
    for assessor, n in sorted(each.items()):
        out.print(f"  {assessor:<24}{n:>5}", highlight=False)
    how_many = ", ".join(f"{n} with {k}" for k, n in sorted(Counter(of_one.values()).items()))
    out.print(f"{len(of_one)} applications are given out: {how_many or 'none'}.", highlight=False)


def show_scores(rows: list[dict[str, Any]]) -> None:
    codes = list(dict.fromkeys(code for row in rows for code in row["scores"] or ()))
    table = _plain(Table(whole("id"), "organisation", "assessor", *map(number, codes), number("points"), "comment"))
    last = None
    for row in rows:
        is_first, last = row["application_id"] != last, row["application_id"]
        given = row["scores"] or {}
        table.add_row(
            short(row["application_id"]) if is_first else "",
            row["organisation_name"] if is_first else "",
            row["assessor"],
            *(str(given.get(code, "")) for code in codes),
            points(row["points"]),
            row["comment"] or ("" if given else "not scored yet"),
        )
    out.print(table)


def show_ranking(found: Row) -> None:
    numbers = [number(name) for name in ("points", "need", "£", "so far, £")]
    table = _plain(Table(number("rank"), whole("id"), whole("organisation"), *numbers, whole("is")))
    for each, after in zip(found["ranked"], [*found["ranked"][1:], None], strict=True):
        table.add_row(
            str(each["rank"]),
            short(each["application_id"]),
            cut(each["organisation_name"], 60),
            points(each["total"]),
            str(each["gap_points"]),
            pounds(each["awarded_pence"] or each["amount_pence"]),
            pounds(each["running_pence"]),
            each["status"],
            style=None if each["is_funded"] else "dim",
        )
        if each["is_funded"] and after is not None and not after["is_funded"]:
            table.add_row("", "────────", "[bold]the budget ends[/bold]", *["─────"] * 4, "───────")
    out.print(table)
    left = found["budget_pence"] - found["awarded_pence"]
    told = f"£{pounds(found['awarded_pence'])} of £{pounds(found['budget_pence'])} is awarded, £{pounds(left)} is left."
    out.print(told, highlight=False)
    out.print("Points are of the assessors and, of them, those for need.", highlight=False)


def show_history(found: Iterable[Row]) -> None:
    table = _plain(Table(whole("when, London"), fold("who"), fold("did"), whole("id"), fold("why")))
    for each in found:
        told = moment(each["at"]), each["by"], each["what"].replace("-", " "), short(each["application_id"])
        table.add_row(*told, each["why"] or "")
    out.print(table)


def show_ledger(found: list[dict[str, Any]]) -> None:
    if not found:
        out.print("No place that a grant of this round pays for is open yet.")
        return
    numbers = number("award, £"), number("places"), number("closed gaps")
    table = _plain(Table(whole("id"), whole("organisation"), whole("kind"), whole("area"), *numbers))
    for each in found:
        name = cut(each["organisation_name"], 64)
        told = short(each["application_id"]), name, each["kind"], each["area"] or ""
        people = ("1 to 7" if each["area"] else "") if each["people"] is None else str(each["people"])
        table.add_row(*told, pounds(each["awarded_pence"]), str(each["capacity"]), people)
    out.print(table)


def show_application(each: Row) -> None:
    """All of one application."""
    lines = {
        "application": each["application_id"],
        "organisation": f"{each['organisation_name']}, {each['organisation_id']}",
        "title": each["title"],
        "asks for": f"£{pounds(each['amount_pence'])}",
        "for": f"{', '.join(each['kinds'])} in {', '.join(each['wards']) or 'the whole city'}",
        "is": each["status"] + (", to moderate" if each["needs_moderation"] else ""),
        "points": points(each["points"]),
        "need": _need(each),
        "awarded": each["awarded_pence"] and f"£{pounds(each['awarded_pence'])} under {each['decided_under'] or '-'}",
        "paid": each["paid_pence"] and f"£{pounds(each['paid_pence'])}",
        "declined": each["decline_reason"],
        "advice": each["advice"],
        "attached": ", ".join(file["name"] for file in each["attachments"]),
        "had before": "; ".join(f"£{pounds(p['amount_pence'])}, {p['award_date']}" for p in each["past_awards"]),
    }
    for name, value in lines.items():
        if value:
            out.print(f"  {name:<14}{value}", highlight=False, markup=False, soft_wrap=True)
    for part in each["schedule"]:
        due = f"£{pounds(part['pence'])} by {part['due_on']}, £{pounds(part['paid_pence'])} paid"
        needs = f"; needs {part['evidence']}" if part["evidence"] else ""
        out.print(f"  instalment {part['nth']}  {due}{needs}", highlight=False, markup=False)
    for report in each["reports"]:
        came = f"came {moment(report['reported_at'])}" if report["reported_at"] else "has not come"
        out.print(f"  report        due {report['due_on']}, {came}", highlight=False)


def show_imported(told: Row) -> None:
    out.print(f"Past grants loaded: {told['loaded']}; known before: {told['known']}.")
    for each in told["bad"]:
        err.print(f"  record {each['row']}, {each['field']}: {each['message']} (left out)", highlight=False)


def _need(each: Row) -> str | None:
    weight = each["gap_weight"]
    if not weight:
        return None
    cells = [
        f"{cell['kind']} in {cell['area']}: {'1 to 7' if cell['people'] is None else cell['people']} wait"
        + (", low reach" if cell["low_reach"] else "")
        for cell in weight["cells"]
    ]
    met = f"{weight['points']} of {weight['of']} points: it meets {weight['met']}, the most is {weight['most_met']}"
    return "\n                ".join([met, *cells])


def _plain(table: Table) -> Table:
    table.box, table.pad_edge = None, False
    return table
