"""Whoever is erased is told nothing any more, and nobody is asked to call them."""

from contracts.notifications import ErasureConfirmed
from contracts.referrals import PersonErased
from tests.notifications.conftest import World, a_change
from tests.notifications.standins import a_contact
from tests.support import said


async def test_messages_and_call_tasks_go_with_what_waits_to_be_sent_and_others_stay(world: World) -> None:
    world.referrals.usual = a_contact(channel="phone")
    gone, stays = a_change("accepted"), a_change("accepted")
    await world.hear(gone, stays)
    await world.send()
    await world.hear(gone.model_copy(update={"status": "completed"}))
    told = await world.stage.hear(PersonErased(referral_id=gone.referral_id))
    assert said(told, ErasureConfirmed)[0].referral_id == gone.referral_id
    left = [*await world.messages(), *await world.tasks()]
    assert [row["referral_id"] for row in left] == [stays.referral_id] * 2
    assert await world.waiting() == 0
    assert {fact["referral_id"] for _, fact in (await world.facts())[:-1]} == {str(stays.referral_id)}


async def test_that_needs_ended_by_the_erasure_is_told_to_nobody(world: World) -> None:
    await world.hear(a_change("cancelled", reason="erased"), a_change("cancelled", reason="no-longer-needed"))
    assert await world.waiting() == 1


async def test_a_status_that_is_heard_later_is_told_to_nobody(world: World) -> None:
    change = a_change("accepted")
    await world.stage.hear(PersonErased(referral_id=change.referral_id))
    await world.hear(change)
    assert await world.waiting() == 0
    assert await world.messages() == []
