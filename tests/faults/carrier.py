"""GOV.UK Notify in a run with faults: it hangs up on some, and tells what became of each twice and in any order."""

import asyncio
import logging
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from deploy.demo.owed import Owed, compare
from deploy.demo.parties import chance_of
from deploy.demo.witness import Evidence
from services.notifications.domain.ladder import verdict
from tests.notifications.notify import API_KEY, CALLBACK_TOKEN, StandInNotify

logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it hangs up on purpose
PATH: Final = "/v1/notify-callbacks"
AGAIN_AFTER: Final = 0.5
AGAIN: Final = frozenset({429, 500, 502, 503, 504})
"""Notify repeats what is answered so, and where nobody answers; of anything else it is never heard again."""

CARRIED: Final = """
    select message_id || '-' || nth from rung
    where channel in ('sms', 'letter') and (state in ('sent', 'delivered') or evidence like any ($1))
"""
VERDICTS: Final = "select message_id || '-' || nth, state from rung where message_id || '-' || nth = any($1)"
OF_RETURNED: Final = """
    select m.need_id, m.status from rung r join message m on m.id = r.message_id where r.evidence = 'returned-letter'
"""
"""A letter that comes back may have been told as delivered before, or after."""
DELIVERED: Final = f"""
    select m.need_id, m.status from rung r join message m on m.id = r.message_id
    where r.state = 'delivered' and (m.need_id, m.status) not in ({OF_RETURNED})
"""  # noqa: S608 - made of constants
NOT_ARRIVED: Final = ["%-failure", "returned-letter"]


@dataclass
class Carrier(StandInNotify):
    """What happens to a message is drawn from its reference."""

    tried: Counter[str] = field(default_factory=Counter)
    known: int = 0
    left: deque[tuple[str, str]] = field(default_factory=deque)
    heard: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        """With which the notifications service sends by it, as environment variables."""
        given = {"url": self.url, "api_key": API_KEY, "callback_token": CALLBACK_TOKEN}
        return {
            **{f"FURTHEST_NOTIFY_{name.upper()}": value for name, value in given.items()},
            "FURTHEST_NOTIFY_SMS_TEMPLATE": "sms",
            "FURTHEST_NOTIFY_LETTERS": "true",
        }

    def how(self, to: str, reference: str) -> str:
        """The second time it goes well."""
        self.tried[reference] += 1
        chance = chance_of(reference, "carrier")
        if self.tried[reference] > 1 or chance > 0.06:
            return ""
        return "takes_and_hangs_up" if chance < 0.03 else "hangs_up"

    async def tell(self, url: str) -> None:
        """Tells what became of the messages, until cancelled; what cannot be told now comes after the others."""
        async with httpx2.AsyncClient(timeout=5, headers={"Authorization": f"Bearer {CALLBACK_TOKEN}"}) as http:
            while True:
                for kept in self.kept[self.known :]:
                    self.left.extend(_news(kept))
                self.known = len(self.kept)
                late = [news for _ in range(len(self.left)) if (news := await self._tell(http, url)) is not None]
                self.left.extend(late)
                await asyncio.sleep(AGAIN_AFTER)

    async def _tell(self, http: httpx2.AsyncClient, url: str) -> tuple[str, str] | None:
        """The same, where it is to be told again."""
        reference, status = news = self.left.popleft()
        try:
            answer = await http.post(url + PATH, json=self._body(reference, status))
        except httpx2.HTTPError:
            return news
        if answer.status_code in AGAIN:
            return news
        self.heard[reference] += 1
        if answer.status_code != 204:
            self.refused.append(f"{reference}: {answer.status_code}")
        return None

    def _body(self, reference: str, status: str) -> dict[str, Any]:
        told = self.callback(reference, status)
        return {"notification_id": told["id"], "reference": reference} if status == "returned-letter" else told

    @property
    def has_told(self) -> bool:
        return self.known == len(self.kept) and not self.left

    async def check(self, seen: Evidence) -> list[Owed]:
        """What the service knows of its messages must be what the carrier has, and has said."""
        says = {kept["reference"]: verdict(_end(kept), "sent", kept["type"]) for kept in self.kept}
        returned = await seen.rows("notifications", OF_RETURNED)
        delivered = [(need, about or status) for need, status, about in seen.said.facts["NotificationDelivered"]]
        return [
            compare(
                "carrier: it got each message that was sent, and once",
                (row[0] for row in await seen.rows("notifications", CARRIED, NOT_ARRIVED)),
                self.references,
            ),
            compare("carrier: what it said was taken", (), self.refused),
            compare(
                "notifications: each message stands as the carrier said last, whatever came twice or out of order",
                says.items(),
                await seen.rows("notifications", VERDICTS, list(says)),
            ),
            compare(
                "log: one NotificationDelivered for each message that arrived",
                await seen.rows("notifications", DELIVERED),
                (told for told in delivered if told not in returned),
            ),
        ]


def _end(kept: dict[str, Any]) -> str:
    chance = chance_of(kept["reference"], "arrives")
    if kept["type"] == "letter":
        return "received" if chance < 0.8 else "returned-letter"
    return "delivered" if chance < 0.8 else "permanent-failure"


def _news(kept: dict[str, Any]) -> list[tuple[str, str]]:
    """The end twice, and what was before it; of each message in an order of its own."""
    reference, end = kept["reference"], _end(kept)
    before = "received" if end == "returned-letter" else "sending"
    told = [(chance_of(reference, str(nth)), status) for nth, status in enumerate([before, end, end])]
    return [(reference, status) for _, status in sorted(told)]
