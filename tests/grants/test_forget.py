"""Grants forgets where the needs of an erased referral were gaps."""

from uuid import UUID

import pytest

from contracts.grants import ErasureConfirmed
from contracts.referrals import PersonErased
from tests.grants.conftest import City
from tests.grants.test_gaps import are_open, recorded
from tests.support import said

pytestmark = pytest.mark.servers


async def test_gaps_of_an_erased_referral_go_and_do_not_come_back(city: City) -> None:
    await city.stage.hear(recorded(1), recorded(2))
    told = await city.stage.hear(PersonErased(referral_id=UUID(int=1)))
    assert said(told, ErasureConfirmed)[0].referral_id == UUID(int=1)
    await city.stage.hear(recorded(1))
    assert await are_open(city) == [2]
