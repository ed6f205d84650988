"""The names and limits of Kafka topics that do not depend on which messages there are."""

INBOX = "partners.*.inbox"
OUTBOX = "partners.*.outbox"
INBOX_PATTERN = r"^partners\.[a-z0-9][a-z0-9-]*[a-z0-9]\.inbox$"
ACCESS = "access"
ERASURES = "erasures"
MAX_RECORD_BYTES = 128 * 1024
"""Of a record at a partner's door."""
MAX_FACT_BYTES = 1024 * 1024
HEADROOM = 8 * 1024
"""What headers and Kafka's own frame take of these at most."""


def inbox(partner: str) -> str:
    return INBOX.replace("*", partner)


def outbox(partner: str) -> str:
    return OUTBOX.replace("*", partner)


def partner_of(topic: str) -> str | None:
    """The partner whose inbox or outbox a topic is, or none."""
    head, _, rest = topic.partition(".")
    return rest.rpartition(".")[0] if head == "partners" and rest else None
