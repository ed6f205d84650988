"""Invariant 1, counted: which effects each fact owes in each service, and how many are missing or too many."""

from collections import Counter
from typing import Any

from contracts.catalogue import consumed_by
from contracts.message import Service
from contracts.notifications import OVERTAKEN
from deploy.demo.order import in_order
from deploy.demo.owed import Owed, compare
from deploy.demo.witness import TO_APPLICANTS, Evidence
from deploy.embedded.mail import kept
from services.notifications.domain.telling import AGAIN, UNOWED, waits_again

UNKNOWN = """
    select distinct message_id || '-' || nth from (
        select message_id, nth from rung where channel = 'email' and evidence = 'unknown-result'
        union all select message_id, rung from call_task where reason = 'unknown-result'
    ) as lost (message_id, nth)
"""
"""Mails that may have left or not. Staff are asked about each, and what they find takes the place of the evidence."""
TOLD = {"accepted", AGAIN, "completed", "failed", "cancelled", "rejected"}
"""Statuses that a person hears of each time; of `on-hold` only the first is told."""
MAILED = "select message_id || '-' || nth from rung where channel = 'email'"
TOLD_APPLICANTS = "select application_id from message where audience = 'applicant'"
OPEN_TASKS = "select message_id from call_task where outcome is null"
TOLD_TWICE = """
    select message_id from rung where state in ('sent', 'delivered', 'reached') group by 1 having count(*) > 1
"""
BY_HAND = """
    select id from message where state = 'call-requested'
        or (state = 'withheld' and status not like 'feedback-%' and reason <> all ($1)
            and status <> all ($2))
"""
TOO_LATE = """
    select need_id from need_history where fact = 'AnswerTaken' and superseded
        and not (status = 'on-hold' and reason in ('said-no', 'not-now'))
"""
"""Answers that had no effect at all: of the others, only a move may have been too late."""
STRANDED = """
    with need_in as (
        select id, referral_id, status in ('requested', 'on-hold', 'offered', 'accepted', 'in-progress') as is_open,
               next_by is not null and next_on is not null and next_what is not null as has_next from need
    )
    select id from need_in where is_open and not has_next
    union all
    select r.id from referral r left join need_in n on n.referral_id = r.id and n.is_open
    group by r.id having (r.closed_at is null) <> (count(n.id) > 0)
"""


async def owed(seen: Evidence) -> list[Owed]:
    """Every line of the table of owed effects."""
    return [
        *await _answers(seen),
        *await _referrals(seen),
        *_provider(seen),
        *await _progress(seen),
        *await _offers(seen),
        *await _notifications(seen),
        await _applicants(seen),
        *await in_order(seen),
    ]


async def _answers(seen: Evidence) -> list[Owed]:
    good = [s.id for s in seen.submissions if not s.rule]
    wrong = [None, *(s.id for s in seen.submissions if s.rule)]
    heard = seen.refused
    return [
        compare("partner: every submission was sent", (s.id for s in seen.submissions if not seen.sent[s.id]), ()),
        compare(
            "partner: an accepted submission is acknowledged each time it is sent",
            (id_ for id_ in good for _ in range(seen.sent[id_])),
            (answer["submission_id"] for answer in seen.messages("ReferralAcknowledged")),
        ),
        compare(
            "partner: what is wrong or cannot be read is refused each time it is sent",
            (id_ for id_ in wrong for _ in range(seen.sent[id_])),
            (id_ for id_ in wrong for _ in range(heard[id_])),
        ),
        compare(
            "partner: every withdrawal has one outcome",
            seen.withdrawn.values(),
            [
                *seen.said.all("ReferralWithdrawn", "referral_id"),
                *(referral for id_, referral in seen.withdrawn.items() if heard[id_]),
            ],
        ),
        compare(
            "partner, staff: every answer of a person has one outcome",
            [*seen.said_no.values(), *seen.said.all("AnswerTaken", "need_id")],
            [
                *seen.said.all("NeedAnswered", "need_id"),
                *(need for id_, need in seen.said_no.items() if heard[id_]),
                *(row[0] for row in await seen.rows("referrals", TOO_LATE)),
            ],
        ),
    ]


def _provider(seen: Evidence) -> list[Owed]:
    """What a provider sends has one outcome: a fact or, where something crossed it, a refusal."""
    provider, heard, said = seen.provider, seen.refused, seen.said
    answers = [id_ for id_ in provider.answered if id_.startswith("a-")]
    answered = [*said.all("OfferAccepted", "offer_id"), *said.all("OfferDeclined", "offer_id")]
    reports = {id_: provider.needs[id_[2:]] for id_ in provider.answered if not id_.startswith("a-")}
    return [
        compare(
            "provider: every answer has one outcome",
            answers,
            [*(f"a-{offer}" for offer in answered), *(id_ for id_ in answers if heard[id_])],
        ),
        *(
            compare(
                f"provider: every report that support {state} has one outcome",
                (need for id_, need in reports.items() if id_.startswith(mark)),
                [
                    *said.all(fact, "need_id"),
                    *(need for id_, need in reports.items() if id_.startswith(mark) and heard[id_]),
                ],
            )
            for mark, state, fact in (("s-", "started", "SupportStarted"), ("e-", "ended", "SupportEnded"))
        ),
    ]


async def _referrals(seen: Evidence) -> list[Owed]:
    good = [s for s in seen.submissions if not s.rule]
    acknowledged = {a["referral_id"]: a for a in seen.messages("ReferralAcknowledged")}
    needs = [need["need_id"] for a in acknowledged.values() for need in a["needs"]]
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
        compare(
            "referrals: what has not ended has somebody who acts next, by a day",
            await seen.rows("referrals", STRANDED),
            (),
        ),
        compare(
            "log: one ReferralReceived for each referral",
            acknowledged,
            seen.said.all("ReferralReceived", "referral_id"),
        ),
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
    told = seen.messages("ReferralProgressed")
    return [
        compare(
            "partner: each change of status is told once",
            (fact[:4] for fact in seen.said.facts["NeedStatusChanged"]),
            ((t["need_id"], t["status"], t["reason"], t["at"]) for t in told),
        ),
        compare(
            "reporting: every need stands as it does in referrals",
            await seen.rows("referrals", "select id, status from need"),
            await seen.rows("reporting", "select need_id, status from need"),
        ),
    ]


async def _offers(seen: Evidence) -> list[Owed]:
    made = seen.said.all("OfferMade", "offer_id")
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
    ]


async def _notifications(seen: Evidence) -> list[Owed]:
    unknown = await seen.rows("notifications", UNKNOWN)
    known_mails = Counter(_mails(seen)) - Counter(row[0] for row in unknown)
    return [
        compare(
            "notifications: one message for each change that a person is told of",
            _told(seen),
            await seen.rows("notifications", "select need_id, status from message where audience = 'person'"),
        ),
        compare(
            "mail server: one mail for each message sent, at most one where the sender was killed while sending",
            (row[0] for row in await seen.rows("notifications", f"{MAILED} and state = 'sent'")),
            known_mails.elements(),
        ),
        compare(
            "notifications: one open task for each message that needs a human being",
            (row[0] for row in await seen.rows("notifications", BY_HAND, sorted(OVERTAKEN), sorted(UNOWED))),
            (row[0] for row in await seen.rows("notifications", OPEN_TASKS)),
        ),
        compare(
            "partner: whom the referrer is to tell, it is asked to tell once",
            (task for task, channel in seen.said.facts["CallRequested"] if channel == "via-referrer"),
            (asked["task_id"] for asked in seen.messages("ContactRequested")),
        ),
        compare("notifications: nobody is told the same twice", (), await seen.rows("notifications", TOLD_TWICE)),
        compare(
            "notifications: nothing is left untold",
            await seen.rows("notifications", "select id from message where state = 'waiting'"),
            (),
        ),
        compare(
            "reporting: one row for each fact of notifications",
            (id_ for id_, kind in seen.said.ids["notifications"].items() if kind in consumed_by("reporting")),
            (row[0] for row in await seen.rows("reporting", "select event_id from notification")),
        ),
    ]


def _told(seen: Evidence) -> list[tuple[str, str]]:
    """What each person hears of which need."""
    changes = [
        (need, AGAIN if waits_again("person", status, previous, reason) else status)
        for need, status, reason, _, previous in seen.said.facts["NeedStatusChanged"]
    ]
    waiting = {change for change in changes if change[1] == "on-hold"}
    return [*waiting, *(change for change in changes if change[1] in TOLD)]


async def _applicants(seen: Evidence) -> Owed:
    return compare(
        "notifications: one message for each thing that an applicant is told of",
        (application for kind in TO_APPLICANTS for application in seen.said.all(kind, "application_id")),
        (row[0] for row in await seen.rows("notifications", TOLD_APPLICANTS)),
    )


def _mails(seen: Evidence) -> list[Any]:
    """The id of every mail that the mail server got."""
    return [mail["id"] for mail in kept(seen.mails)]
