"""Connections to Kafka: the FastStream broker, which consumes only, and clients for what FastStream does not do."""

import logging
import ssl
from typing import Any

from faststream.kafka import KafkaBroker
from faststream.security import SASLScram512

from chassis.header_names import read_any
from chassis.settings import KafkaSettings

METADATA_MAX_AGE_MS = 3_000
"""A new partner's inbox is seen within this time."""


def _context(settings: KafkaSettings) -> ssl.SSLContext | None:
    return ssl.create_default_context(cadata=settings.tls_ca) if settings.tls_ca else None


def broker(settings: KafkaSettings, client_id: str) -> KafkaBroker:
    read_any()
    return KafkaBroker(
        settings.bootstrap.split(","),
        security=SASLScram512(
            settings.user,
            settings.password.get_secret_value(),
            ssl_context=_context(settings),
            use_ssl=settings.tls_ca is not None,
        ),
        client_id=client_id,
        consumer_only=True,
        allow_auto_create_topics=False,
        metadata_max_age_ms=METADATA_MAX_AGE_MS,
        graceful_timeout=20,
        apply_types=False,
        logger=logging.getLogger("faststream"),
        log_level=logging.DEBUG,
    )


def client_options(settings: KafkaSettings, client_id: str) -> dict[str, Any]:
    """Arguments of an aiokafka client."""
    return {
        "bootstrap_servers": settings.bootstrap,
        "client_id": client_id,
        "security_protocol": "SASL_SSL" if settings.tls_ca else "SASL_PLAINTEXT",
        "ssl_context": _context(settings),
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": settings.user,
        "sasl_plain_password": settings.password.get_secret_value(),
        "metadata_max_age_ms": METADATA_MAX_AGE_MS,
    }
