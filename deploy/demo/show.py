"""What the demo shows: how far it is while it runs, and a summary a newcomer can read."""

from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from rich.console import Console, Group
from rich.table import Column, Table
from rich.text import Text

from contracts.message import SERVICES
from deploy.demo.round import MAIL_TO
from deploy.demo.run import Demo
from deploy.demo.story import best, sides, subjects

STAGES = {
    "referrals": "referrals accepted",
    "needs": "needs in them",
    "offered": "offers made by matching",
    "taken": "places taken",
    "waiting": "needs that wait for a place",
    "gaps": "needs that no place suits",
    "notified": "people told by email",
    "call_tasks": "people to be told by a human being",
    "reported": "referrals that reporting counts",
    "partner_answers": "answers partners have read",
}


def progress(demo: Demo) -> Group:
    """One screen: a line for each stage."""
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, label in STAGES.items():
        table.add_row(label, Text(f"{demo.counts.get(name, 0):,}", style="bold", justify="right"))
    left = "counting what is left to do" if demo.left < 0 else f"{demo.left:,} things left to do"
    restarted = f"; started again: {', '.join(demo.restarted)}" if demo.restarted else ""
    sent = sum(s.times for s in demo.plan.submissions)
    return Group(Text(f"{sent:,} messages are sent over Kafka and HTTP; {left}{restarted}", style="dim"), table)


async def summary(console: Console, demo: Demo, document: dict[str, Any]) -> None:
    console.print(
        f"\n[bold]Sent {document['sent']:,}[/bold]: {document['accepted']:,} accepted, "
        f"{document['refused']:,} refused, {document['duplicates_sent']:,} sent twice."
    )
    await _waiting(console, demo)
    _refused(console, demo)
    _told(console, demo)
    _story(console, demo)
    _round(console, demo)
    if demo.restarted:
        console.print(f"\nStarted again after it was killed: {', '.join(demo.restarted)}")
    _owed(console, demo, document)


async def _waiting(console: Console, demo: Demo) -> None:
    conn = await asyncpg.connect(demo.addresses["services"]["referrals"]["database"])
    try:
        rows = await conn.fetch(
            "select status, coalesce(reason, outcome, '') as why, count(*) as n from need group by 1, 2 order by 3 desc"
        )
    finally:
        await conn.close()
    table = Table("how needs stand", "why", Column("needs", justify="right"), box=None)
    for row in rows:
        table.add_row(row["status"], row["why"], Text(f"{row['n']:,}", justify="right"))
    console.print()
    console.print(table)


def _refused(console: Console, demo: Demo) -> None:
    rules = Counter(
        (error["rule"], error["field"], error["message"])
        for told in demo.told
        if told.type == "MessageRefused"
        for error in told.data["errors"]
    )
    table = Table("refused because", "field", "as the partner was told", Column("times", justify="right"), box=None)
    for (rule, field, message), times in rules.most_common():
        table.add_row(rule, field, message, Text(str(times), justify="right"))
    console.print()
    console.print(table)


def _told(console: Console, demo: Demo) -> None:
    kinds = Counter((told.partner, told.type) for told in demo.told)
    table = Table("partner", "was told", Column("times", justify="right"), box=None)
    for (partner, kind), times in sorted(kinds.items()):
        table.add_row(partner, kind, Text(f"{times:,}", justify="right"))
    console.print()
    console.print(table)


def _story(console: Console, demo: Demo) -> None:
    referral = best(demo.told)
    if referral is None:
        return
    url, key = demo.addresses["services"]["referrals"]["http"], demo.grant_keys["staff", "demo"]
    console.print(f"\n[bold]{referral['reference']}, from each side[/bold]", highlight=False)
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=10) as staff:
        told = sides(referral, demo.told, _mails(demo), staff)
    for side, lines in told:
        console.print(f"  [dim]{side}[/dim]", highlight=False)
        for line in lines or ["was told by a human being, or waits to be"]:
            console.print(f"    {line}", highlight=False, markup=False)


def _mails(demo: Demo) -> Path:
    return Path(demo.addresses["mail"]["received"])


def _round(console: Console, demo: Demo) -> None:
    shown = demo.round.shown
    numbers = [Column(name, justify="right") for name in ("points", "for need", "pounds")]
    table = Table("rank", "a grant round", *numbers, "is", box=None)
    for each in shown["ranked"]:
        points, pounds = f"{each['points'] / 100:.1f}", f"{(each['awarded_pence'] or 0) / 100:,.0f}"
        table.add_row(
            str(each["rank"]), each["organisation_name"], points, str(each["gap_points"]), pounds, each["status"]
        )
    console.print()
    console.print(table)
    left = (shown["budget_pence"] - shown["awarded_pence"]) / 100
    console.print(f"£{left:,.0f} of the budget is left; {shown['published']} awards are published in 360Giving.")
    letters = {to: read for to, read in subjects(_mails(demo)).items() if to in MAIL_TO}
    told = sum(map(len, letters.values()))
    console.print(f"{told} letters went to the organisations. One of them read:", highlight=False)
    for subject in max(letters.values(), key=len, default=()):
        console.print(f"    “{subject}”", highlight=False, markup=False)
    closed = shown["wards_with_gaps_closed"]
    console.print(f"A place that a grant pays for was opened: gaps closed in {closed} areas, as the ledger tells.")


def _owed(console: Console, demo: Demo, document: dict[str, Any]) -> None:
    wrong = [line for line in demo.owed if line.lost or line.doubled]
    for line in wrong:
        console.print(f"[red]{line.effect}: {line.lost} lost, {line.doubled} doubled[/red]")
    style = "red" if wrong else "green"
    console.print(
        f"\n[bold {style}]Lost {document['lost']}, doubled {document['doubled']}[/bold {style}] of the effects that "
        f"{len(demo.owed)} rules owe; {document['dead_letters']} dead letters; {document['seconds']} seconds."
    )


def links(console: Console, demo: Demo) -> None:
    services = demo.addresses["services"]
    console.print("\nIt keeps running. Look at:")
    console.print(f"  the numbers      {services['reporting']['http']}/", highlight=False)
    for service in SERVICES:
        console.print(f"  {service:<16} {services[service]['http']}/docs", highlight=False)
    console.print(f"  mails            {demo.addresses['mail']['received']}", highlight=False)
    console.print(f"Stop it with: furthest down --dir {demo.stack.dir}", highlight=False)
