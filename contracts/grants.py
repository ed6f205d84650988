"""Facts that the grants service decides. Money is whole pence."""

from uuid import UUID

from contracts.erasure import Confirmation
from contracts.message import Message, fact
from contracts.topics import ERASURES
from contracts.vocabulary import Code, Kind, Pence, ShortText, Ward, When


@fact("grants", key="fund_id", to=("reporting",), data_class="none")
class FundOpened(Message):
    """A pot of money with a purpose."""

    fund_id: Code
    name: ShortText

    example = {"fund_id": "digital-2026", "name": "Digital inclusion fund 2026"}


@fact("grants", key="round_id", to=("reporting",), data_class="none")
class RoundOpened(Message):
    """Applications to a fund are taken between two moments, within a budget."""

    round_id: Code
    fund_id: Code
    budget_pence: Pence
    maximum_pence: Pence
    opens_at: When
    closes_at: When

    example = {
        "round_id": "winter-2026",
        "fund_id": "digital-2026",
        "budget_pence": 10_000_000,
        "maximum_pence": 1_000_000,
        "opens_at": "2026-11-01T09:00:00Z",
        "closes_at": "2026-12-01T12:00:00Z",
    }


@fact("grants", key="application_id", to=("reporting",), data_class="none")
class ApplicationSubmitted(Message):
    """An organisation asks for money."""

    application_id: UUID
    round_id: Code
    organisation_id: str
    amount_pence: Pence
    kinds: list[Kind]
    wards: list[Ward]

    example = {
        "application_id": "019aa0c4-0000-7000-8000-000000000006",
        "round_id": "winter-2026",
        "organisation_id": "GB-CHC-1110522",
        "amount_pence": 500_000,
        "kinds": ["device"],
        "wards": ["E05011400"],
    }


@fact("grants", key="application_id", to=("reporting",), data_class="none")
class GrantAwarded(Message):
    """Money is promised, within the budget of the round."""

    application_id: UUID
    round_id: Code
    organisation_id: str
    amount_pence: Pence
    at: When

    example = {
        "application_id": "019aa0c4-0000-7000-8000-000000000006",
        "round_id": "winter-2026",
        "organisation_id": "GB-CHC-1110522",
        "amount_pence": 500_000,
        "at": "2026-12-10T10:00:00Z",
    }


@fact("grants", key="application_id", to=("reporting",), data_class="none")
class ApplicationDeclined(Message):
    """The application is not funded."""

    application_id: UUID
    round_id: Code
    reason: Code

    example = {
        "application_id": "019aa0c4-0000-7000-8000-000000000006",
        "round_id": "winter-2026",
        "reason": "outside-budget",
    }


@fact("grants", key="referral_id", to=("referrals",), topic=ERASURES)
class ErasureConfirmed(Confirmation):
    """Grants has forgotten where the needs of a referral were gaps."""
