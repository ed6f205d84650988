"""What the commands of grants have in common: the desk at which they work, and how applications are named."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote
from uuid import UUID

import typer

from contracts.vocabulary import Role
from deploy.desk import Desk, desk
from deploy.errors import DeployError
from deploy.where import site_of

Round = Annotated[str, typer.Argument(help="The id of the round.")]
Application = Annotated[str, typer.Argument(help="Its id, or the end of it as lists show it.")]
Amount = Annotated[float, typer.Argument(min=0.01, help="In pounds.")]
Advice = Annotated[str | None, typer.Option(help="For their letter: what was good, what would have helped.")]
SHORT: Final = 8
"""So many digits of an id are shown: the last ones, which are random."""


def pence(amount: float) -> int:
    return round(amount * 100)


def at_work(dir: Path, by: str, work: Callable[[Desk], Any], role: Role = "staff") -> Any:
    with desk(site_of(dir), "grants", role, by) as grants:
        return work(grants)


def ask(dir: Path, by: str, method: str, path: str, body: Any = None, role: Role = "staff") -> Any:
    """What is answered, as it is in JSON. Raises DeployError with every reason where it is refused."""

    def work(grants: Desk) -> Any:
        answer = grants.do(method, path, body)
        return answer.json() if answer.content else None

    return at_work(dir, by, work, role)


def ask_about(
    dir: Path, by: str, application: str, path: str, body: Any = None, role: Role = "staff", who: str | None = None
) -> Any:
    """The same of one application; `path` comes after its own. `who` is in that role, where that is not `by`."""
    found = f"/v1/applications/{full_id(dir, by, application)}{path}"
    return ask(dir, who or by, "GET" if body is None else "POST", found, body, role)


def full_id(dir: Path, by: str, application: str) -> str:
    """Raises DeployError where no application ends so, or several do."""
    try:
        return str(UUID(application))
    except ValueError:
        ends = application.lower().lstrip("…")
    found = ask(dir, by, "GET", f"/v1/applications?ends_with={quote(ends)}")
    if len(found) != 1 or len(ends) < 4:
        raise DeployError(f"{len(found)} applications have an id that ends with {ends}. See: furthest grants list")
    return str(found[0]["application_id"])


def short(application_id: str | None) -> str:
    return (application_id or "")[-SHORT:]
