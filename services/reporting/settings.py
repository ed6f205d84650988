"""Settings of the reporting service."""

from pydantic import Field

from chassis.settings import Settings


class ReportingSettings(Settings):
    publish_every_seconds: float = Field(default=24 * 60 * 60, gt=0)
    """What stands now is published at most this often. Those who look more often than people come see them come."""
