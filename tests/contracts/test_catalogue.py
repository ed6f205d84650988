"""One catalogue: whoever writes, reads or may touch a topic does so because it says so."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from contracts import catalogue
from contracts.message import MESSAGES, SERVICES, Message, Service
from contracts.refusal import MessageRefused
from contracts.topics import ACCESS, INBOX, OUTBOX
from deploy.kafka.admin import Access
from deploy.provision import own_access, partner_access, service_access

ROOT = Path(__file__).parents[2]


def test_every_topic_of_the_catalogue_carries_messages() -> None:
    carried = {model.spec.topic for model in MESSAGES.values()}
    assert carried == {topic.name for topic in catalogue.TOPICS} | {INBOX, OUTBOX}


def test_every_fact_is_read_by_a_service_or_is_known_to_be_for_others() -> None:
    unread = {model.spec.topic for model in catalogue.newest().values() if not model.spec.consumers}
    assert unread == set(catalogue.OTHER_READERS)


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_key_is_a_field_that_is_always_there(kind: str) -> None:
    model = MESSAGES[kind]
    assert model.model_fields[model.spec.key].is_required()


def _code(service: str) -> Iterator[tuple[ast.Module, dict[str, object]]]:
    """The modules of a service, as text and as what their names mean."""
    for path in sorted((ROOT / "services" / service).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__main__":
            yield (
                ast.parse(path.read_text(encoding="utf-8")),
                vars(import_module(".".join(parts).removesuffix(".__init__"))),
            )


def _meant(node: ast.AST, names: dict[str, object]) -> type[Message] | None:
    """The message that a name stands for, if it does."""
    meant = names.get(node.id) if isinstance(node, ast.Name) else None
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        meant = getattr(names.get(node.value.id), node.attr, None)
    return meant if isinstance(meant, type) and meant in MESSAGES.values() else None


def _named(service: str) -> set[type[Message]]:
    found = {_meant(node, names) for tree, names in _code(service) for node in ast.walk(tree)}
    return {model for model in found if model}


def _made(service: str) -> set[type[Message]]:
    calls = ((node, names) for tree, names in _code(service) for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {model for call, names in calls if (model := _meant(call.func, names))}


def _says(service: str) -> set[type[Message]]:
    """What a service says by the catalogue, but for refusals, which the chassis says for it."""
    owned = {model for model in MESSAGES.values() if model.spec.owner == service and model.spec.topic != INBOX}
    return owned - {MessageRefused}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_says_what_the_catalogue_says_and_nothing_else(service: Service) -> None:
    today = {model for model in _says(service) if model.spec.type in catalogue.newest()}
    unsaid = {model.__name__ for model in today - _named(service)}
    assert not unsaid, "say it, or take it out of the catalogue"
    assert _made(service) <= _says(service), "only its owner says a message"
    assert _named(service) <= _says(service) | set(catalogue.consumed_by(service).values())


def _rights(those: list[Access]) -> set[tuple[str, str, str]]:
    """(kind of thing, its name, what may be done), each once."""
    assert all(access.pattern == "literal" for access in those)
    return {(access.resource, access.name, operation) for access in those for operation in access.operations}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_touch_what_the_catalogue_says_and_nothing_else(service: Service) -> None:
    read = {model.spec.topic for model in MESSAGES.values() if service in model.spec.consumers} - {INBOX}
    written = {model.spec.topic for model in MESSAGES.values() if model.spec.owner == service} - {INBOX, OUTBOX}
    in_groups = {service, f"{service}.inbox"} if service in catalogue.READS_INBOXES else {service}
    assert _rights(service_access(service)) == {
        *(("topic", name, "read") for name in read | {ACCESS}),
        *(("topic", name, "write") for name in written),
        *(("topic", name, "describe") for name in read | written | {ACCESS}),
        *(("group", name, "read") for name in in_groups),
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_touch_of_a_partners_topics_what_the_catalogue_says_and_nothing_else(service: Service) -> None:
    inbox, outbox = "partners.gp.inbox", "partners.gp.outbox"
    acts = any(service == model.spec.owner for model in MESSAGES.values() if model.spec.topic == INBOX)
    tells = any(service == model.spec.owner for model in MESSAGES.values() if model.spec.topic == OUTBOX)
    shows = service == catalogue.READS_OUTBOXES
    assert _rights(partner_access(service, "gp")) == {
        *((("topic", inbox, "read"), ("topic", inbox, "describe")) if acts else ()),
        *((("topic", outbox, "write"), ("topic", outbox, "describe")) if tells else ()),
        *((("topic", outbox, "read"),) if shows else ()),
    }


def test_a_partner_may_write_its_inbox_and_read_its_outbox_and_nothing_else() -> None:
    topics, (groups,) = own_access("gp")[:-1], own_access("gp")[-1:]
    assert groups == Access("group", "partners.gp.", "prefixed", ("read",))
    assert _rights(topics) == {
        ("topic", "partners.gp.inbox", "write"),
        ("topic", "partners.gp.inbox", "describe"),
        ("topic", "partners.gp.outbox", "read"),
        ("topic", "partners.gp.outbox", "describe"),
    }
