"""What the grants commands show on a terminal."""

from typing import Any

from rich.box import SIMPLE
from rich.table import Column, Table

from deploy.console import err, out


def pounds(pence: int | None) -> str:
    return "" if pence is None else f"{pence / 100:,.2f}"


def points(hundredths: int | None) -> str:
    return "" if hundredths is None else f"{hundredths / 100:.2f}"


def show_applications(found: dict[str, Any]) -> None:
    table = Table(
        "application", "organisation", "title", Column("asked, £", justify="right"), "is", "points", "gap", box=None
    )
    for each in found["applications"]:
        alike = " (see others)" if each["may_be_duplicates"] else ""
        table.add_row(
            each["application_id"],
            each["organisation_name"] + alike,
            each["title"],
            pounds(each["amount_pence"]),
            each["status"] + (", to moderate" if each["needs_moderation"] else ""),
            points(each["points"]),
            str(each["gap_points"]),
        )
    out.print(table)
    left = f"£{pounds(found['remaining_pence'])} of £{pounds(found['budget_pence'])} is left."
    out.print(f"{len(found['applications'])} applications; {left}")


def show_scores(rows: list[dict[str, Any]]) -> None:
    table = Table("application", "assessor", "criteria", Column("points", justify="right"), "comment", box=None)
    last = None
    for row in rows:
        criteria = ", ".join(f"{code} {given}" for code, given in (row["scores"] or {}).items())
        first = row["application_id"] if row["application_id"] != last else ""
        last = row["application_id"]
        table.add_row(first, row["assessor"], criteria or "not scored yet", points(row["points"]), row["comment"] or "")
    out.print(table)


def show_ranking(found: dict[str, Any]) -> None:
    numbers = [Column(name, justify="right") for name in ("points", "gap", "total", "asked, £", "so far, £")]
    table = Table("rank", "organisation", "title", *numbers, "is", box=SIMPLE)
    for each, after in zip(found["ranked"], [*found["ranked"][1:], None], strict=True):
        is_last_funded = each["is_funded"] and after is not None and not after["is_funded"]
        table.add_row(
            str(each["rank"]),
            each["organisation_name"],
            each["title"],
            points(each["points"]),
            str(each["gap_points"]),
            points(each["total"]),
            pounds(each["awarded_pence"] or each["amount_pence"]),
            pounds(each["running_pence"]),
            each["status"],
            style=None if each["is_funded"] else "dim",
            end_section=is_last_funded,
        )
    out.print(table)
    out.print(f"The budget is £{pounds(found['budget_pence'])}; the line is drawn where it ends.")


def show_imported(told: dict[str, Any]) -> None:
    out.print(f"Past grants loaded: {told['loaded']}; known before: {told['known']}.")
    for each in told["bad"]:
        err.print(f"  record {each['row']}, {each['field']}: {each['message']} (left out)", highlight=False)
