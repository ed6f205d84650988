"""The catalogue as one AsyncAPI 3.0 document: every topic, message, key, owner and reader, and how to connect.

It is made of the models and the catalogue alone, so it cannot say anything else than they do.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from contracts import catalogue
from contracts.catalogue import OTHER_READERS, TOPICS, Topic
from contracts.message import MESSAGES, SERVICES, Message
from contracts.topics import ACCESS, INBOX, OUTBOX

Document = dict[str, Any]

DESCRIPTION: Final = """\
Partners refer people who are offline; independent services find them help, in the order of who is furthest from being
online, tell them, fund what is missing, and publish safe numbers. They speak through these messages.

Every message is a CloudEvent 1.0 in Kafka's binary mode: attributes are headers that begin with `ce_`, data is JSON in
the value. Structured mode is read too. Writers are closed, readers open: pass over a field that you do not know. The
same message may arrive twice: go by `ce_source` and `ce_id`. Kafka keeps the order of a key on one topic, and none
across topics."""
NUMBERS: Final = frozenset({"retention.ms", "max.message.bytes"})
PARTNER: Final = "The id of the partner: lower-case letters, digits and dashes."
IDS: Final = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": {"type": "string", "description": "The identity of the message, together with its source."},
    "ce_source": {"type": "string", "description": "Who says it."},
}
TRACES: Final = {
    "ce_time": {"type": "string", "format": "date-time", "description": "When it was decided."},
    "ce_sequence": {"type": "string", "description": "Counts what this service said of this key on this topic."},
    "ce_correlationid": {"type": "string", "description": "The same in everything that followed from one message."},
    "ce_causationid": {"type": "string", "description": "The message that this one followed from."},
    "content-type": {"const": "application/json"},
}
EXAMPLE_HEADERS: Final = {
    "ce_specversion": "1.0",
    "ce_id": "019aa0c4-0000-7000-8000-00000000000a",
    "ce_time": "2026-11-20T10:00:00+00:00",
    "ce_sequence": "1",
    "ce_correlationid": "019aa0c4-0000-7000-8000-00000000000b",
    "ce_causationid": "019aa0c4-0000-7000-8000-00000000000b",
    "content-type": "application/json",
}


def document() -> Document:
    """The whole document, as it is written to JSON."""
    payloads, schemas = _schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Furthest First",
            "version": "1",
            "description": DESCRIPTION,
            "license": {"name": "Apache 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": service} for service in SERVICES],
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _server()},
        "channels": {_channel_id(topic.name): _channel(topic) for topic in topics()},
        "operations": dict(_operation(*use) for use in _uses() if use[-1]),
        "components": {
            "messages": {kind: _message(model, payloads[kind]) for kind, model in MESSAGES.items()},
            "schemas": schemas,
            "securitySchemes": {
                "scram": {"type": "scramSha512", "description": "A Kafka user for each service and each partner."}
            },
        },
    }


def topics() -> tuple[Topic, ...]:
    """Every topic, with those of a partner once for all partners."""
    return (*TOPICS, *catalogue.partner_topics("*"))


def readers(model: type[Message]) -> list[str]:
    """Who reads a message."""
    other = OTHER_READERS.get(model.spec.topic)
    return [*model.spec.consumers, *([other] if other else [])]


def _server() -> Document:
    return {
        "host": "{address}",
        "protocol": "kafka-secure",
        "description": "Kafka. A partner finds its address, user and password in what it was given when it was added.",
        "variables": {"address": {"description": "Host and port of a broker.", "default": "localhost:9092"}},
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
    }


def _schemas() -> tuple[dict[str, Document], Document]:
    """The payload of each message, by type, and the schemas that payloads refer to."""
    where, shared = models_json_schema(
        [(model, "validation") for model in MESSAGES.values()], ref_template="#/components/schemas/{model}"
    )
    return {kind: where[model, "validation"] for kind, model in MESSAGES.items()}, shared["$defs"]


def _channel_id(topic: str) -> str:
    return topic.replace("partners.*", "partner").replace(".", "-")


def _channel(topic: Topic) -> Document:
    of_partner = topic.name in {INBOX, OUTBOX}
    return {
        "address": topic.name.replace("*", "{partner}"),
        "title": _channel_id(topic.name),
        "description": f"Kept: {topic.kept}.",
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in _on(topic.name)},
        **({"parameters": {"partner": {"description": PARTNER, "examples": ["gp-armley"]}}} if of_partner else {}),
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {name: _setting(name, value) for name, value in topic.config.items()},
                "bindingVersion": "0.5.0",
            }
        },
        "x-retention": topic.kept,
    }


def _on(topic: str) -> list[str]:
    return [kind for kind, model in MESSAGES.items() if model.spec.topic == topic]


def _setting(name: str, value: str) -> Any:
    if name == "cleanup.policy":
        return [value]
    return int(value) if name in NUMBERS else value


def _message(model: type[Message], payload: Document) -> Document:
    spec, ours = model.spec, model.spec.topic != INBOX
    headers = {**IDS, "ce_type": {"const": spec.type}, **(TRACES if ours else {})}
    source = f"/furthest/{spec.owner}" if ours else "/armley/records"
    shown = {**EXAMPLE_HEADERS, "ce_source": source, "ce_type": spec.type}
    return {
        "name": spec.type,
        "title": spec.name,
        "summary": model.__doc__,
        "contentType": "application/json",
        "tags": [{"name": spec.owner}],
        "headers": {"type": "object", "properties": headers, "required": list(headers)},
        "payload": payload,
        **({"correlationId": {"location": "$message.header#/ce_correlationid"}} if ours else {}),
        "bindings": {"kafka": {"key": _key(spec.key), "bindingVersion": "0.5.0"}},
        "examples": [
            {"name": "example", "headers": {name: shown[name] for name in headers}, "payload": model.example},
        ],
        **({"deprecated": True} if spec.type not in catalogue.newest() else {}),
        "x-owner": spec.owner,
        "x-consumers": readers(model),
        "x-key": spec.key,
        "x-data-class": spec.data_class,
    }


def _key(name: str) -> Document:
    return {"type": "string", "description": f"The value of `{name}`: messages of the same keep their order."}


Use = tuple[str, str, str, Sequence[str]]
"""Who, sends or receives, on which topic, messages of which types."""


def _uses() -> Iterable[Use]:
    for service in SERVICES:
        read = [kind for model in catalogue.consumed_by(service).values() for kind in model.types()]
        said = [kind for kind, model in MESSAGES.items() if model.spec.owner == service]
        told = catalogue.told_partners(service)
        for topic in (each.name for each in topics()):
            yield service, "receive", topic, _on(topic) if topic == ACCESS else _among(read, topic)
            yield service, "send", topic, list(told) if topic == OUTBOX else _among(said, topic, without=INBOX)
    yield "partner", "send", INBOX, _on(INBOX)
    yield "partner", "receive", OUTBOX, _on(OUTBOX)
    yield "subscriber", "receive", "reporting", _on("reporting")


def _among(kinds: Sequence[str], topic: str, *, without: str = "") -> list[str]:
    return [kind for kind in kinds if MESSAGES[kind].spec.topic == topic != without]


def _operation(who: str, action: str, topic: str, kinds: Sequence[str]) -> tuple[str, Document]:
    channel = f"#/channels/{_channel_id(topic)}"
    return f"{who}-{action}s-{_channel_id(topic)}", {
        "action": action,
        "channel": {"$ref": channel},
        "title": f"{who} {action}s {topic.replace('*', '{partner}')}",
        "tags": [{"name": who}],
        "messages": [{"$ref": f"{channel}/messages/{kind}"} for kind in kinds],
    }


def by_topic() -> Mapping[str, list[type[Message]]]:
    """The messages of each topic in the order in which they are declared, those that are written today first."""
    written = catalogue.newest()
    ordered = sorted(MESSAGES.values(), key=lambda model: model.spec.type not in written)
    return {topic.name: [model for model in ordered if model.spec.topic == topic.name] for topic in topics()}
