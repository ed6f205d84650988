"""One referral of the demo, as its referrer, the person, the supporting organisation and staff saw it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2

from deploy.demo.doors import Told
from deploy.embedded.mail import kept

Side = tuple[str, list[str]]


def best(told: Sequence[Told]) -> dict[str, Any] | None:
    """What was acknowledged of the referral of which most can be told: one that was helped, by the longest way."""
    acknowledged = {t.data["referral_id"]: t.data for t in told if t.type == "ReferralAcknowledged"}
    lengths: dict[str, int] = {}
    helped = set[str]()
    for each in told:
        if each.type == "ReferralProgressed":
            referral = each.data["referral_id"]
            lengths[referral] = lengths.get(referral, 0) + 1
            helped |= {referral} if each.data["status"] == "completed" else set()
    known = [referral for referral in sorted(helped) if referral in acknowledged]
    return acknowledged[max(known, key=lambda referral: lengths[referral])] if known else None


def sides(referral: dict[str, Any], told: Sequence[Told], mails: Path, staff: httpx2.Client) -> list[Side]:
    needs = {need["need_id"]: need["kind"] for need in referral["needs"]}
    return [
        ("the referrer", list(_referrer(referral, told))),
        ("the person", list(_person(referral, mails))),
        ("the supporting organisation", list(_provider(needs, told))),
        ("staff, who may ask why", list(_staff(needs, staff))),
    ]


def subjects(mails: Path) -> dict[str, list[str]]:
    """Of every mail that was taken, in order, by whom it is to."""
    found: dict[str, list[str]] = {}
    for mail in kept(mails):
        found.setdefault(mail["to"], []).append(mail["subject"])
    return found


def _referrer(referral: dict[str, Any], told: Sequence[Told]) -> Iterator[str]:
    yield f"refers {referral['reference']}: {', '.join(need['kind'] for need in referral['needs'])}"
    for each in told:
        if each.type == "ReferralProgressed" and each.data["referral_id"] == referral["referral_id"]:
            why = each.data["reason"] or each.data["outcome"]
            then = f" - {each.data['next']['what']}" if each.data["next"] else ""
            yield f"{each.data['kind']} is {each.data['status']}{f' ({why})' if why else ''}{then}"


def _person(referral: dict[str, Any], mails: Path) -> Iterator[str]:
    number = referral["reference"].rpartition("-")[2]
    yield from (f"reads “{subject}”" for subject in subjects(mails).get(f"person-{number}@example.org", ()))


def _provider(needs: dict[str, str], told: Sequence[Told]) -> Iterator[str]:
    offers = {t.data["offer_id"]: t.data for t in told if t.type == "OfferProposed" and t.data["need_id"] in needs}
    for each in told:
        offer = offers.get(each.data.get("offer_id", ""))
        if offer and each.type == "OfferProposed":
            yield f"is offered somebody in {offer['ward'] or 'the city'} for {offer['place_id']}"
        elif offer and each.type == "OfferClosed":
            yield f"the offer of {offer['place_id']} is closed: {each.data['reason']}"


def _staff(needs: dict[str, str], staff: httpx2.Client) -> Iterator[str]:
    need_id = next(iter(needs))
    answer = staff.get(f"/v1/staff/needs/{need_id}/why", params={"reason": "the demo shows it"})
    document = answer.raise_for_status().json()
    yield from document["words"][:3]
    yield f"groups that apply: {', '.join(document['groups_that_apply']) or 'none'}"
