"""What every message is: a pydantic model that knows its type, topic, key, owner, readers and data class.

A field that may be left out is added to a model as it stands. A change that would break a reader is a new version: a
model beside the old one, declared with `replaces=` and saying by `upcast` what the old one means. Handlers know the
newest version alone; readers of it read all before it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict

from contracts.topics import INBOX, OUTBOX

Service = Literal["referrals", "matching", "notifications", "grants", "reporting"]
SERVICES: tuple[Service, ...] = ("referrals", "matching", "notifications", "grants", "reporting")

DataClass = Literal["none", "pseudonymous", "personal"]


class Part(BaseModel):
    """A piece of a message. Writers are closed: a field that is not in the model is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Version = type["Message"]


@dataclass(frozen=True, slots=True)
class Spec:
    """The catalogue entry of a message.

    `topic` is a Kafka topic, `INBOX` or `OUTBOX`; `key` names the field (dots for a path) whose value
    orders the message; `owner` publishes a fact, or acts on a partner's message; `consumers` read it.
    `replaces` is the version before, which is read for as long as anybody may hold it. A fact that `forgets` ends its
    key: nothing is kept of it, and what is said of it later has no effect.
    """

    type: str
    topic: str
    key: str
    owner: Service
    consumers: tuple[Service, ...]
    data_class: DataClass
    replaces: "Version | None" = None
    forgets: bool = False

    @property
    def name(self) -> str:
        """The name of the message, the same in every version, such as ReferralReceived."""
        return self.type.split(".")[-2]

    @property
    def version(self) -> int:
        return int(self.type.rpartition(".v")[2])


class Message(Part):
    """What travels in the data of a CloudEvent."""

    spec: ClassVar[Spec]
    example: ClassVar[dict[str, Any]]

    def key(self) -> str:
        return str(attrgetter(self.spec.key)(self))

    @classmethod
    def upcast(cls, old: Any) -> Self:
        """What a message of the version before says, in the words of this one."""
        raise NotImplementedError

    @classmethod
    def read(cls, kind: str, data: bytes | str, *, extra: Literal["ignore", "forbid"]) -> Self:
        """Reads data of this type or of one that it replaces. Readers of facts are open: they ignore what is extra.

        Raises ValidationError.
        """
        before = cls.spec.replaces
        if before is None or kind == cls.spec.type:
            return cls.model_validate_json(data, extra=extra)
        return cls.upcast(before.read(kind, data, extra=extra))

    @classmethod
    def types(cls) -> tuple[str, ...]:
        """The types that its reader reads: its own, and those of the versions before."""
        before = cls.spec.replaces
        return (cls.spec.type, *(before.types() if before else ()))


M = TypeVar("M", bound=Message)

MESSAGES: dict[str, type[Message]] = {}
"""Every message ever declared, by CloudEvents type."""


def _declare(cls: type[M], spec: Spec) -> type[M]:
    before = spec.replaces
    if spec.type in MESSAGES:
        raise TypeError(f"{spec.type} is declared twice")
    if before and (before.spec.topic, before.spec.owner) != (spec.topic, spec.owner):
        raise TypeError(f"{spec.type} must be owned by whom, and travel where, {before.spec.type} does")
    if before and "upcast" not in vars(cls):
        raise TypeError(f"{spec.type} must say by `upcast` what {before.spec.type} means")
    cls.spec = spec
    MESSAGES[spec.type] = cls
    return cls


def _type(prefix: str, cls: type[Message], name: str | None, replaces: type[Message] | None) -> str:
    if replaces is None:
        return f"furthest.{prefix}.{name or cls.__name__}.v1"
    return f"furthest.{prefix}.{replaces.spec.name}.v{replaces.spec.version + 1}"


def fact(
    by: Service,
    *,
    key: str,
    to: tuple[Service, ...] = (),
    data_class: DataClass = "pseudonymous",
    topic: str | None = None,
    name: str | None = None,
    replaces: type[Message] | None = None,
    forgets: bool = False,
) -> Callable[[type[M]], type[M]]:
    """Declares something that service `by` decided and says on its topic.

    `name` is that of a first version whose class is called otherwise; a later one `replaces` the one before.
    """

    def declare(cls: type[M]) -> type[M]:
        kind = _type(by, cls, name, replaces)
        return _declare(cls, Spec(kind, topic or by, key, by, to, data_class, replaces, forgets))

    return declare


def from_partner(
    owner: Service, *, key: str, data_class: DataClass, name: str | None = None, replaces: type[Message] | None = None
) -> Callable[[type[M]], type[M]]:
    """Declares a message that a partner writes to its inbox or posts, and that `owner` acts on."""

    def declare(cls: type[M]) -> type[M]:
        kind = _type("partner", cls, name, replaces)
        return _declare(cls, Spec(kind, INBOX, key, owner, (owner,), data_class, replaces))

    return declare


def act(by: Service, *, key: str) -> Callable[[type[M]], type[M]]:
    """Declares what somebody asks of a service over HTTP alone; an Idempotency-Key makes it happen once.

    Its type is the name of its class. It is in no catalogue: that has what travels on Kafka.
    """

    def declare(cls: type[M]) -> type[M]:
        cls.spec = Spec(cls.__name__, INBOX, key, by, (), "none")
        return cls

    return declare


def to_partner(
    owner: Service, *, key: str, data_class: DataClass, name: str | None = None, replaces: type[Message] | None = None
) -> Callable[[type[M]], type[M]]:
    """Declares a message that a partner reads in its outbox."""

    def declare(cls: type[M]) -> type[M]:
        return _declare(cls, Spec(_type("partner", cls, name, replaces), OUTBOX, key, owner, (), data_class, replaces))

    return declare
