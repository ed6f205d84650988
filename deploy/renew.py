"""Secrets made anew: some replaced at once, some so that the one before stays good while others change over."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from chassis.jwe import keys_in
from contracts.message import SERVICES
from deploy import certificates, keys
from deploy.errors import DeployError
from deploy.secrets import write

BEFORE: Final = ".before"
"""An administrator's password that the server still has, until `databases apply` or `topics apply` tells it the new."""

REPLACED: Final[dict[str, tuple[str, ...]]] = {
    **{
        f"{s}/database": (f"{s}/furthest_database_password", f"databases/{s}_owner", f"databases/{s}_backup")
        for s in SERVICES
    },
    **{f"{s}/kafka": (f"{s}/furthest_kafka_password",) for s in SERVICES},
    "backup": ("databases/furthest_backup",),
    "kafka-brokers": ("kafka/kafka-broker",),
    "tokens": tuple(f"{service}/{keys.TOKEN_KEY}" for service in keys.ASK_EACH_OTHER),
    "certificate": tuple(f"tls/{file}" for file in certificates.FILES),
}
"""Files by what they are for. They are taken away, and made as on the first start."""
ADMINISTRATORS: Final = ("postgres-admin", "kafka-admin")
TWO_AT_A_TIME: Final[dict[str, str]] = {
    **{f"{s}/sealing": f"{s}/furthest_sealing_key" for s in SERVICES},
    "jwe": "referrals/furthest_jwe_key",
    "programme": "referrals/furthest_programme_key",
}
NAMES: Final = (*REPLACED, *ADMINISTRATORS, *TWO_AT_A_TIME)


def renew(folder: Path, name: str) -> None:
    """What is taken away here is made by whoever makes what is missing. Raises DeployError."""
    if name in TWO_AT_A_TIME:
        _add(folder / TWO_AT_A_TIME[name], name)
    elif name in ADMINISTRATORS:
        (folder / name).replace(folder / (name + BEFORE))
    else:
        for file in REPLACED[name]:
            (folder / file).unlink(missing_ok=True)


def finish(folder: Path, name: str) -> None:
    """Only the newest stays. Raises DeployError."""
    if name not in TWO_AT_A_TIME:
        raise DeployError(f"Of {name} there is never more than one. Those with two: {', '.join(TWO_AT_A_TIME)}.")
    file = folder / TWO_AT_A_TIME[name]
    read, written = _form(name)
    write(file, written(read(file.read_text())[:1]))


def _add(file: Path, name: str) -> None:
    read, written = _form(name)
    there = read(file.read_text())
    if len(there) > 1:
        raise DeployError(
            f"Of {name} there are two already, as many as may be. First: furthest secrets renew {name} --finish"
        )
    new = keys.new_jwe_key() if name == "jwe" else secrets.token_hex(32)
    write(file, written([new, *there]))


def _form(name: str) -> tuple[Callable[[str], list[object]], Callable[[list[object]], str]]:
    if name == "jwe":
        return lambda text: [*keys_in(text)], json.dumps
    return lambda text: [*text.split()], lambda those: "\n".join(map(str, those))
