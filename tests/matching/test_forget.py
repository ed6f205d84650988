"""Matching forgets what an erased referral asked for; places come free for those who are next."""

from contracts.matching import ErasureConfirmed, GapClosed, OfferMade, OfferWithdrawn
from contracts.offers import OfferClosed
from contracts.referrals import PersonErased
from contracts.refusal import MessageRefused
from tests.matching.builders import Matching, id_of, place, referral
from tests.support import said

FEATURES = "select ward, area, requirements, languages, formats, schemes, score, groups, area_step from need"
CHASSIS = ("due", "errand", "outbox", "said", "dead_letter")


def erased(number: int) -> PersonErased:
    return PersonErased(referral_id=id_of(1000 + number))


async def test_an_offer_is_withdrawn_and_the_place_goes_to_the_next(matching: Matching) -> None:
    await matching.open(place(capacity=1))
    offer = await matching.offered(referral(1))
    await matching.hear(referral(2))
    told = await matching.hear(erased(1))
    assert [fact.offer_id for fact in said(told, OfferWithdrawn)] == [offer.offer_id]
    assert said(told, OfferClosed)[0].reason == "withdrawn"
    assert said(told, OfferMade)[0].need_id == id_of(2)
    assert said(told, ErasureConfirmed)[0].referral_id == id_of(1001)
    assert await matching.state(1) == "withdrawn"
    assert await matching.units() == (1, 1, 0)


async def test_of_needs_and_offers_stay_ids_kinds_states_and_times(matching: Matching) -> None:
    await matching.open(place("one", languages=["ur"]), place("two", languages=["ur"]))
    offer = await matching.offered(referral(1, languages=("ur",), score=40, schemes=("scheme:databank",)))
    await matching.decline(offer)
    await matching.hear(erased(1))
    (row,) = await matching.stage.rows(FEATURES)
    assert list(row.values()) == [None, "erased", [], [], [], [], 0, 0, 0]
    assert await matching.stage.rows("select * from declined") == []
    offers = await matching.stage.rows("select state, reason from offer order by decision")
    assert offers == [{"state": "declined", "reason": None}, {"state": "withdrawn", "reason": None}]


async def test_work_and_messages_of_its_needs_and_offers_go_and_others_stay(matching: Matching) -> None:
    await matching.open(place(capacity=2))
    await matching.hear(referral(1), referral(2))
    await matching.stage.rows("insert into said select * from outbox")
    await matching.hear(erased(1))
    left = [row for table in CHASSIS for row in await matching.stage.rows(f"select t::text from {table} t")]  # noqa: S608 - ours
    values = await matching.stage.rows("select headers, convert_from(value, 'UTF8') as value from said")
    assert not [row for row in values if str(id_of(1)) in row["value"]]
    assert [row for row in values if str(id_of(2)) in row["value"]]
    due = await matching.stage.rows("select key from due")
    (offer,) = await matching.stage.rows("select offer_id from offer where need_id = $1", id_of(2))
    assert due == [{"key": str(offer["offer_id"])}]
    assert left


async def test_a_gap_is_closed(matching: Matching) -> None:
    await matching.hear(referral(1))
    assert said(await matching.hear(erased(1)), GapClosed)[0].need_id == id_of(1)
    assert await matching.stage.rows("select * from need where is_gap") == []


async def test_what_is_heard_later_has_no_effect_and_a_report_of_the_provider_is_answered(matching: Matching) -> None:
    await matching.open(place(capacity=1))
    await matching.accept(await matching.offered(referral(1)))
    await matching.hear(erased(1))
    assert await matching.hear(referral(1)) == []
    told = await matching.support(1, "started")
    assert said(told, MessageRefused)[0].errors[0].rule == "illegal-move"
    assert await matching.units() == (1, 0, 0)


async def test_a_referral_that_comes_after_its_erasure_is_passed_over(matching: Matching) -> None:
    told = await matching.hear(erased(1), referral(1))
    assert [type(fact) for fact in said(told, ErasureConfirmed)] == [ErasureConfirmed]
    assert await matching.stage.rows("select * from need") == []
