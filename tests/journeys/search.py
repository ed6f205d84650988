"""Looks for a word wherever this system keeps anything: plain, in hexadecimal, in base64, percent-encoded."""

import base64
import contextlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from chassis.postgres import connect
from chassis.settings import DatabaseSettings
from tests.deployment import Deployment
from tests.support import read_topic


def forms(word: str) -> list[bytes]:
    """The word as it is and as it may be dressed; base64 at each of its three alignments."""
    plain = word.encode()
    aligned = []
    for shift in range(3):
        encoded = base64.b64encode(b"\\0" * shift + plain)
        aligned.append(encoded[(shift * 8 + 5) // 6 : len(encoded) - 4])
    return [plain, plain.hex().encode(), plain.hex().upper().encode(), quote(word).encode(), *aligned]


Found = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Search:
    """Words to look for, each in all its forms, and where each was found."""

    words: dict[str, list[bytes]]
    found: Found

    def look(self, place: str, *texts: bytes) -> None:
        for word, dressed in self.words.items():
            if any(form in text for text in texts for form in dressed):
                self.found[word].add(place)


async def find(deployment: Deployment, *words: str, besides: frozenset[str] = frozenset()) -> Found:
    """Every place that holds each word: `kafka:TOPIC`, `database:SERVICE.TABLE`, `file:PATH`.

    `besides` are topics that are not looked at.
    """
    search = Search({word: forms(word) for word in words}, {word: set() for word in words})
    await _in_kafka(search, deployment, besides)
    for service in deployment.addresses["services"]:
        await _in_database(search, deployment, service)
    _in_files(search, deployment.stack.dir)
    return search.found


async def _in_kafka(search: Search, deployment: Deployment, besides: frozenset[str]) -> None:
    site = deployment.stack.site
    for topic, partitions in site.admin().partitions().items():
        if topic.startswith("__") or topic in besides:
            continue
        for record in await read_topic(site.kafka, topic, partitions):
            headers = (part for name, value in record.headers for part in (name.encode(), value or b""))
            search.look(f"kafka:{topic}", record.key or b"", record.value or b"", *headers)


async def _in_database(search: Search, deployment: Deployment, service: str) -> None:
    conn = await connect(as_administrator(deployment, service))
    try:
        tables = await conn.fetch(
            """select quote_ident(relname) as name from pg_class
               where relnamespace = 'public'::regnamespace and relkind = 'r'"""
        )
        for table in tables:
            for row in await conn.fetch(f"select * from {table['name']}"):  # noqa: S608 - a name of ours
                values = (value if isinstance(value, bytes) else str(value).encode() for value in row)
                search.look(f"database:{service}.{table['name']}", *values)
    finally:
        await conn.close()


def as_administrator(deployment: Deployment, database: str) -> DatabaseSettings:
    return deployment.stack.site.database.model_copy(update={"name": database})


def _in_files(search: Search, folder: Path) -> None:
    """Logs, addresses and the data files of PostgreSQL; the mails and Kafka's segments are looked at elsewhere."""
    beside = {"mail", "kafka"}
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).parts[0] not in beside:
            with contextlib.suppress(FileNotFoundError):  # PostgreSQL takes files away meanwhile
                search.look(f"file:{path.relative_to(folder)}", path.read_bytes())
