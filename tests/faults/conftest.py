"""The toy service of the chassis' tests, for what can be shown without a whole deployment."""

from tests.chassis.conftest import toy

__all__ = ["toy"]
