"""Old versions are read as the newest; what is newer than a release is never passed over."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

import pytest

from chassis.decode import Decoder
from chassis.envelope import Event
from chassis.errors import Stopped
from chassis.facts import Fact
from chassis.jwe import seal
from chassis.sealing import Sealer
from chassis.service import Service, decoders
from contracts import catalogue
from contracts.door import ProviderUpdated
from contracts.freeze import frozen
from contracts.message import MESSAGES, SERVICES, Message, fact, from_partner, to_partner
from contracts.refusal import MessageRefused
from contracts.topics import INBOX, inbox
from tests.built import built
from tests.referrals.builders import PERSON, PUBLIC_KEY
from tests.support import SEALING_KEY, Stage, said

SEALER = Sealer(SEALING_KEY)
FROZEN = frozen()
ID = "019aa0c4-0000-7000-8000-00000000000a"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Written:
    """A record as Kafka gives it."""

    topic: str
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    partition: int = 0
    offset: int = 0
    timestamp: int = int(NOON.timestamp() * 1000)
    key: bytes | None = b"k"


def written(topic: str, kind: str, data: dict[str, Any]) -> Written:
    attributes = {"specversion": "1.0", "id": ID, "source": "/furthest/toy", "type": kind}
    headers = tuple((f"ce_{name}", text.encode()) for name, text in attributes.items())
    return Written(topic, json.dumps(data).encode(), headers)


@dataclass
class Toys:
    """One fact in three versions; only the newest is known to handlers."""

    first: type[Message]
    second: type[Message]
    third: type[Message]

    @property
    def decoder(self) -> Decoder:
        return decoders(self.service, SEALER)["toy"]

    @property
    def service(self) -> Service:
        async def handle(events: Any, store: Any, at: Any) -> list[Any]:
            return []

        return Service("toy", {"grants": 1}, lambda conn: conn, {self.third: handle})


@pytest.fixture
def toys(declared: None) -> Toys:
    @fact("grants", key="name", to=("reporting",), name="Painted")
    class PaintedOnce(Message):
        name: str
        colour: str
        example: ClassVar = {"name": "door", "colour": "red"}

    @fact("grants", key="name", to=("reporting",), replaces=PaintedOnce)
    class PaintedOften(Message):
        name: str
        colours: list[str]
        example: ClassVar = {"name": "door", "colours": ["red"]}

        @classmethod
        def upcast(cls, old: PaintedOnce) -> Self:
            return cls(name=old.name, colours=[old.colour])

    @fact("grants", key="name", to=("reporting",), replaces=PaintedOften)
    class Painted(Message):
        name: str
        colours: list[str]
        coats: int
        example: ClassVar = {"name": "door", "colours": ["red"], "coats": 1}

        @classmethod
        def upcast(cls, old: PaintedOften) -> Self:
            return cls(name=old.name, colours=old.colours, coats=len(old.colours))

    return Toys(PaintedOnce, PaintedOften, Painted)


def test_a_version_keeps_the_name_of_its_message_whatever_its_class_is_called(toys: Toys) -> None:
    models = (toys.third, toys.second, toys.first)
    assert [model.spec.type for model in models] == [f"furthest.grants.Painted.v{n}" for n in (3, 2, 1)]
    assert {(model.spec.name, model.spec.topic, model.spec.owner) for model in models} == {
        ("Painted", "grants", "grants")
    }
    assert toys.third.types() == tuple(model.spec.type for model in models)


def test_only_the_newest_version_is_handled_and_named_to_consumers(toys: Toys) -> None:
    handled = catalogue.consumed_by("reporting")
    assert toys.third.spec.type in handled
    assert not {toys.first.spec.type, toys.second.spec.type} & handled.keys()
    assert set(toys.service.handlers_by_type) == set(toys.third.types())


@pytest.mark.parametrize(
    ("version", "data"),
    [
        (1, {"name": "door", "colour": "red"}),
        (2, {"name": "door", "colours": ["red"]}),
        (3, {"name": "door", "colours": ["red"], "coats": 1}),
    ],
)
def test_an_old_version_reaches_the_handler_of_the_newest(toys: Toys, version: int, data: dict[str, Any]) -> None:
    kind = f"furthest.grants.Painted.v{version}"
    event = toys.decoder.decode(written("grants", kind, {**data, "of-tomorrow": 1}))
    assert isinstance(event, Event)
    assert event.data == toys.third(**toys.third.example)
    assert event.type == kind
    assert event.type in toys.service.handlers_by_type


def test_an_old_version_is_checked_by_its_own_model(toys: Toys) -> None:
    letter = toys.decoder.decode(written("grants", "furthest.grants.Painted.v1", {"name": "door", "colours": ["red"]}))
    assert getattr(letter, "rule", None) == "missing"
    assert getattr(letter, "type", None) == "furthest.grants.Painted.v1"


def test_a_version_that_is_newer_than_the_release_stops_the_reader(toys: Toys) -> None:
    with pytest.raises(Stopped, match=r"furthest\.grants\.Painted\.v4 is newer than this release"):
        toys.decoder.decode(written("grants", "furthest.grants.Painted.v4", {}))


def test_a_fact_that_is_none_of_its_business_is_passed_over_in_any_version(toys: Toys) -> None:
    assert toys.decoder.decode(written("grants", "furthest.grants.Varnished.v4", {})) is None


def test_a_partner_cannot_stop_a_reader_with_a_version_that_is_not_there() -> None:
    decoder = decoders(built("referrals"), SEALER)["referrals.inbox"]
    answer = decoder.decode(written(inbox("gp"), "furthest.partner.ReferralSubmitted.v9", {}))
    assert isinstance(answer, Fact)
    assert isinstance(answer.data, MessageRefused)
    assert [error.rule for error in answer.data.errors] == ["unknown-type"]


def test_messages_at_partners_doors_have_versions_too(declared: None) -> None:
    @from_partner("grants", key="name", data_class="none")
    class Asked(Message):
        name: str

    @to_partner("grants", key="name", data_class="none", name="Answered")
    class AnsweredOnce(Message):
        name: str

    @from_partner("grants", key="name", data_class="none", replaces=Asked)
    class AskedAgain(Message):
        name: str

        @classmethod
        def upcast(cls, old: Asked) -> Self:
            return cls(name=old.name)

    @to_partner("grants", key="name", data_class="none", replaces=AnsweredOnce)
    class Answered(Message):
        name: str

        @classmethod
        def upcast(cls, old: AnsweredOnce) -> Self:
            return cls(name=old.name)

    assert AskedAgain.types() == ("furthest.partner.Asked.v2", "furthest.partner.Asked.v1")
    assert Answered.types() == ("furthest.partner.Answered.v2", "furthest.partner.Answered.v1")


def test_a_version_that_does_not_say_what_the_old_one_means_is_refused(toys: Toys) -> None:
    class Silent(Message):
        name: str

    with pytest.raises(TypeError, match="must say by `upcast`"):
        fact("grants", key="name", replaces=toys.third)(Silent)
    assert "furthest.grants.Painted.v4" not in MESSAGES


def test_a_version_travels_where_the_one_before_does(toys: Toys) -> None:
    class Elsewhere(Message):
        name: str

        @classmethod
        def upcast(cls, old: Any) -> Self:
            return cls(name=old.name)

    for by, topic in (("matching", "grants"), ("grants", "matching")):
        with pytest.raises(TypeError, match="must be owned by whom, and travel where"):
            fact(by, key="name", topic=topic, replaces=toys.third)(Elsewhere)  # type: ignore[arg-type]  # two services


EVERY_EXAMPLE = [
    (service, kind, number)
    for service in SERVICES
    for model in catalogue.consumed_by(service).values()
    for kind in model.types()
    for number in range(len(FROZEN.get(kind, ())))
]


@pytest.mark.parametrize(("service", "kind", "revision"), EVERY_EXAMPLE)
def test_every_example_ever_frozen_reaches_each_of_its_consumers(service: str, kind: str, revision: int) -> None:
    """By the decoder that the service itself reads with, the person opened."""
    wired, model = built(service), MESSAGES[kind]
    at_the_door = model.spec.topic == INBOX
    decoder = decoders(wired, SEALER)[f"{service}.inbox" if at_the_door else service]
    for example in FROZEN[kind][revision]["examples"]:
        sealed = {"person_jwe": seal(json.dumps(PERSON).encode(), PUBLIC_KEY)} if "person_jwe" in example else {}
        event = decoder.decode(written(inbox("gp") if at_the_door else model.spec.topic, kind, {**example, **sealed}))
        assert isinstance(event, Event), event
        assert event.data.spec.type in catalogue.consumed_by(service)  # type: ignore[arg-type]  # one of SERVICES
        assert event.type in wired.handlers_by_type


def test_every_type_ever_frozen_is_read_by_somebody_or_said_to_others() -> None:
    read = {kind for _, kind, _ in EVERY_EXAMPLE}
    others = {kind for kind, model in MESSAGES.items() if model.spec.topic in catalogue.OTHER_READERS}
    assert set(FROZEN) == read | others


async def test_a_message_sent_again_is_the_same_to_a_release_that_knows_one_more_field(
    stage: Callable[[Service], Awaitable[Stage]],
) -> None:
    class ProviderOfTomorrow(ProviderUpdated):
        website: str | None = None

    on_stage = await stage(built("matching"))
    sent = ProviderUpdated.example
    await on_stage.receive("library", ProviderUpdated(**sent), submission_id="once")
    assert not said(await on_stage.receive("library", ProviderOfTomorrow(**sent), submission_id="once"), MessageRefused)
    changed = ProviderOfTomorrow(**sent, website="example.org")
    (refused,) = said(await on_stage.receive("library", changed, submission_id="once"), MessageRefused)
    assert [error.rule for error in refused.errors] == ["same-id-other-body"]
