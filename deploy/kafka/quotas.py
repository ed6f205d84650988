"""Quotas of Kafka's users. No client library sets them, so the one request of the protocol stands here (KIP-546)."""

from collections.abc import Mapping
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Float64, Int16, Int32, Schema, String

from chassis.kafka import client_options
from chassis.settings import KafkaSettings

Quota = Mapping[str, float]

MEGABYTE: Final = 1024 * 1024
OF_A_PARTNER: Final[Quota] = {
    "producer_byte_rate": 2 * MEGABYTE,
    "consumer_byte_rate": 4 * MEGABYTE,
    "request_percentage": 100,
}
"""Bytes a second and per cent of a broker's thread, over some seconds: about 800 referrals a second."""
OF_A_SERVICE: Final[Quota] = {
    "producer_byte_rate": 200 * MEGABYTE,
    "consumer_byte_rate": 200 * MEGABYTE,
    "request_percentage": 2000,
}
_ENTITY: Final = ("entity", Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8"))))


class _Altered(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 49
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("entries", Array(("error_code", Int16), ("error_message", String("utf-8")), _ENTITY)),
    )


class _Alter(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 49
    API_VERSION = 0
    RESPONSE_TYPE = _Altered
    SCHEMA = Schema(
        ("entries", Array(_ENTITY, ("ops", Array(("key", String("utf-8")), ("value", Float64), ("remove", Boolean))))),
        ("validate_only", Boolean),
    )


class _AlterClientQuotas(Request[_Alter]):  # type: ignore[misc]  # as above
    API_KEY = 49

    def __init__(self, quotas: Mapping[str | None, Quota]) -> None:
        self._quotas = quotas

    def build(self, request_struct_class: type[_Alter]) -> _Alter:
        entries = [
            ([("user", user)], [(name, float(value), False) for name, value in quota.items()])
            for user, quota in self._quotas.items()
        ]
        return request_struct_class(entries, False)  # noqa: FBT003 - in the order of the schema


async def apply_quotas(kafka: KafkaSettings, quotas: Mapping[str | None, Quota]) -> None:
    """Sets the quotas of users; none stands for each user that has none of its own. Raises KafkaError."""
    admin = AIOKafkaAdminClient(**client_options(kafka, "quotas"))
    try:
        await admin.start()
        answer: Any = await admin._send_to_controller(_AlterClientQuotas(quotas))  # noqa: SLF001 - the library has no name for it yet
    finally:
        await admin.close()
    for code, message, entity in answer.entries:
        if code:
            raise for_code(code)(f"{entity}: {message}")
