"""A city under load: the five services, partners that refer, a provider with places for half of what is asked."""

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chassis.jwe import seal
from contracts.message import Service
from contracts.vocabulary import KINDS, Kind
from deploy.areas import default as default_areas
from deploy.bench.doors import HttpDoor
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.stack import Report, Stack
from deploy.partners import add_partner

REFERRERS: Final = ("gp-armley", "food-bank", "housing", "hospital")
PROVIDER: Final = "library-service"
FREE: Final = 100_000
PERSONS: Final = 64
PAIRS: Final[tuple[tuple[Kind, Kind], ...]] = (("device", "skills"), ("connectivity", "champion"))
"""The two needs of a referral. A place is free for the first of each pair; those for the second are full."""
QUOTA: Final = "FURTHEST_INBOX_DAILY_QUOTA"
PUBLISH: Final = "FURTHEST_PUBLISH_EVERY_SECONDS"


@dataclass
class HoldingStack(Stack):
    """As deployed, but who notifications would ask before it sends never answers: sends are queued, not performed."""

    held_at: int = 0

    def environment(self, service: Service, addresses: dict[str, Any]) -> dict[str, str]:
        environment = Stack.environment(self, service, addresses)
        environment[QUOTA] = str(10**9)
        environment[PUBLISH] = str(24 * 60 * 60)  # as deployed: else what is measured is publishing
        if service == "notifications":
            environment["FURTHEST_REFERRALS_URL"] = f"http://{LOOPBACK}:{self.held_at}"
        return environment


@dataclass(slots=True)
class City:
    """What is sent is made beforehand, so that the sender is never what is measured."""

    stack: Stack
    partners: dict[str, dict[str, Any]]
    wards: list[str]
    persons: list[str]
    sent: int = 0
    addresses: dict[str, Any] = field(default_factory=dict)

    def referrals(self, wanted: int) -> list[tuple[str, str, bytes]]:
        """The next referrals: partner, submission id and body."""
        first, self.sent = self.sent, self.sent + wanted
        return [self._referral(number) for number in range(first, self.sent)]

    def _referral(self, number: int) -> tuple[str, str, bytes]:
        body = {
            "reference": f"B-{number}",
            "ward": self.wards[number % len(self.wards)],
            "needs": [{"kind": kind} for kind in PAIRS[number % 2]],
            "languages": ["en", "ur"],
            "agreement": {"by": "person", "given_on": "2026-01-20"},
            "person_jwe": self.persons[number % PERSONS],
        }
        return REFERRERS[number % len(REFERRERS)], f"bench-{number}", json.dumps(body).encode()

    def open_places(self) -> None:
        """Places for each kind in all wards: of half of the kinds with room for everybody, of the others none."""
        door = HttpDoor(self.addresses["services"]["matching"]["http"], self.partners[PROVIDER]["api_key"])
        with door:
            door.call("PUT", "/v1/providers/library", {"name": "Leeds Libraries", "languages": ["en"]})
            for kind in KINDS:
                capacity = FREE if kind in {first for first, _ in PAIRS} else 1
                for ward in self.wards[::3]:
                    near = self.wards[self.wards.index(ward) :][:3]
                    place = {"provider_id": "library", "kind": kind, "capacity": capacity, "wards": near}
                    door.call("PUT", f"/v1/places/{kind}-{ward}", place)


def person(number: int) -> dict[str, Any]:
    told = ("low-income", "disability", "needs-english", "homeless", "offline")[: number % 6]
    return {
        "name": f"Example Person {number}",
        "born": "1951-03-09",
        "address": [f"{number} Example Street", "Leeds"],
        "postcode": "LS9 6AB",
        "phone": f"+4477009{number:05d}",
        "email": f"person-{number}@example.org",
        "safe_contact": {"channels": ["email", "via-referrer"], "hours": ["10:00", "15:00"]},
        "circumstances": dict.fromkeys(told, "yes"),
        "accessible_information": ["large-print"],
        "goal": "video calls with my sister",
        "notes": "prefers mornings",
    }


@contextlib.contextmanager
def city(folder: Path, report: Report) -> Iterator[City]:
    """Everything up for the time of a block, with places open and every inbox read."""
    with _silence() as port:
        stack = HoldingStack(folder, report, held_at=port)
        stack.up()
        try:
            report("registering partners and opening places")
            partners = {name: add_partner(stack.site, name) for name in (*REFERRERS, PROVIDER)}
            yield _open(stack, partners)
        finally:
            report("stopping")
            stack.down()


def _open(stack: Stack, partners: dict[str, dict[str, Any]]) -> City:
    public_key = partners[PROVIDER]["public_key"]
    persons = [seal(json.dumps(person(number)).encode(), public_key) for number in range(PERSONS)]
    wards = [area.code for area in default_areas().areas if area.ward is None]
    made = City(stack, partners, wards, persons, addresses=stack.addresses())
    made.open_places()
    return made


@contextlib.contextmanager
def _silence() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server((LOOPBACK, 0), backlog=512) as listening:
        yield listening.getsockname()[1]
