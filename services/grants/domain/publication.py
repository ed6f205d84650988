"""Awards as 360Giving 1.4.3 publishes grants: organisations only, and nothing that an applicant wrote but the title."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.calendar import day_of
from services.grants.domain.organisation import PROGRAMME

PUBLISHER: Final = {"name": "Furthest First", "identifier": f"{PROGRAMME}programme"}
_NUMBER_OF: Final = {
    "GB-CHC": "charityNumber",
    "GB-SC": "charityNumber",
    "GB-NIC": "charityNumber",
    "GB-COH": "companyNumber",
}


@dataclass(frozen=True, slots=True)
class Awarded:
    """`wards` are (code, name) pairs."""

    application_id: str
    title: str
    kinds: Sequence[str]
    wards: Sequence[tuple[str, str]]
    amount_pence: int
    awarded_pence: int
    paid_pence: int
    decided_at: datetime
    organisation_id: str
    organisation_name: str
    register: str | None
    round_id: str
    fund_name: str
    funder: tuple[str, str] | None


def package(awards: Iterable[Awarded], at: datetime) -> dict[str, Any]:
    """A grant package of awards."""
    return {
        "version": "1.4",
        "title": "Grants awarded through Furthest First",
        "issued": day_of(at).isoformat(),
        "publisher": PUBLISHER,
        "grants": [grant(award) for award in awards],
    }


def grant(award: Awarded) -> dict[str, Any]:
    funder_id, funder_name = award.funder or (PUBLISHER["identifier"], PUBLISHER["name"])
    number = _NUMBER_OF.get(award.register or "")
    recipient = {"id": award.organisation_id, "name": award.organisation_name}
    return {
        "id": f"{PROGRAMME}{award.application_id}",
        "title": award.title,
        "description": f"{award.title}: {', '.join(award.kinds)} for people who are offline.",
        "currency": "GBP",
        "amountAppliedFor": _pounds(award.amount_pence),
        "amountAwarded": _pounds(award.awarded_pence),
        "amountDisbursed": _pounds(award.paid_pence),
        "awardDate": day_of(award.decided_at).isoformat(),
        "fundingOrganization": [{"id": funder_id, "name": funder_name}],
        "recipientOrganization": [
            {**recipient, number: _bare(award.organisation_id)} if number else recipient
        ],
        "beneficiaryLocation": [
            {"name": name, "countryCode": "GB", "geoCode": code, "geoCodeType": "WD"} for code, name in award.wards
        ] or [{"name": "The whole city", "countryCode": "GB"}],
        "grantProgramme": [{"code": award.round_id, "title": award.fund_name}],
        "fromOpenCall": "Yes",
    }  # fmt: skip


def _pounds(pence: int) -> float | int:
    return pence / 100 if pence % 100 else pence // 100


def _bare(organisation_id: str) -> str:
    return organisation_id.split("-", 2)[2]
