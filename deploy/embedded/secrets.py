"""Passwords made here: random, in a file that only its owner may read."""

import os
import secrets
from pathlib import Path


def password(dir: Path, name: str) -> str:
    """Return the one kept in `dir/secrets/<name>`, made on first use."""
    kept = dir / "secrets" / name
    if not kept.exists():
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(kept, "A" + secrets.token_urlsafe(32))
    return kept.read_text()


def write(path: Path, text: str) -> None:
    """Replace a file at once; at no time may anybody else read it."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
