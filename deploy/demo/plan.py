"""What the partners of the demo send: made up, and the same each time for a seed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final, Literal

from chassis.jwe import new_key, public_part, seal
from contracts.door import PlaceUpdated, ProviderUpdated

Door = Literal["kafka", "http"]

WAYS: Final = (["email"], ["email", "phone"], ["phone"], ["via-referrer"], ["letter", "via-referrer"], ["email"])


@dataclass(frozen=True, slots=True)
class Referrer:
    """A partner that refers people, by which doors, how its references begin, and by which `ways` they are reached."""

    name: str
    prefix: str
    doors: tuple[Door, ...]
    ways: tuple[list[str], ...] = WAYS


REFERRERS: Final[dict[str, Referrer]] = {
    "gp-armley": Referrer("Armley Medical Practice", "GP", ("kafka",)),
    "food-bank": Referrer("Harehills Food Bank", "FB", ("http",)),
}
PROVIDER: Final = ("library-service", "Leeds Libraries")
GIVEN: Final = ("Amira", "Bob", "Chloe", "Dev", "Elsie", "Farid", "Grace", "Hana", "Idris", "Joan", "Kofi", "Lena")
FAMILY: Final = ("Ahmed", "Booth", "Clarke", "Dhillon", "Evans", "Farah", "Green", "Hussain", "Iqbal", "Jones")
KINDS: Final = ("device", "connectivity", "skills", "champion")
CIRCUMSTANCES: Final = (
    "low-income",
    "urgent-money-need",
    "long-term-condition",
    "disability",
    "mental-health",
    "needs-english",
    "needs-interpreter",
    "needs-reading-support",
    "homeless",
    "offline",
    "no-support-network",
)
AT_ANY_HOUR: Final = ("00:00", "23:59")
"""Else who is to be rung waits for the morning, where this runs in the evening."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One message a referrer sends, `times` times; `rule` is what it breaks on purpose, none where it is good.

    `again` is the door by which it is sent after the first time, where that is another.
    """

    partner: str
    door: Door
    id: str
    reference: str
    body: bytes
    times: int = 1
    rule: str | None = None
    needs: int = 0
    again: Door | None = None

    @property
    def doors(self) -> list[Door]:
        """The door of each sending, in order."""
        return [self.door, *[self.again or self.door] * (self.times - 1)]


@dataclass(frozen=True, slots=True)
class Plan:
    """`is_known` says whether we know beforehand what is to be refused: not of somebody's file."""

    submissions: list[Submission]
    providers: list[ProviderUpdated]
    places: list[PlaceUpdated] = field(default_factory=list)
    is_known: bool = True


def make(
    referrals: int,
    wards: list[str],
    public_key: dict[str, str],
    today: date,
    seed: int = 7,
    referrers: Mapping[str, Referrer] = REFERRERS,
) -> Plan:
    """`referrals` people referred over both doors: one in twenty sent twice, one in twenty wrong on purpose."""
    random = Random(seed)  # noqa: S311 - made-up people, the same each time
    other_key = public_part(new_key("not-ours"))
    sealing = Sealing(public_key, other_key)
    numbers = range(1, referrals + 1)
    submissions = [_submission(random, referrers, number, wards, sealing, today) for number in numbers]
    return Plan(submissions, _providers(), list(_places(random, wards, referrals)))


@dataclass(frozen=True, slots=True)
class Sealing:
    ours: dict[str, str]
    another: dict[str, str]


def _submission(
    random: Random, referrers: Mapping[str, Referrer], number: int, wards: list[str], sealing: Sealing, today: date
) -> Submission:
    partner = random.choice(list(referrers))
    door = random.choice(referrers[partner].doors)
    body = _referral(random, f"{referrers[partner].prefix}-{number}", wards, today)
    person = _person(random, number, referrers[partner].ways)
    rule = random.choice(list(WRONG[door])) if number % 20 == 10 else None
    times = 2 if number % 20 == 5 else 1
    again = random.choice(referrers[partner].doors) if times > 1 else door
    way: Door = "http" if door == again == "http" else "kafka"
    sent = _break(rule, body, person, sealing) if rule else {**body, **_carried(person, way, random, sealing.ours)}
    value = b"{this is not JSON" if rule == "json-invalid" else json.dumps(sent).encode()
    needs = 0 if rule else len(body["needs"])
    return Submission(partner, door, f"demo-{number}", body["reference"], value, times, rule, needs, again)


def _referral(random: Random, reference: str, wards: list[str], today: date) -> dict[str, Any]:
    kinds = random.sample(KINDS, random.choice((1, 1, 2, 2, 3)))
    requirements = {"device": ["large-screen"], "champion": ["dbs-checked"]}
    needs = [
        {"kind": kind, "requirements": requirements.get(kind, []) if random.random() < 0.2 else []} for kind in kinds
    ]
    return {
        "reference": reference,
        "ward": random.choice((*wards, "no-fixed-address")) if random.random() < 0.95 else "temporary",
        "needs": needs,
        "languages": random.choice((["en"], ["en"], ["ur", "en"], ["pl"], ["ar", "en"])),
        "agreement": {"by": "person", "given_on": str(today)},
    }


def _person(random: Random, number: int, ways: Sequence[list[str]]) -> dict[str, Any]:
    told = random.sample(CIRCUMSTANCES, random.randint(0, 5))
    return {
        "name": f"{random.choice(GIVEN)} {random.choice(FAMILY)}",
        "born": str(date(1935, 1, 1) + timedelta(days=number * 7919 % 25_000)),
        "address": [f"{random.randint(1, 200)} Example Street", "Leeds"],
        "phone": f"+44770090{number % 10_000:04d}",
        "email": f"person-{number}@example.org",
        "safe_contact": {"channels": random.choice(ways), "neutral": random.random() < 0.5, "hours": AT_ANY_HOUR},
        "circumstances": dict.fromkeys(told, "yes"),
    }


def _sealed(person: dict[str, Any], key: dict[str, str]) -> str:
    return seal(json.dumps(person).encode(), key)


def _carried(person: dict[str, Any], door: Door, random: Random, key: dict[str, str]) -> dict[str, Any]:
    if door == "http" and random.random() < 0.5:
        return {"person": person}
    return {"person_jwe": _sealed(person, key)}


WRONG: Final[dict[Door, tuple[str, ...]]] = {
    "kafka": ("json-invalid", "missing", "unknown-ward", "other-key", "person-in-clear", "unknown-field", "list-type"),
    "http": ("json-invalid", "missing", "unknown-ward", "other-key", "unknown-field"),
}
"""What is sent wrong on purpose, by the rule that it breaks."""


def _break(rule: str, body: dict[str, Any], person: dict[str, Any], sealing: Sealing) -> dict[str, Any]:
    good = {**body, "person_jwe": _sealed(person, sealing.ours)}
    broken: dict[str, dict[str, Any]] = {
        "missing": {name: value for name, value in good.items() if name != "agreement"},
        "unknown-ward": {**good, "ward": "E05000001"},
        "other-key": {**good, "person_jwe": _sealed(person, sealing.another)},
        "person-in-clear": {**body, "person": person},
        "unknown-field": {**good, "urgency": "very"},
        "list-type": {**good, "needs": "a tablet"},
    }
    return broken.get(rule, good)


def _providers() -> list[ProviderUpdated]:
    return [
        ProviderUpdated(provider_id="tablet-library", name="Tablet lending library", languages=["en"]),
        ProviderUpdated(provider_id="champions", name="Digital Champions of Leeds", languages=["en", "ur", "pl"]),
    ]


def _places(random: Random, wards: list[str], referrals: int) -> Iterator[PlaceUpdated]:
    """Enough for about half, in several wards; nobody visits homes in most of them, so that gaps appear."""
    share = max(1, referrals // 12)
    yield PlaceUpdated(place_id="sims", provider_id="tablet-library", kind="connectivity", capacity=3 * share)
    yield PlaceUpdated(
        place_id="tablets-city", provider_id="tablet-library", kind="device", capacity=2 * share, requirements=[]
    )
    for number, ward in enumerate(random.sample(wards, min(8, len(wards)))):
        yield PlaceUpdated(
            place_id=f"tablets-{number}",
            provider_id="tablet-library",
            kind="device",
            capacity=max(1, share // 4),
            wards=[ward],
            requirements=["large-screen"],
        )
        yield PlaceUpdated(
            place_id=f"champions-{number}",
            provider_id="champions",
            kind="champion",
            capacity=max(1, share // 4),
            wards=[ward],
            languages=["en", "ur"],
            requirements=["dbs-checked"] if number % 2 else [],
        )
        yield PlaceUpdated(
            place_id=f"courses-{number}",
            provider_id="champions",
            kind="skills",
            capacity=max(1, share // 2),
            wards=[ward],
            formats=["group"],
        )


def funded() -> PlaceUpdated:
    """Help that nobody gives otherwise, for the grant round of the demo to pay for."""
    return PlaceUpdated(
        place_id="funded", provider_id="champions", kind="champion", capacity=20, requirements=["dbs-checked"]
    )


def from_file(lines: list[str], public_key: dict[str, str]) -> list[Submission]:
    """A referral a line, as at the HTTP door, with the person in clear or sealed. Clear ones are sealed here."""
    return [_from_line(number, line, public_key) for number, line in enumerate(lines, start=1) if line.strip()]


def _from_line(number: int, line: str, public_key: dict[str, str]) -> Submission:
    body = _parsed(line)
    if isinstance(person := body.pop("person", None), dict):
        body["person_jwe"] = _sealed(person, public_key)
    value = json.dumps(body).encode() if body else line.encode()
    needs = body.get("needs")
    asked = len(needs) if isinstance(needs, list) else 0
    return Submission("gp-armley", "kafka", f"file-{number}", str(body.get("reference")), value, needs=asked)


def _parsed(line: str) -> dict[str, Any]:
    try:
        body = json.loads(line)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
