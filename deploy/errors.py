"""What commands fail with."""


class DeployError(Exception):
    """It could not be done; the message says what to do next."""
