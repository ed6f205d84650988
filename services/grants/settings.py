"""Settings of the grants service."""

from chassis.settings import Settings


class GrantsSettings(Settings):
    """Grants needs what every service needs, and no more."""
