"""Invariant 1, counted: which effects each fact owes in each service, and how many are missing or too many."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from contracts.message import Service
from deploy.demo.log import Line
from deploy.demo.parties import Told
from deploy.demo.plan import Submission

TOLD = {"accepted", "completed", "failed", "cancelled", "rejected"}
"""Statuses that a person hears of each time; of `on-hold` only the first is told."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One kind of effect: how many are missing, and how many are there too often."""

    effect: str
    lost: int
    doubled: int


def compare(effect: str, expected: Iterable[Any], found: Iterable[Any]) -> Owed:
    """Both are multisets: every expected one must be found as often as it is expected, and no other."""
    owed, seen = Counter(list(expected)), Counter(list(found))
    return Owed(effect, (owed - seen).total(), (seen - owed).total())


@dataclass(slots=True)
class Evidence:
    """What was seen from outside: what partners sent and were told, the log, the mails, and every database."""

    submissions: Sequence[Submission]
    told: Sequence[Told]
    log: dict[str, list[Line]]
    mails: Path
    databases: Mapping[Service, str]

    async def rows(self, service: Service, sql: str) -> list[tuple[Any, ...]]:
        conn = await asyncpg.connect(self.databases[service])
        try:
            return [tuple(str(value) if value is not None else None for value in row) for row in await conn.fetch(sql)]
        finally:
            await conn.close()

    def facts(self, topic: str, kind: str) -> list[dict[str, Any]]:
        """The facts of a kind in the log, each id once: a relay may say twice, with one id."""
        return [line.data for line in {line.id: line for line in self.log[topic] if line.type == kind}.values()]

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """What partners were told, each id once for Kafka; over HTTP each answer counts."""
        return [each.data for each in self.told if each.type == kind]


async def owed(seen: Evidence) -> list[Owed]:
    """Every line of the table of owed effects."""
    return [
        *_answers(seen),
        *await _referrals(seen),
        *await _progress(seen),
        *await _offers(seen),
        *await _notifications(seen),
    ]


def _answers(seen: Evidence) -> list[Owed]:
    accepted = [s.id for s in seen.submissions if not s.rule for _ in range(s.times)]
    refused = [s.id for s in seen.submissions if s.rule for _ in range(s.times)]
    ours = set(accepted) | set(refused)
    heard = [a["submission_id"] for a in seen.messages("MessageRefused")]
    return [
        compare(
            "partner: an accepted submission is acknowledged each time it is sent",
            accepted,
            (a["submission_id"] for a in seen.messages("ReferralAcknowledged")),
        ),
        compare(
            "partner: a wrong submission is refused each time it is sent",
            refused,
            (submission for submission in heard if submission in ours),
        ),
    ]


async def _referrals(seen: Evidence) -> list[Owed]:
    good = [s for s in seen.submissions if not s.rule]
    acknowledged = {a["referral_id"]: a for a in seen.messages("ReferralAcknowledged")}
    needs = [need["need_id"] for a in acknowledged.values() for need in a["needs"]]
    received = [fact["referral_id"] for fact in seen.facts("referrals", "ReferralReceived")]
    return [
        compare(
            "referrals: one referral for each accepted submission",
            ((s.partner, s.reference) for s in good),
            await seen.rows("referrals", "select partner, reference from referral"),
        ),
        compare("referrals: one person for each referral", [len(good)], [await _count(seen, "referrals", "person")]),
        compare(
            "referrals: one row for each need",
            needs,
            (row[0] for row in await seen.rows("referrals", "select id from need")),
        ),
        compare("log: one ReferralReceived for each referral", acknowledged, received),
        compare(
            "matching: one row for each need",
            needs,
            (row[0] for row in await seen.rows("matching", "select need_id from need")),
        ),
        compare(
            "reporting: one row for each referral",
            acknowledged,
            (r[0] for r in await seen.rows("reporting", "select referral_id from referral where partner is not null")),
        ),
    ]


async def _count(seen: Evidence, service: Service, table: str) -> int:
    rows = await seen.rows(service, f"select count(*) from {table}")  # noqa: S608 - names of ours
    return int(rows[0][0])


async def _progress(seen: Evidence) -> list[Owed]:
    changes = seen.facts("referrals", "NeedStatusChanged")
    told = seen.messages("ReferralProgressed")
    return [
        compare(
            "partner: each change of status is told once",
            ((c["need_id"], c["status"], c["reason"], c["at"]) for c in changes),
            ((t["need_id"], t["status"], t["reason"], t["at"]) for t in told),
        ),
        compare(
            "reporting: every need stands as it does in referrals",
            await seen.rows("referrals", "select id, status from need"),
            await seen.rows("reporting", "select need_id, status from need"),
        ),
    ]


async def _offers(seen: Evidence) -> list[Owed]:
    made = [fact["offer_id"] for fact in seen.facts("matching", "OfferMade")]
    accepted = [fact["need_id"] for fact in seen.facts("matching", "OfferAccepted")]
    return [
        compare(
            "matching: one offer for each OfferMade",
            made,
            (row[0] for row in await seen.rows("matching", "select offer_id from offer")),
        ),
        compare(
            "provider: every offer is proposed once", made, (t["offer_id"] for t in seen.messages("OfferProposed"))
        ),
        compare(
            "reporting: one row for each offer",
            made,
            (row[0] for row in await seen.rows("reporting", "select offer_id from offer")),
        ),
        compare(
            "referrals: every acceptance moved its need",
            accepted,
            (
                row[0]
                for row in await seen.rows("referrals", "select need_id from need_history where fact = 'OfferAccepted'")
            ),
        ),
    ]


async def _notifications(seen: Evidence) -> list[Owed]:
    changes = [(c["need_id"], c["status"]) for c in seen.facts("referrals", "NeedStatusChanged")]
    waiting = {change for change in changes if change[1] == "on-hold"}
    mails = [json.loads(line)["id"] for line in seen.mails.read_text().splitlines()] if seen.mails.exists() else []
    said = {line.id for line in seen.log["notifications"]}
    unknown = await seen.rows("notifications", "select id from message where reason = 'unknown-result'")
    known_mails = Counter(mails) - Counter(row[0] for row in unknown)
    return [
        compare(
            "notifications: one message for each change that a person is told of",
            [*waiting, *(change for change in changes if change[1] in TOLD)],
            await seen.rows("notifications", "select need_id, status from message"),
        ),
        compare(
            "mail server: one mail for each message sent, at most one where the sender was killed while sending",
            (row[0] for row in await seen.rows("notifications", "select id from message where state = 'sent'")),
            known_mails.elements(),
        ),
        compare(
            "notifications: one call task for each message that needs a human being",
            (
                row[0]
                for row in await seen.rows(
                    "notifications", "select id from message where state in ('call-requested', 'failed')"
                )
            ),
            (row[0] for row in await seen.rows("notifications", "select message_id from call_task")),
        ),
        compare(
            "notifications: nothing is left untold",
            (),
            await seen.rows("notifications", "select id from message where state = 'waiting'"),
        ),
        compare(
            "reporting: one row for each fact of notifications",
            said,
            (row[0] for row in await seen.rows("reporting", "select event_id from notification")),
        ),
    ]
