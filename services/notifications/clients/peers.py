"""The internal door of another service, which tells at the moment of sending how those are reached whom it knows."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from chassis.due import NotCalled
from chassis.tokens import Tokens
from contracts.message import Service

WORK_PATH = "/v1/work-contacts"
WITHIN = 10.0

M = TypeVar("M", bound=BaseModel)
AddressesOf = Callable[[Collection[str]], Awaitable[dict[str, SecretStr]]]
"""Where some are written to at work, of those that want mail. Raises NotCalled."""


class WorkLookups(BaseModel):
    whom: list[str] = Field(min_length=1, max_length=500)


class WorkMails(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    mails: dict[str, SecretStr]


@dataclass(frozen=True, slots=True)
class Peer:
    service: Service
    url: str
    tokens: Tokens
    clock: Callable[[], datetime]
    trusted: ssl.SSLContext = field(default_factory=lambda: httpx2.create_ssl_context(trust_env=False))
    """Read once: to read the authorities anew takes longer than most questions."""

    async def ask(self, path: str, body: BaseModel, answer: type[M]) -> M:
        """Raises NotCalled where it gave no answer of use."""
        try:
            async with asyncio.timeout(WITHIN):
                return answer.model_validate_json(await self._post(path, body))
        except (httpx2.HTTPError, OSError, TimeoutError, ValueError) as error:
            raise NotCalled(f"{self.service} gave no answer of use: {type(error).__name__}") from None

    async def work_mails(self, whom: Collection[str]) -> dict[str, SecretStr]:
        return (await self.ask(WORK_PATH, WorkLookups(whom=sorted(whom)), WorkMails)).mails

    async def _post(self, path: str, body: BaseModel) -> bytes:
        token = self.tokens.make("notifications", self.service, self.clock())
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        async with httpx2.AsyncClient(verify=self.trusted, timeout=WITHIN, trust_env=False) as http:
            response = await http.post(self.url.rstrip("/") + path, content=body.model_dump_json(), headers=headers)
        response.raise_for_status()
        return response.content
