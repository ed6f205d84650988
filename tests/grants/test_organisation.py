import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.grants.domain.organisation import known_as, organisation_id, recipient_id
from tests.support import DATA

REAL: Path = DATA / "360giving" / "covid19-grants-april-2020.json"


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("GB-CHC-1110522", "GB-CHC-1110522"),
        ("1151621 ", "GB-CHC-1151621"),
        ("gb-chc-1110522", "GB-CHC-1110522"),
        ("GB-CHC-GB-CHC-1110522", "GB-CHC-1110522"),
        ("GB-COH-GB-CHC-1110522", "GB-CHC-1110522"),
        ("GB-CHC 1110522", "GB-CHC-1110522"),
        ("GB\u2013CHC\u20131110522", "GB-CHC-1110522"),
        ("GB-CHC-11O0522", "GB-CHC-1100522"),
        ("CN1185355", "GB-CHC-1185355"),
        ("0299963", "GB-CHC-299963"),
        ("GB-COH-7132758", "GB-COH-07132758"),
        ("GB-COH-O7132758", "GB-COH-07132758"),
        ("GB-COH-OC301234", "GB-COH-OC301234"),
        ("GB-COH-SC12345O", "GB-COH-SC123450"),
        ("GB-COH-IP12345R", "GB-COH-IP12345R"),
        ("07132758", "GB-COH-07132758"),
        ("SCO43914", "GB-SC-SC043914"),
        ("GB-SC-SCO43914", "GB-SC-SC043914"),
        ("GB-SC-43914", "GB-SC-SC043914"),
        ("sc 043914", "GB-SC-SC043914"),
        ("NIC1OO012", "GB-NIC-100012"),
        ("GB-NIC-NIC100012", "GB-NIC-100012"),
        ("GB-NIC-100012", "GB-NIC-100012"),
    ],
)
def test_a_register_number_is_found_however_it_was_written(written: str, normalised: str) -> None:
    found = organisation_id(written)
    assert found.id == normalised
    assert found.original == written
    assert found.register is not None
    assert normalised.startswith(found.register)


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("360G-DevonCF-ACC943907", "360G-DevonCF-ACC943907"),
        ("GB-CHC-1075920:org-41512", "GB-CHC-1075920:org-41512"),
        ("GB-EDU-133808", "GB-EDU-133808"),
        ("12-3456789", "360G-furthest-first-12-3456789"),
        ("armley-helping-hands", "360G-furthest-first-armley-helping-hands"),
    ],
)
def test_a_group_on_no_register_is_welcome(written: str, normalised: str) -> None:
    """Also one whose id a funder made below the funder's own charity number: it is not that charity."""
    found = organisation_id(written)
    assert (found.id, found.register) == (normalised, None)


@pytest.mark.parametrize(
    "written", ["GB-CHC-", "GB-CHC-12", "GB-COH-ABCDEFGH", "GB-SC-SC1", "", "  ", "a b", "x" * 300]
)
def test_a_broken_identifier_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="This is no"):
        organisation_id(written)


@given(st.text(max_size=40) | st.from_regex(r"(GB-(CHC|COH|SC|NIC)-){0,2}(SC|NIC|OC|CN)?[0-9O]{4,9}", fullmatch=True))
def test_to_normalise_twice_is_to_normalise_once(written: str) -> None:
    once = known_as(written)
    assert known_as(once) == once


@given(st.integers(200_000, 9_999_999), st.sampled_from(["", "GB-CHC-", "gb-chc-", "GB-CHC-GB-CHC-"]), st.booleans())
def test_every_way_to_write_a_charity_number_is_the_same_organisation(number: int, prefix: str, letter_o: bool) -> None:
    digits = str(number).replace("0", "O") if letter_o else str(number)
    assert organisation_id(f" {prefix}{digits} ").id == f"GB-CHC-{number}"


def test_a_recipient_without_a_register_in_its_id_is_found_by_its_numbers() -> None:
    assert recipient_id("360G-x-1", " 1110522", None).id == "GB-CHC-1110522"
    assert recipient_id("360G-x-1", "12-3456789", "7132758").id == "GB-COH-07132758"
    assert recipient_id("360G-x-1", None, None).id == "360G-x-1"


def test_the_original_of_a_recipient_is_kept_and_what_cannot_be_read_does_not_lose_the_grant() -> None:
    found = recipient_id("GB-CHC-12 ", "", None)
    assert (found.id, found.original, found.register) == ("GB-CHC-12", "GB-CHC-12 ", None)


@pytest.mark.skipif(not REAL.exists(), reason="real data lies beside the project: ../shared/data/360giving")
def test_real_recipients_are_all_known_and_one_in_ten_is_on_no_register() -> None:
    recipients: list[dict[str, Any]] = [
        grant["recipientOrganization"][0] for grant in json.loads(REAL.read_text())["grants"]
    ]
    found = [recipient_id(r["id"], r.get("charityNumber"), r.get("companyNumber")) for r in recipients]
    assert len(found) == 96
    assert [f.original for f in found] == [r["id"] for r in recipients]
    assert sum(f.register is None for f in found) == 10
    assert {f.id for f in found if f.register == "GB-CHC"} >= {"GB-CHC-1110522", "GB-CHC-1151621"}


@pytest.mark.skipif(not REAL.exists(), reason="real data lies beside the project: ../shared/data/360giving")
def test_real_charity_numbers_say_the_same_as_the_ids_beside_them() -> None:
    for grant in json.loads(REAL.read_text())["grants"]:
        recipient = grant["recipientOrganization"][0]
        if recipient["id"].startswith("GB-CHC-") and "charityNumber" in recipient:
            assert organisation_id(recipient["charityNumber"]).id == organisation_id(recipient["id"]).id
