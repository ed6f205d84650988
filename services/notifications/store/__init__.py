"""All SQL of the notifications service."""

from services.notifications.store.messages import Messages
from services.notifications.store.tasks import Tasks


class Store(Messages, Tasks):
    """What handlers and routes use, on one connection."""

    __slots__ = ()
