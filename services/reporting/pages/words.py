"""Codes in words, and numbers as people read them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from contracts.reporting import TableCell
from services.reporting.domain.words import WORDS

KINDS: Final = {
    "device": "A device",
    "connectivity": "Mobile data or broadband",
    "skills": "A course in digital skills",
    "champion": "A Digital Champion",
}
SHORT: Final = {"device": "Device", "connectivity": "Mobile data", "skills": "Course", "champion": "Champion"}
UNTOLD: Final = {"prefer-not-to-say": "Prefers not to say", "not-told": "Not told"}
CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "kind": KINDS,
    "ward": {
        "no-fixed-address": "No fixed address",
        "temporary": "Temporary address",
        "institution": "Lives in an institution",
        "protected": "Address is protected",
        "city-wide": "The whole city",
    },
    "decile": {
        "1": "Decile 1, the most deprived",
        **{str(decile): f"Decile {decile}" for decile in range(2, 10)},
        "10": "Decile 10, the least deprived",
    },
    "band": {
        "61-and-more": "61 points or more",
        "41-60": "41 to 60 points",
        "21-40": "21 to 40 points",
        "0-20": "0 to 20 points",
    },
    "stage": {
        "waiting": "Waiting",
        "on-offer": "Offered to an organisation",
        "taken-on": "Taken on",
        "being-helped": "Being helped now",
        "helped": "Helped",
        "ended-without-help": "Ended without help",
    },
    "outcome": {
        "helped": "Helped",
        "partly-helped": "Partly helped",
        "not-helped": "Not helped",
        "failed": "Could not be reached or helped",
        "rejected": "Not accepted",
        "cancelled": "Withdrawn",
        "completed": "Ended",
    },
    "end": {
        "accepted": "Accepted",
        "expired": "Not answered in time",
        "withdrawn": "Withdrawn",
        "declined": "Declined",
        "declined-no-capacity": "Declined: no room",
        "declined-not-suitable": "Declined: not suitable",
        "declined-too-far": "Declined: too far",
        "declined-no-language": "Declined: language",
        "declined-cannot-meet-requirement": "Declined: a requirement",
        "declined-other": "Declined: another reason",
    },
    "channel": {
        "phone": "By phone",
        "letter": "By letter",
        "via-referrer": "Through who referred",
        "in-person": "In person",
        "sms": "By text message",
        "email": "By email",
        "none": "Not at all",
    },
    "told": {
        "sent": "told",
        "delivered": "arrived",
        "call-completed": "spoken to, or tried",
        "failed": "did not arrive",
        "withheld": "held back for safety",
        "call-requested": "to be told by a person",
    },
    "rung": {"1": "The first way", "2": "The second way", "3": "The third way", "4": "The fourth way"},
    "became": {
        "renewed": "Kept for longer",
        "returned": "Returned",
        "overdue": "Overdue",
        "lost": "Lost",
    },
    "active": {"helping": "Helping somebody", "free": "Free", "away": "Away"},
    "asked": {"closing": "When help ended", "3-months": "After 3 months", "6-months": "After 6 months"},
    "goal": {"yes": "goal met", "partly": "goal partly met", "no": "goal not met", "not-said": "did not say"},
    "online": {"yes": "online", "no": "not online", "not-said": "did not say"},
    "owner": {
        "person": "The person",
        "referrer": "Who referred",
        "provider": "The supporting organisation",
        "staff": "Programme staff",
        "system": "Our system",
    },
    "state": {"submitted": "Being looked at", "awarded": "Awarded", "declined": "Declined", "withdrawn": "Withdrawn"},
    "money": {"budget": "Budget", "asked": "Asked for", "awarded": "Awarded", "paid": "Paid"},
    "score": {"0-24": "0 to 24", "25-49": "25 to 49", "50-74": "50 to 74", "75-100": "75 to 100"},
    "circumstance": {
        "low-income": "Low income",
        "urgent-money-need": "Urgent need of money",
        "long-term-condition": "Long-term condition",
        "disability": "Disability",
        "learning-disability": "Learning disability",
        "mental-health": "Mental health",
        "drug-or-alcohol": "Drugs or alcohol",
        "needs-english": "Is learning English",
        "needs-interpreter": "Needs an interpreter",
        "needs-reading-support": "Needs support with reading",
        "homeless": "Homeless",
        "no-right-to-work": "May not work",
        "domestic-abuse": "Domestic abuse",
        "offline": "Has nothing to get online with",
        "no-support-network": "Has nobody who helps",
    },
    "age": {
        "under-16": "Under 16",
        "16-24": "16 to 24",
        **{f"{age}-{age + 9}": f"{age} to {age + 9}" for age in range(25, 85, 10)},
        "85-and-over": "85 and over",
        **UNTOLD,
    },
    "sex": {"female": "Female", "male": "Male", **UNTOLD},
    "ethnicity": {
        "asian": "Asian or Asian British",
        "black": "Black, Black British, Caribbean or African",
        "mixed": "Mixed or multiple ethnic groups",
        "white": "White",
        "other": "Other ethnic group",
        **UNTOLD,
    },
    "disability": {
        "limited-a-lot": "Limited a lot",
        "limited-a-little": "Limited a little",
        "not-limited": "Not limited",
        **UNTOLD,
    },
}
UNSAID: Final = {"not-known", "not-said", *UNTOLD}
"""Codes of those of whom it is not known: they are no finding."""
NAMED: Final = 3
"""So many at most are named in a sentence; more are counted."""
HIDDEN: Final = {"small": "1 to 7", "kept-back": "not shown", "too-few": "too few"}


def code(word: str, each: str, names: Mapping[str, str]) -> str:
    """A code as people read it."""
    if each == "not-known":
        return "Not known"
    return CODES.get(word, {}).get(each) or names.get(each, each)


def said(word: str, each: str, names: Mapping[str, str]) -> str:
    """A code within a sentence. Names of places and peoples keep their capital."""
    text = code(word, each, names)
    return text if word == "ethnicity" or each not in CODES.get(word, {}) else text[:1].lower() + text[1:]


def heading(word: str, each: str, names: Mapping[str, str]) -> str:
    text = SHORT.get(each) or code(word, each, names)
    return text[:1].upper() + text[1:]


def place(word: str, each: str) -> tuple[int, str]:
    """Where a code stands among others of its word: as they are listed, and then by itself."""
    order = list(CODES.get(word, ()))
    return (order.index(each) if each in order else len(order)), each


def day(on: date) -> str:
    return f"{on.day} {on:%B %Y}"


def codes(by: Sequence[str], those: Sequence[str], names: Mapping[str, str]) -> str:
    if len(by) == 1:
        return code(by[0], those[0], names)
    told = [SHORT.get(each) or code(word, each, names) for word, each in zip(by, those, strict=True)]
    return ", ".join(told) or "All"


def value(cell: TableCell | None, unit: str) -> str:
    if cell is None:
        return "£0" if unit == "pence" else "0"
    if cell.value is None:
        return HIDDEN[cell.hidden or "kept-back"]
    if unit == "pence":
        return f"£{cell.value / 100:,.0f}"
    return f"{cell.value:,}"


def days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"


def within(number: int) -> str:
    return f"within {days(number)}" if number else "the same day"


def some(those: Sequence[str]) -> str:
    more = [f"{len(those) - NAMED:,} more"] if len(those) > NAMED else []
    return listed([*those[:NAMED], *more])


def listed_by(by: Sequence[str]) -> str:
    """What a table counts by, in words."""
    return "By " + listed([WORDS[word][0].lower() + WORDS[word][1:] for word in by]) if by else "In all"


def listed(items: list[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
