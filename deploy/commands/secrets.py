"""`furthest secrets`: passwords, keys and certificates of a deployment in containers."""

from pathlib import Path
from typing import Annotated, Final

import typer

from contracts.message import SERVICES
from deploy import keys
from deploy.console import AsJson, out, show
from deploy.secrets import password
from deploy.site import SECRETS

app = typer.Typer(no_args_is_help=True, help="Passwords, keys and certificates of a deployment in containers.")

SERVICE_USER: Final = 10001
OWNERS: Final[dict[str, int]] = {"kafka": 1000, "postgres": 999, "tls": 0, **dict.fromkeys(SERVICES, SERVICE_USER)}
"""The user of each container, which alone may read its folder."""

Folder = Annotated[Path, typer.Option(envvar=SECRETS, help="Where they are kept: a folder for each container.")]
Host = Annotated[str, typer.Option(envvar="FURTHEST_HOST", help="Names and addresses of this host, with commas.")]


@app.command()
def make(secrets: Folder, host: Host = "localhost", as_json: AsJson = False) -> None:
    """Make what is missing; what is there stays. May be repeated."""
    keys.make_secrets(secrets)
    for name in ("kafka-admin", "kafka-broker", "postgres-admin"):
        password(secrets / name)
    document = {"secrets": str(secrets)}
    show(document, as_json, lambda: out.print(f"Secrets are in {secrets}."))
