"""Directories of Open Referral UK become providers: pure, and on the files of the standard where they are at hand."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.door import ProviderUpdated
from deploy.oruk import Directory, parse
from tests.support import DATA

REAL = DATA / "oruk"
ORGANISATION = {"id": "d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610", "name": "Example Organization Inc."}


def a_service(**changes: Any) -> dict[str, Any]:
    return {"id": "s-1", "name": "Coffee and tablets", "organization": ORGANISATION, **changes}


def speaking(*codes: Any) -> list[dict[str, Any]]:
    return [{"id": str(nth), "code": code} for nth, code in enumerate(codes)]


def read(document: Any) -> Directory:
    return parse(json.dumps(document))


def providers(document: Any) -> list[tuple[str, str, list[str]]]:
    return [(p.provider_id, p.name, p.languages) for p in read(document).providers]


def faults(document: Any) -> list[tuple[int, str, bool]]:
    return [(fault.position, fault.field, fault.left_out) for fault in read(document).faults]


def test_a_service_becomes_the_organisation_that_gives_it() -> None:
    expected = [(ORGANISATION["id"], ORGANISATION["name"], ["en", "pt-BR"])]
    service = a_service(languages=speaking("en", "pt_BR"))
    for document in (service, [service], {"contents": [service], "total_pages": 1}, {"service": service}):
        assert providers(document) == expected


def test_a_service_without_an_organisation_is_a_provider_itself() -> None:
    assert providers(a_service(organization=None)) == [("s-1", "Coffee and tablets", [])]


def test_services_of_one_organisation_are_one_provider_with_the_languages_of_all() -> None:
    one, other = a_service(languages=speaking("en", "UR")), a_service(id="s-2", languages=speaking("ur", "pl"))
    assert providers([one, other]) == [(ORGANISATION["id"], ORGANISATION["name"], ["en", "ur", "pl"])]


def test_an_organisation_speaks_the_languages_of_its_services() -> None:
    document = {**ORGANISATION, "services": [{"languages": speaking("ur")}, {"languages": speaking("en")}]}
    assert providers(document) == [(ORGANISATION["id"], ORGANISATION["name"], ["ur", "en"])]


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"name": "No id"}, "id"),
        ({"id": 7, "name": "A number"}, "id"),
        ({"id": " ", "name": "Blank"}, "id"),
        ({"id": "a"}, "name"),
        ({"id": "a", "name": " \n "}, "name"),
        ({"id": "a", "name": "Bell\a"}, "name"),
        ({"id": "a", "name": "Half \ud800"}, "name"),
        ("text", "(record)"),
        (None, "(record)"),
        (a_service(organization={"id": "o"}), "organization.name"),
        (a_service(organization="o"), "organization"),
        ({"service": a_service(organization={"name": "n"})}, "service.organization.id"),
    ],
)
def test_a_bad_record_is_named_by_place_and_field_and_the_good_ones_are_kept(bad: Any, field: str) -> None:
    document = [{"id": "first", "name": "First"}, bad, {"id": "last", "name": "Last"}]
    assert [id_ for id_, _, _ in providers(document)] == ["first", "last"]
    assert faults(document) == [(2, field, True)]


def test_a_language_that_is_no_tag_is_told_and_its_provider_kept() -> None:
    document = [a_service(languages=speaking("English", "en", None, 7, " "))]
    assert providers(document) == [(ORGANISATION["id"], ORGANISATION["name"], ["en"])]
    assert faults(document) == [(1, "languages.0.code", False)]


def test_a_fault_does_not_repeat_what_was_in_the_file() -> None:
    assert "Secret" not in repr(
        read([{"id": "a", "name": {"of": "Secret"}}, a_service(languages=speaking("Secret"))]).faults
    )


def test_ids_that_are_no_codes_are_made_fit_and_kept_apart() -> None:
    ids = ["http://example.org/org/1", "http://example.org/org?1", "Café", "é", "x" * 99, "x" * 98, "half-\ud800"]
    found = [id_ for id_, _, _ in providers([{"id": id_, "name": "One"} for id_ in ids])]
    assert len(set(found)) == len(ids)
    assert found[0].startswith("http-example-org-org-1-")
    assert providers([{"id": ids[0], "name": "One"}])[0][0] == found[0]


def test_a_long_name_is_cut_and_its_spaces_are_put_in_order() -> None:
    assert providers([{"id": "a", "name": "  Two\n\nwords " + "x" * 400}])[0][1] == ("Two words " + "x" * 400)[:200]


@pytest.mark.parametrize("text", ["", "{", "7", '"text"', "{}", "null", '{"contents": 7}', "[" * 100_000])
def test_what_is_no_directory_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(ValueError, match="It "):
        parse(text)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "name", "organization", "service", "services", "languages", "code", "contents"]),
            inner,
        )
    ),
    max_leaves=20,
)


@given(st.lists(anything, max_size=5))
def test_whatever_stands_in_a_list_each_record_is_taken_or_named(records: list[Any]) -> None:
    found = read(records)
    left_out = {fault.position for fault in found.faults if fault.left_out}
    assert len(found.providers) <= len(records) - len(left_out)
    assert bool(found.providers) == (len(left_out) < len(records))
    for provider in found.providers:
        assert ProviderUpdated.model_validate(provider.model_dump()) == provider


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not on this machine")
@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("service_full", ["d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610"]),
        ("service_list", ["d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610"]),
        ("service_at_location_full", ["d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610"]),
        ("organization", ["d9d5e0f5-d3ce-4f73-9a2f-4dd0ecc6c610"]),
    ],
)
def test_the_examples_of_the_standard_are_read(name: str, ids: list[str]) -> None:
    found = parse((REAL / f"{name}.json").read_text(encoding="utf-8"))
    assert ([p.provider_id for p in found.providers], found.faults) == (ids, [])


@pytest.mark.skipif(not REAL.exists(), reason=f"{REAL} is not on this machine")
def test_a_page_of_organisations_is_read_whole() -> None:
    text = (REAL / "organization_list.json").read_text(encoding="utf-8")
    found = parse(text)
    assert [p.name for p in found.providers] == [one["name"] for one in json.loads(text)["contents"]]
    assert found.faults == []
