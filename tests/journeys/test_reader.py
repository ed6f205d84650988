"""A subscriber from outside: it reads what is published, by Kafka and by HTTP, and nothing else."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException

from tests.deployment import Deployment
from tests.support import eventually

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
NODE = shutil.which("node")


@pytest.fixture(scope="module")
def reader(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    done = deployment.furthest("key", "add", "--role", "reader", "--principal", "leeds-observatory", "--json")
    assert done.returncode == 0, done.stderr
    file = tmp_path_factory.mktemp("reader") / "reader.json"
    file.write_text(done.stdout)
    yield file
    deployment.furthest("key", "revoke", "--role", "reader", "--principal", "leeds-observatory")


def sample(*argv: str) -> list[str]:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.splitlines())


async def by_http(deployment: Deployment) -> list[str]:
    async with deployment.client("reporting") as client:
        answer = await client.get("/v1/metrics", params={"measure": "capacity"})
    tables = answer.json().get("metrics", [])
    cells = [
        (table["name"], *cell["codes"], cell["hidden"] or cell["value"]) for table in tables for cell in table["cells"]
    ]
    return sorted(" ".join(map(str, cell)) for cell in cells)


async def test_both_samples_of_a_subscriber_say_what_http_says(deployment: Deployment, reader: Path) -> None:
    samples = [(sys.executable, str(SAMPLES / "subscribe.py"), str(reader), "capacity")]
    if NODE is not None:
        samples.append((NODE, str(SAMPLES / "follow.mjs"), deployment.url("reporting"), "capacity"))

    async def by_all() -> list[list[str]]:
        """Of all in one go: new numbers may be published in between."""
        return [*[await asyncio.to_thread(sample, *words) for words in samples], await by_http(deployment)]

    *_, expected = await eventually(by_all, lambda seen: all(each == seen[0] != [] for each in seen), within=300)
    assert any(line.startswith("capacity/now/kind device") for line in expected)
    if NODE is None:
        pytest.skip("there is no node here: the sample in JavaScript was not run")


def consumer(reader: Path, **other: Any) -> Consumer:
    credentials = json.loads(reader.read_text())
    kafka = credentials["kafka"]
    return Consumer(
        {
            "bootstrap.servers": kafka["bootstrap"],
            "security.protocol": kafka["protocol"],
            "sasl.mechanism": kafka["mechanism"],
            "sasl.username": kafka["user"],
            "sasl.password": kafka["password"],
            "group.id": credentials["group_prefix"] + "test",
            "auto.offset.reset": "earliest",
            **other,
        }
    )


def first_of(reader: Path, topic: str, **other: Any) -> bytes:
    reading = consumer(reader, **other)
    try:
        reading.subscribe([topic])
        record = reading.poll(60)
        assert record is not None
        if record.error():
            raise KafkaException(record.error())
        return record.value() or b""
    finally:
        reading.close()


async def test_a_reader_reads_no_facts_and_has_groups_of_its_own(deployment: Deployment, reader: Path) -> None:
    assert b'"measure"' in await asyncio.to_thread(first_of, reader, "reporting")
    for topic, other in (("referrals", {}), ("access", {}), ("reporting", {"group.id": "reporting"})):
        with pytest.raises(KafkaException, match=r"AUTHORIZATION_FAILED|not authorized"):
            await asyncio.to_thread(first_of, reader, topic, **other)


async def test_one_that_was_away_goes_on_where_it_was_and_has_the_right_numbers(
    deployment: Deployment, reader: Path
) -> None:
    kept: dict[bytes, Any] = {}

    def catch_up() -> dict[bytes, Any]:
        reading = consumer(reader, **{"group.id": "readers.leeds-observatory.away", "enable.partition.eof": True})
        try:
            reading.subscribe(["reporting"])
            read = 0
            while (record := reading.poll(60)) and not record.error():
                read += 1
                if dict(record.headers() or [])["ce_type"] == b"furthest.reporting.MetricPublished.v2":
                    kept[record.key() or b""] = json.loads(record.value() or b"")
            if read:
                reading.commit(asynchronous=False)
        finally:
            reading.close()
        return kept

    first = len(await asyncio.to_thread(catch_up))
    assert first > 0
    place = {"provider_id": "away", "kind": "champion", "capacity": 7}
    async with deployment.client("matching", deployment.partners["library-service"]["api_key"]) as http:
        assert (await http.put("/v1/providers/away", json={"name": "While away"})).status_code == 202
        assert (await http.put("/v1/places/while-away", json=place)).status_code == 202

    async def both() -> tuple[Any, Any]:
        tables = await asyncio.to_thread(catch_up)
        async with deployment.client("reporting") as client:
            now = (await client.get("/v1/metrics/capacity?by=kind")).json()
        return tables.get(b"capacity/now/kind", {"cells": []})["cells"], now["cells"]

    def grown(seen: tuple[Any, Any]) -> bool:
        return seen[0] == seen[1] and any(c["codes"] == ["champion"] and (c["value"] or 0) >= 7 for c in seen[0])

    await eventually(both, grown, within=90)


def test_a_reader_has_a_name_that_can_be_a_user(deployment: Deployment) -> None:
    done = deployment.furthest("key", "add", "--role", "reader", "--principal", "Leeds Observatory")
    assert (done.returncode, "lower-case letters" in done.stderr) == (1, True)
