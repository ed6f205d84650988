"""Whatever a need may ask, and on whatever terms a place may help."""

from typing import Any

from hypothesis import strategies as st

from services.matching.domain.fit import Asks, Terms
from tests.matching.builders import ARMLEY, HAREHILLS


def some(*of: Any, most: int = 2) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(of), max_size=most)


REQUIREMENTS = some("large-screen", "home-visit", "interpreter")
ASKS = st.builds(
    Asks,
    kind=st.sampled_from(["device", "champion"]),
    partner=st.sampled_from(["gp-armley", "food-bank"]),
    ward=st.sampled_from([ARMLEY, HAREHILLS, None]),
    requirements=REQUIREMENTS,
    languages=some("ur", "en"),
    formats=some("video", "phone"),
    schemes=some("scheme:databank", "scheme:other"),
    days=some("mon", "sat"),
)
TERMS = st.builds(
    Terms,
    kind=st.sampled_from(["device", "champion"]),
    wards=some(ARMLEY, HAREHILLS),
    languages=some("ur", "en"),
    formats=some("video", "phone"),
    requirements=REQUIREMENTS,
    open_to=some("gp-armley", "food-bank"),
    scheme=st.sampled_from(["scheme:databank", None]),
    days=some("mon", "sat"),
)
