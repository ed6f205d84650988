"""Which facts are read, and what handles them."""

from collections.abc import Mapping

from chassis.facts import Handler
from contracts.message import Message
from contracts.referrals import NeedStatusChanged
from services.notifications.handlers import on_need_status_changed

HANDLERS: Mapping[type[Message], Handler] = {NeedStatusChanged: on_need_status_changed}
