"""Which facts are read, and what handles them."""

from collections.abc import Mapping

from chassis.facts import Handler
from contracts.message import Message
from contracts.referrals import NeedStatusChanged, PersonErased
from services.notifications.handlers import on_need_status_changed, on_person_erased

HANDLERS: Mapping[type[Message], Handler] = {
    NeedStatusChanged: on_need_status_changed,
    PersonErased: on_person_erased,
}
