"""The deployment that a command is about: that of the environment it runs in, else that of a folder."""

from pathlib import Path

from deploy import site
from deploy.site import Site


def site_of(folder: Path) -> Site:
    """Raises DeployError where there is none."""
    if site.in_containers():
        return site.from_environment()
    from deploy.embedded.stack import Stack  # noqa: PLC0415 - images do not have what it stands on

    return Stack(folder).site
