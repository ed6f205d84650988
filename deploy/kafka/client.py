"""How a client of confluent_kafka reaches Kafka: SASL with SCRAM-SHA-512, over TLS where a certificate is named."""

import logging

from chassis.settings import KafkaSettings

QUIET = logging.getLogger("deploy.kafka.librdkafka")
QUIET.addHandler(logging.NullHandler())


def options(kafka: KafkaSettings) -> dict[str, str | int | float | bool]:
    """Its configuration; with `logger=QUIET` it does not write to stderr."""
    return {
        "bootstrap.servers": kafka.bootstrap,
        "security.protocol": "SASL_SSL" if kafka.tls_ca else "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": kafka.user,
        "sasl.password": kafka.password.get_secret_value(),
        **({"ssl.ca.pem": kafka.tls_ca} if kafka.tls_ca else {}),
    }
