"""Settings of the reporting service."""

from pydantic import Field

from chassis.settings import Settings


class ReportingSettings(Settings):
    publish_every_seconds: float = Field(default=2.0, gt=0)
    """A table of counts is published at most this often, however many facts change it."""
