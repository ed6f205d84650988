"""Settings of the matching service."""

from pydantic import Field

from chassis.settings import Settings
from contracts.vocabulary import Kind


class MatchingSettings(Settings):
    confirm_kinds: list[Kind] = Field(default=[])
    """Offers of these kinds are held, and go to their providers only when staff confirm them."""
    offer_days: float = Field(default=7, gt=0, le=90)
    """An offer that is not answered within this many days expires."""
