"""The moves of an offer and what they do to the units of a place."""

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain.fit import PlaceKey
from services.matching.domain.offers import MOVES, NEED_AFTER, Act, Offer, OfferState, changes_of_units, moved
from tests.matching.builders import id_of

PLACE = PlaceKey("library", "tablets")
OVER = {
    "declined", "expired", "withdrawn", "taken-back", "refused", "handed-back", "failed", "ended", "returned", "lost",
}  # fmt: skip


def an_offer(state: OfferState = "open", kind: str = "device") -> Offer:
    return Offer(id_of(1), id_of(2), id_of(3), kind, PLACE, state)  # type: ignore[arg-type]  # drawn from the kinds


def test_every_state_says_where_it_leaves_the_need() -> None:
    assert set(NEED_AFTER) == set(get_args(OfferState))


@pytest.mark.parametrize(("state", "act"), [*product(sorted(OVER), get_args(Act))])
def test_an_offer_that_is_over_never_moves_again(state: OfferState, act: Act) -> None:
    assert moved(an_offer(state), act) is None


@pytest.mark.parametrize(("kind", "left"), [("device", 1), ("connectivity", 1), ("skills", 0), ("champion", 0)])
def test_what_is_given_away_is_gone_and_what_is_done_is_free_again(kind: str, left: int) -> None:
    assert an_offer("ended", kind).units == (0, left)


@given(st.sampled_from(["device", "champion"]), st.lists(st.sampled_from(get_args(Act)), max_size=9))
def test_the_changes_of_a_history_add_up_to_where_it_ends(kind: str, acts: list[Act]) -> None:
    offer, steps = an_offer("awaiting", kind), []
    for act in acts:
        after = moved(offer, act)
        if after:
            steps.append((offer, after))
            offer = after
    change = changes_of_units(steps).get(PLACE, (0, 0))
    assert (1 + change[0], change[1]) == tuple(offer.units)


def test_only_an_open_offer_can_be_answered() -> None:
    assert {state for state, act in MOVES if act in ("accept", "decline", "expire")} == {"open"}
