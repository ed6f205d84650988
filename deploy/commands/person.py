"""`furthest person`: what is known of somebody, and their erasure."""

import asyncio
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from deploy import person
from deploy.console import DEFAULT_DIR, AsJson, By, Dir, Reason, confirm, err, out, progress, sentence, show
from deploy.person import Certificate
from deploy.site import Site
from deploy.where import site_of

app = typer.Typer(no_args_is_help=True, help="What is known of a person, and their erasure.")

Ref = Annotated[UUID | None, typer.Argument(help="Their person_ref.")]
Listed = Annotated[
    Path | None,
    typer.Option(
        "--list",
        envvar="FURTHEST_ERASURES",
        dir_okay=False,
        help="A file, kept apart from backups, that each erasure is added to; --again applies what it has, too.",
    ),
]
Within = Annotated[float, typer.Option(min=0, max=3600, help="Seconds to wait for what services confirm.")]


@app.command()
def export(
    reason: Reason,
    by: By,
    ref: Ref = None,
    referral: Annotated[UUID | None, typer.Option(help="A referral of theirs, where the ref is not known.")] = None,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Print all that every service holds of a person, as one JSON document. Who asked, and why, is kept first."""
    if (ref is None) == (referral is None):
        raise typer.BadParameter("Name the person by their ref, or by --referral, and not by both.")
    site = site_of(dir)

    async def do() -> None:
        known = ref or await person.ref_of(site, referral)  # type: ignore[arg-type]  # one of them is there
        document = await person.export(site, known, by, reason)
        show(document, as_json=True, human=lambda: None)

    asyncio.run(do())


@app.command()
def erase(
    by: By,
    ref: Ref = None,
    reason: Annotated[str | None, typer.Option(callback=sentence, help="Why, for the audit; name no person.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Show the certificate of somebody erased before.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Apply what was erased since a database was restored from.")
    ] = False,
    listed: Listed = None,
    within: Within = 60,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before.")] = False,
    dir: Dir = DEFAULT_DIR,
    as_json: AsJson = False,
) -> None:
    """Have a person forgotten by every service, wait until each has confirmed, and print the certificate.

    Nobody can take it back. Exit code 1 where a service still owes its confirmation: it forgets as soon as it runs,
    and the certificate can be asked for again, with --status or by the same command.
    """
    site, tell = site_of(dir), progress(as_json)
    if again:
        _show(asyncio.run(person.erase_again(site, listed, within, tell)), as_json)
        return
    if ref is None:
        raise typer.BadParameter("Name the person by their ref. Find it with: furthest person export --referral ID")
    if not status and not asyncio.run(person.is_erased(site, ref)):
        _erase(site, ref, by, reason, listed, yes=yes, as_json=as_json)
    _show(asyncio.run(person.certificate(site, ref, 0 if status else within, tell)), as_json)


def _erase(
    site: Site, ref: UUID, by: str, reason: str | None, listed: Path | None, *, yes: bool, as_json: bool
) -> None:
    if reason is None:
        raise typer.BadParameter("Say why: --reason, for the audit; name no person.")
    if not yes:
        confirm(f"Have every service forget person {ref}, for good?", as_json)
    asyncio.run(person.erase(site, ref, by, reason, listed))


def _show(certificate: Certificate, as_json: bool) -> None:
    document = certificate.document()
    show(document, as_json, lambda: _print(document))
    if certificate.owed:
        err.print(f"Not yet confirmed by {', '.join(certificate.owed)}. See: furthest status", highlight=False)
        raise typer.Exit(1)


def _print(document: dict[str, Any]) -> None:
    out.print(f"Referrals erased: {len(document['referrals'])}.")
    for each in document["referrals"]:
        out.print(f"  {each['referral_id']}  at {each['erased_at']:%Y-%m-%d %H:%M:%S}", highlight=False)
        for service, at in each["confirmed"].items():
            out.print(f"    {service:<14}has forgotten it, {at:%Y-%m-%d %H:%M:%S}", highlight=False)
    for copies in ("inbox_copies", "outbox_copies", "backups"):
        if lapse := document[f"{copies}_lapse_at"]:
            out.print(f"The last {copies.replace('_', ' ')} lapse on {lapse:%Y-%m-%d}.", highlight=False)
