"""Units that a place names: which is given to whom is known, and none is ever with two people."""

from typing import Any

import asyncpg
import pytest

from chassis.facts import Fact, Said
from contracts.referrals import PersonErased
from contracts.refusal import MessageRefused
from contracts.stock import DirectHelpGiven
from tests.matching.builders import Matching, direct_help, id_of, place, referral
from tests.support import said

UNITS = "select serial, is_out, offer_id from unit order by serial"


async def in_stock(matching: Matching) -> list[str]:
    return [row["serial"] for row in await matching.stage.rows(UNITS) if not row["is_out"]]


async def with_people(matching: Matching) -> dict[str, Any]:
    """The need that each unit which is out is with."""
    rows = await matching.stage.rows("select serial, need_id from unit left join offer using (offer_id) where is_out")
    return {row["serial"]: row["need_id"] for row in rows}


async def lent(matching: Matching, number: int = 1, serial: str | None = "a1") -> list[Said]:
    await matching.accept(await matching.offered(referral(number)))
    return await matching.support(number, "ended", outcome="helped", serial=serial)


def rules(told: list[Said]) -> list[str]:
    return [error.rule for refused in said(told, MessageRefused) for error in refused.errors]


async def test_a_unit_is_with_whom_it_was_lent_to_until_it_is_back_and_wiped(matching: Matching) -> None:
    await matching.open(place(capacity=2, loan_days=30, serials=["a1", "a2"]))
    await lent(matching)
    assert (await in_stock(matching), await with_people(matching)) == (["a2"], {"a1": id_of(1)})
    await matching.loan(1, "returned")
    assert await with_people(matching) == {"a1": id_of(1)}
    await matching.loan(1, "returned", wiped=True)
    assert await in_stock(matching) == ["a1", "a2"]


@pytest.mark.parametrize(
    ("told", "stock", "out"),
    [
        ({"state": "lost"}, [], {"a1": None}),
        ({"state": "returned", "faulty": True}, [], {}),
        ({"state": "renewed"}, [], {"a1": id_of(1)}),
    ],
    ids=["lost: gone, and nobody is blamed", "faulty: not there any more", "renewed: still out"],
)
async def test_what_becomes_of_a_unit_that_was_lent(
    matching: Matching, told: dict[str, Any], stock: list[str], out: dict[str, Any]
) -> None:
    await matching.open(place(loan_days=30, serials=["a1"]))
    await lent(matching)
    await matching.loan(1, **told)
    assert (await in_stock(matching), await with_people(matching)) == (stock, out)


@pytest.mark.parametrize(("serial", "rule"), [(None, "which-unit"), ("a9", "not-in-stock"), ("b1", "not-in-stock")])
async def test_what_is_given_of_named_units_is_one_of_those_in_stock(
    matching: Matching, serial: str | None, rule: str
) -> None:
    await matching.open(place(capacity=1, serials=["a1"]), place("others", kind="device", capacity=0))
    await matching.open(place("others", capacity=1, serials=["b1"], wards=["E05011400"]))
    assert rules(await lent(matching, serial=serial)) == [rule]
    assert (await matching.state(1), await in_stock(matching)) == ("accepted", ["a1", "b1"])


async def test_a_unit_that_is_out_cannot_be_given_to_somebody_else(matching: Matching) -> None:
    await matching.open(place(capacity=2, serials=["a1", "a2"]))
    await lent(matching, 1)
    assert rules(await lent(matching, 2)) == ["not-in-stock"]
    assert await with_people(matching) == {"a1": id_of(1)}


@pytest.mark.parametrize(
    "told", [{"state": "started"}, {"state": "handed-back"}, {"state": "ended", "reason": "could-not-help"}]
)
async def test_where_nothing_was_given_there_is_no_serial(matching: Matching, told: dict[str, Any]) -> None:
    await matching.open(place(serials=["a1"]))
    await matching.accept(await matching.offered(referral(1)))
    assert rules(await matching.support(1, serial="a1", **told)) == ["only-when-given"]


async def test_units_given_directly_are_out(matching: Matching) -> None:
    await matching.open(place(capacity=5, serials=["a1", "a2", "a3"]))
    told = await matching.stage.receive(
        "library",
        direct_help(count=2, serials=["a1", "a2"]),
        direct_help(count=1, serials=["a2"]),
        direct_help(count=1),
        direct_help(count=2, serials=["a3", "a3"]),
    )
    assert len(said(told, DirectHelpGiven)) == 1
    assert rules(told) == ["not-in-stock", "which-unit", "serial-twice"]
    assert (await in_stock(matching), await matching.units()) == (["a3"], (5, 0, 2))


async def test_a_place_that_counts_takes_no_serials(matching: Matching) -> None:
    await matching.open(place(capacity=3))
    assert rules(await matching.stage.receive("library", direct_help(serials=["a1"]))) == ["not-in-stock"]
    assert rules(await lent(matching)) == ["not-in-stock"]


async def test_what_is_named_anew_is_what_is_in_stock_and_what_is_out_stays_out(matching: Matching) -> None:
    await matching.open(place(capacity=3, loan_days=30, serials=["a1", "a2", "a3"]))
    await lent(matching)
    await matching.open(place(capacity=3, loan_days=30))
    assert await in_stock(matching) == ["a2", "a3"]
    await matching.open(place(capacity=3, loan_days=30, serials=["a1", "a3", "a4"]))
    assert (await in_stock(matching), await with_people(matching)) == (["a3", "a4"], {"a1": id_of(1)})
    await matching.open(place(capacity=3, loan_days=30, serials=[]))
    await matching.loan(1, "returned", wiped=True)
    assert await in_stock(matching) == ["a1"]


async def test_a_unit_goes_to_another_place_when_the_first_does_not_name_it_any_more(matching: Matching) -> None:
    await matching.open(place(serials=["a1"]))
    other = place("phones", serials=["a1"])
    assert rules(await matching.open(other)) == ["serial-elsewhere"]
    assert rules(await matching.open(place(serials=[]), other)) == []
    assert await matching.stage.rows("select place_id from unit") == [{"place_id": "phones"}]


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"serials": ["a1"], "kind": "connectivity"}, "only-devices"),
        ({"serials": ["a1", "a1"], "capacity": 2}, "serial-twice"),
        ({"serials": ["a1", "a2"]}, "more-than-capacity"),
    ],
)
async def test_units_that_cannot_be_are_refused(matching: Matching, wrong: dict[str, Any], rule: str) -> None:
    assert rules(await matching.open(place(**wrong))) == [rule]
    assert await matching.stage.rows("select from unit") == []


async def test_the_database_itself_refuses_a_unit_with_two_people_and_a_person_with_two(matching: Matching) -> None:
    await matching.open(place(capacity=2, serials=["a1", "a2"]))
    await lent(matching)
    for wrong in (
        "insert into unit select * from unit",
        "update unit set is_out = true, offer_id = (select offer_id from offer)",
    ):
        with pytest.raises(asyncpg.UniqueViolationError):
            await matching.stage.database.execute(wrong)
    with pytest.raises(asyncpg.CheckViolationError):
        await matching.stage.database.execute("update unit set is_out = false")


async def test_no_fact_has_a_serial(matching: Matching) -> None:
    await matching.open(place(capacity=2, loan_days=30, serials=["find-me-1", "find-me-2"]))
    told = await lent(matching, serial="find-me-1")
    told += await matching.loan(1, "returned", wiped=True)
    told += await matching.stage.receive("library", direct_help(serials=["find-me-2"]))
    assert said(told, DirectHelpGiven)
    assert [s for s in told if isinstance(s, Fact) and b"find-me" in s.value] == []
    assert (
        await matching.stage.rows("select from outbox where position('find-me' in convert_from(value, 'UTF8')) > 0")
        == []
    )


async def test_who_had_a_unit_is_forgotten_with_them_but_a_loan_comes_back(matching: Matching) -> None:
    await matching.open(place(capacity=1, serials=["a1"]), place("loans", loan_days=30, serials=["b1"]))
    for number in (1, 2):
        made = await matching.offered(referral(number))
        await matching.accept(made)
        serial = "b1" if made.place_id == "loans" else "a1"
        await matching.support(number, "ended", outcome="helped", serial=serial)
    await matching.hear(PersonErased(referral_id=id_of(1001)), PersonErased(referral_id=id_of(1002)))
    assert {serial: need is None for serial, need in (await with_people(matching)).items()} == {"a1": True, "b1": False}
    (lent_to,) = await matching.stage.rows("select need_id from offer where state = 'lent'")
    await matching.loan(1 if lent_to["need_id"] == id_of(1) else 2, "returned", wiped=True)
    assert await in_stock(matching) == ["b1"]
