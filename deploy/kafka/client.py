"""How a client of ours reaches Kafka: SASL with SCRAM-SHA-512."""

import logging

QUIET = logging.getLogger("deploy.kafka.librdkafka")
QUIET.addHandler(logging.NullHandler())


def settings(bootstrap: str, user: str, password: str) -> dict[str, str | int | float | bool]:
    """For a client of confluent_kafka; with `logger=QUIET` it does not write to stderr."""
    return {
        "bootstrap.servers": bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": password,
    }
