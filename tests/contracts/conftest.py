"""Messages that a test declares for itself."""

from collections.abc import Iterator

import pytest

from contracts.message import MESSAGES


@pytest.fixture
def declared() -> Iterator[None]:
    """Whatever a test declares is forgotten after it."""
    before = dict(MESSAGES)
    yield
    MESSAGES.clear()
    MESSAGES.update(before)
