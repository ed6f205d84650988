"""The AsyncAPI document is valid by the AsyncAPI project's own parser, and says what the services do."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from chassis.envelope import headers_of
from chassis.service import Service
from contracts import catalogue
from contracts.asyncapi import by_topic, document, topics
from contracts.door import PlaceUpdated, ProviderUpdated, ReferralSubmitted
from contracts.freeze import frozen, promise
from contracts.message import MESSAGES, SERVICES
from tests.built import built
from tests.matching.builders import referral
from tests.support import Stage

FOLDER = Path(__file__).parent / "asyncapi"
DOCUMENT = document()
ERROR, WARNING = 0, 1


def _run(*command: str, given: str = "") -> str:
    ran = subprocess.run(command, cwd=FOLDER, input=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{' '.join(command)} failed:\n{ran.stderr}"
    return ran.stdout


@pytest.fixture(scope="module")
def judged() -> dict[str, Any]:
    """What the parser says; it is installed once for each lock file."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        pytest.skip("node and npm are not here, so that the AsyncAPI project's parser cannot judge the document")
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()
    made = FOLDER / "node_modules" / ".made"
    if not made.exists() or made.read_text() != lock:
        _run(npm, "ci")
        made.write_text(lock)
    told: dict[str, Any] = json.loads(_run(node, "validate.mjs", given=json.dumps(DOCUMENT)))
    return told


def test_the_document_is_valid_by_the_parser_of_the_asyncapi_project(judged: dict[str, Any]) -> None:
    wrong = [told for told in judged["diagnostics"] if told["severity"] in {ERROR, WARNING}]
    assert not wrong
    assert sorted(judged["messages"]) == sorted(MESSAGES)
    assert len(judged["channels"]) == len(catalogue.TOPICS) + 2
    assert sorted(judged["operations"]) == sorted(DOCUMENT["operations"])


def test_every_topic_is_told_with_its_partitions_settings_and_messages() -> None:
    told = {channel["address"]: channel for channel in DOCUMENT["channels"].values()}
    assert set(told) == {topic.name.replace("*", "{partner}") for topic in topics()}
    for topic in topics():
        channel = told[topic.name.replace("*", "{partner}")]
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        assert {name: str(value) for name, value in kafka["topicConfiguration"].items()} == {
            **topic.config,
            **({"cleanup.policy": "['compact']"} if "cleanup.policy" in topic.config else {}),
        }
        assert set(channel["messages"]) == {model.spec.type for model in by_topic()[topic.name]}


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_message_is_told_whole(kind: str) -> None:
    told, spec = DOCUMENT["components"]["messages"][kind], MESSAGES[kind].spec
    assert (told["x-owner"], told["x-key"], told["x-data-class"]) == (spec.owner, spec.key, spec.data_class)
    assert set(spec.consumers) <= set(told["x-consumers"])
    assert told["x-consumers"], "somebody reads it"
    assert told["summary"]
    for example in told["examples"]:
        _validator(told["payload"]).validate(example["payload"])
        _validator(told["headers"]).validate(example["headers"])


@pytest.mark.parametrize("kind", MESSAGES)
def test_what_is_told_of_a_message_is_what_was_frozen_last(kind: str) -> None:
    schemas = DOCUMENT["components"]["schemas"]

    def resolved(part: Any, definitions: dict[str, Any]) -> Any:
        if isinstance(part, list):
            return [resolved(each, definitions) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]], definitions)
        return {key: resolved(each, definitions) for key, each in part.items() if not key.startswith(("$", "x-"))}

    last = frozen()[kind][-1]
    told = resolved(DOCUMENT["components"]["messages"][kind]["payload"], schemas)
    assert promise(told) == promise(resolved(last, last.get("$defs", {})))


def _validator(schema: dict[str, Any]) -> Draft7Validator:
    return Draft7Validator({**schema, "components": DOCUMENT["components"]})


def _operations(who: str, action: str) -> dict[str, set[str]]:
    """The types of messages that somebody sends or receives, by the address of the channel."""
    return {
        DOCUMENT["channels"][told["channel"]["$ref"].rpartition("/")[2]]["address"]: {
            each["$ref"].rpartition("/")[2] for each in told["messages"]
        }
        for told in DOCUMENT["operations"].values()
        if told["tags"] == [{"name": who}] and told["action"] == action
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_receives_what_it_handles_and_the_keys(service: str) -> None:
    received = _operations(service, "receive")
    keys = received.pop("access")
    assert keys == {model.spec.type for model in by_topic()["access"]}
    own = {model.__name__ for model in {**built(service).due, **built(service).results}}
    assert set().union(*received.values()) == set(built(service).handlers_by_type) - own


def test_partners_send_and_receive_what_passes_through_their_doors() -> None:
    inbox, outbox = (set(DOCUMENT["channels"][f"partner-{box}"]["messages"]) for box in ("inbox", "outbox"))
    assert _operations("partner", "send") == {"partners.{partner}.inbox": inbox}
    assert _operations("partner", "receive") == {"partners.{partner}.outbox": outbox}


def test_whoever_refuses_is_told_to_send_refusals() -> None:
    refuse = [s for s in SERVICES if "furthest.partner.MessageRefused.v1" in str(_operations(s, "send"))]
    assert tuple(refuse) == catalogue.READS_INBOXES


async def test_what_a_service_writes_is_as_the_document_says(stage: Callable[[Service], Awaitable[Stage]]) -> None:
    """Value, headers and channel of facts and answers, as the relay will send them."""
    on_stage = await stage(built("matching"))
    place = PlaceUpdated(provider_id="armley", place_id="tablets", kind="device", capacity=1)
    await on_stage.receive("library", ProviderUpdated(provider_id="armley", name="Armley"), place)
    await on_stage.hear(referral(1))
    rows = await on_stage.rows("select * from outbox")
    sent = _operations("matching", "send")
    assert {row["topic"] for row in rows} == {"matching", "partners.library.outbox"}
    for row in rows:
        headers = {name: value.decode() for name, value in headers_of(row["headers"])}
        told = DOCUMENT["components"]["messages"][headers["ce_type"]]
        _validator(told["headers"]).validate(headers)
        _validator(told["payload"]).validate(json.loads(row["value"]))
        assert headers["ce_type"] in sent[row["topic"].replace("library", "{partner}")]
        assert set(headers) == set(told["headers"]["properties"])


def test_a_partner_is_asked_for_no_more_headers_than_are_read() -> None:
    told = DOCUMENT["components"]["messages"][ReferralSubmitted.spec.type]
    assert set(told["headers"]["required"]) == {"ce_specversion", "ce_id", "ce_source", "ce_type"}
