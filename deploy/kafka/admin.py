"""Topics, users and access control of Kafka, made so: each call may be repeated, and returns when it is so."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined, unused-ignore]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    TopicMetadata,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from chassis.settings import KafkaSettings
from deploy.errors import DeployError
from deploy.kafka.client import QUIET, options

WITHIN = 20.0
LET_IN_WITHIN = 10.0
LOOK_EVERY = 0.02
ITERATIONS = 4096
CLUSTER = "kafka-cluster"

K = TypeVar("K")
T = TypeVar("T")


class AdminError(DeployError):
    """Kafka did not do what was asked; the message says what to do next."""


class PartitionsDifferError(AdminError):
    """A topic has another number of partitions than it should. Keys would move, so it is never changed."""


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Access:
    resource: Literal["topic", "group", "cluster"]
    name: str
    pattern: Literal["literal", "prefixed"]
    operations: tuple[str, ...]


class Admin:
    def __init__(self, kafka: KafkaSettings) -> None:
        self._problem = ""
        self._client = AdminClient(options(kafka), logger=QUIET, error_cb=self._note)

    def apply_topics(self, topics: Iterable[Topic], replication_factor: int = -1) -> None:
        """
        Create what is missing and set what differs. -1: as many replicas as the brokers have by default.

        Raises PartitionsDifferError before anything is changed.
        """
        wanted = {topic.name: topic for topic in topics}
        known = self.partitions()
        there = [topic for name, topic in wanted.items() if name in known]
        for topic in there:
            _must_match(topic, known[topic.name])
        self._create([topic for name, topic in wanted.items() if name not in known], replication_factor)
        self._configure(there)

    def partitions(self) -> dict[str, int]:
        """Return the number of partitions of each topic."""
        return {name: len(topic.partitions) for name, topic in self._topics().items()}

    def is_let_in(self) -> bool:
        """Whether Kafka answers us."""
        try:
            self._client.list_topics(timeout=LET_IN_WITHIN)
        except KafkaException:
            return False
        return True

    def lacking(self) -> list[str]:
        """The partitions that have fewer copies in step than they should, as topic/number."""
        topics = self._topics()
        return sorted(
            f"{name}/{number}"
            for name, topic in topics.items()
            for number, partition in topic.partitions.items()
            if len(partition.isrs) < len(partition.replicas)
        )

    def set_password(self, user: str, password: str) -> None:
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        self._alter_user(user, UserScramCredentialUpsertion(user, how, password.encode()))
        self._until(lambda: user in self.users(), f"let {user} in")

    def users(self) -> list[str]:
        """Return the names of those who have a password."""
        try:
            return sorted(self._client.describe_user_scram_credentials(request_timeout=WITHIN).result())  # type: ignore[union-attr, unused-ignore]  # one future where all are asked for
        except KafkaException as error:
            raise self._failed("list its users", error) from error

    def remove_user(self, user: str) -> None:
        self._alter_user(user, UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512))
        self._until(lambda: user not in self.users(), f"forget {user}")

    def grant(self, user: str, acls: Iterable[Access]) -> None:
        """Add to what the user has."""
        bindings = [binding for access in acls for binding in _bindings(user, access)]
        if bindings:
            self._all(f"grant {user} access", self._client.create_acls(bindings, request_timeout=WITHIN))
            self._until(lambda: self.rights(user) >= set(bindings), f"let {user} do what it may")

    def rights(self, user: str) -> set[AclBinding]:
        """Return all that the user has."""
        try:
            return set(self._client.describe_acls(_every(user), request_timeout=WITHIN).result())
        except KafkaException as error:
            raise self._failed(f"list the access of {user}", error) from error

    def take_back(self, user: str, rights: AbstractSet[AclBinding], but: Iterable[Access]) -> None:
        """Take these rights away, but for what is named."""
        kept = {binding for access in but for binding in _bindings(user, access)}
        dropped = rights - kept
        if dropped:
            those = [_exactly(binding) for binding in dropped]
            self._all(f"take back access of {user}", self._client.delete_acls(those, request_timeout=WITHIN))
            self._until(lambda: dropped.isdisjoint(self.rights(user)), f"take back what {user} may do no more")

    def revoke(self, user: str) -> None:
        """Take away everything the user has."""
        self._all(f"revoke the access of {user}", self._client.delete_acls([_every(user)], request_timeout=WITHIN))
        self._until(lambda: not self.rights(user), f"take away what {user} may do")

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Remove the records with an offset below `before`."""
        upto = TopicPartition(topic, partition, before)
        self._all(f"delete records of {topic}", self._client.delete_records([upto], request_timeout=WITHIN))

    def delete_group(self, group: str) -> None:
        """Forget the offsets that Kafka keeps of a group without members; ours are in the service's database."""
        deleted = self._client.delete_consumer_groups([group], request_timeout=WITHIN)
        self._all(f"delete the group {group}", deleted, but=KafkaError.GROUP_ID_NOT_FOUND)

    def _topics(self) -> "dict[str, TopicMetadata]":
        try:
            return self._client.list_topics(timeout=WITHIN).topics
        except KafkaException as error:
            raise self._failed("list the topics", error) from error

    def _create(self, topics: Sequence[Topic], replication_factor: int) -> None:
        new = [NewTopic(t.name, t.partitions, replication_factor, config=dict(t.config)) for t in topics]
        if new:
            made = self._client.create_topics(new, operation_timeout=WITHIN, request_timeout=WITHIN)
            self._all("create topics", made, but=KafkaError.TOPIC_ALREADY_EXISTS)
            self._until(lambda: self.partitions().keys() >= made.keys(), "create topics")

    def _configure(self, topics: Sequence[Topic]) -> None:
        resources = [ConfigResource(ResourceType.TOPIC, topic.name) for topic in topics]
        if not resources:
            return
        described = self._client.describe_configs(resources, request_timeout=WITHIN)
        found = self._all("read the configuration of topics", described)
        now = {resource.name: entries for resource, entries in found.items()}
        changes = [change for topic in topics for change in _changes(topic, now[topic.name])]
        if changes:
            self._all("configure topics", self._client.incremental_alter_configs(changes, request_timeout=WITHIN))

    def _alter_user(self, user: str, alteration: UserScramCredentialUpsertion | UserScramCredentialDeletion) -> None:
        altered = self._client.alter_user_scram_credentials([alteration], request_timeout=WITHIN)
        self._all(f"change the user {user}", altered, but=KafkaError.RESOURCE_NOT_FOUND)

    def _all(self, what: str, futures: Mapping[K, Future[T]], but: int | None = None) -> dict[K, T]:
        """Wait for every answer; the error code `but` means that it was so before."""
        done: dict[K, T] = {}
        for key, future in futures.items():
            try:
                done[key] = future.result()
            except KafkaException as error:
                if error.args[0].code() != but:
                    raise self._failed(what, error) from error
        return done

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        """Its controller answers first; a broker goes by it some moments later."""
        deadline = time.monotonic() + WITHIN
        while not holds():
            if time.monotonic() > deadline:
                raise AdminError(f"Kafka agreed to {what}, but not within {WITHIN:g} s. Look at its log and try again.")
            time.sleep(LOOK_EVERY)

    def _note(self, error: KafkaError) -> None:
        if error.code() == KafkaError._AUTHENTICATION:  # noqa: SLF001 - the library's own name for it
            self._problem = "; the user or the password is wrong"

    def _failed(self, what: str, error: KafkaException) -> AdminError:
        self._client.poll(0)
        reason = f"{error.args[0].str()}{self._problem}"
        return AdminError(f"Kafka would not {what}: {reason}. Check its address, the user, and Kafka's log.")


def _must_match(topic: Topic, partitions: int) -> None:
    if partitions != topic.partitions:
        raise PartitionsDifferError(
            f"Topic {topic.name} has {partitions} partitions and should have {topic.partitions}. "
            "More would send keys elsewhere and break their order: give it the number it has, or a new name."
        )


def _changes(topic: Topic, now: Mapping[str, ConfigEntry]) -> list[ConfigResource]:
    differing = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
        for name, value in topic.config.items()
        if name not in now or now[name].value != value
    ]
    change = ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=differing)
    return [change] if differing else []


def _bindings(user: str, access: Access) -> list[AclBinding]:
    cluster = access.resource == "cluster"
    kind = ResourceType.BROKER if cluster else ResourceType[access.resource.upper()]
    name = CLUSTER if cluster else access.name
    pattern = ResourcePatternType[access.pattern.upper()]
    operations = [AclOperation[operation.upper()] for operation in access.operations]
    who = (_principal(user), "*")
    return [AclBinding(kind, name, pattern, *who, each, AclPermissionType.ALLOW) for each in operations]


def _every(user: str) -> AclBindingFilter:
    return AclBindingFilter(
        restype=ResourceType.ANY,
        name=None,  # type: ignore[arg-type, unused-ignore]
        resource_pattern_type=ResourcePatternType.ANY,
        principal=_principal(user),
        host=None,  # type: ignore[arg-type, unused-ignore]
        operation=AclOperation.ANY,
        permission_type=AclPermissionType.ANY,
    )


def _exactly(binding: AclBinding) -> AclBindingFilter:
    return AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )


def _principal(user: str) -> str:
    return f"User:{user}"
