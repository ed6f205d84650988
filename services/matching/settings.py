"""Settings of the matching service."""

from pydantic import Field

from chassis.settings import Settings


class MatchingSettings(Settings):
    offer_days: float = Field(default=7, gt=0, le=90)
    """An offer that is not answered within this many days expires."""
