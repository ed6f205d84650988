"""Secrets in files that only their owner may read."""

import os
import secrets
from pathlib import Path


def password(path: Path) -> str:
    """The one kept there, made on first use."""
    return keep(path, "A" + secrets.token_urlsafe(32))


def keep(path: Path, text: str) -> str:
    """What is kept there, or from now on this text."""
    if not path.exists():
        write(path, text)
    return path.read_text()


def write(path: Path, text: str) -> None:
    """Replace a file at once; at no time may anybody else read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
