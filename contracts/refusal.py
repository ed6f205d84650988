"""How a sender is told that its message had no effect."""

from contracts.message import Message, Part, to_partner


class FieldError(Part):
    """Which field broke which rule, in plain words, and how to mend it. It never holds the value."""

    field: str
    rule: str
    message: str
    mend: str


@to_partner("referrals", key="submission_id", data_class="pseudonymous")
class MessageRefused(Message):
    """Your message had no effect. Mend it and send it again."""

    submission_id: str | None
    reference: str | None = None
    errors: list[FieldError]

    example = {
        "submission_id": "a1",
        "reference": "GP-1042",
        "errors": [
            {
                "field": "agreement",
                "rule": "missing",
                "message": "The field is required.",
                "mend": "Add `agreement`: who agreed, and on which day.",
            }
        ],
    }
