"""The closed lists of codes and the bounded types that messages are made of."""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError

Kind = Literal["device", "connectivity", "skills", "champion"]
KINDS: tuple[Kind, ...] = ("device", "connectivity", "skills", "champion")

NeedStatus = Literal[
    "requested",
    "on-hold",
    "offered",
    "accepted",
    "in-progress",
    "completed",
    "failed",
    "rejected",
    "cancelled",
    "entered-in-error",
]
"""FHIR Task.status as the Gravity SDOH guide profiles it for referrals."""

TERMINAL: frozenset[NeedStatus] = frozenset({"completed", "failed", "rejected", "cancelled", "entered-in-error"})

Requirement = Literal["wheelchair-access", "interpreter", "large-screen", "same-gender", "dbs-checked", "home-visit"]
Format = Literal["in-person", "phone", "video", "group"]
Channel = Literal["phone", "letter", "via-referrer", "in-person", "sms", "email"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Outcome = Literal["helped", "partly-helped", "not-helped"]
FailedReason = Literal["could-not-contact", "could-not-help"]
DeclineReason = Literal["no-capacity", "not-suitable", "too-far", "no-language", "cannot-meet-requirement", "other"]
OfferEnd = Literal["accepted", "declined", "expired", "withdrawn"]
Lane = Literal["urgent", "routine"]
Role = Literal["partner", "applicant", "assessor", "approver", "staff", "reader", "service"]
Actor = Literal["programme", "provider", "referrer"]
"""Who owns the next step of a need."""
PersonsAnswer = Literal["yes", "no", "not-now"]
GapReason = Literal["no-place-of-kind", "ward-not-served", "language", "format", "requirement", "scheme", "not-open-to"]

POINTS_A_DAY = 1
"""Waiting adds this many points a day, for everyone and for good: with it a rank key never changes."""

PartnerId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,6}-[0-9]{1,12}$")]
"""The referrer's own number, such as GP-1042: letters, a dash, digits, so that it cannot hold a name."""
Ward = Annotated[str, StringConstraints(pattern=r"^[EWSN]05[0-9]{6}$")]
"""GSS code of an electoral ward."""
WithoutWard = Literal["no-fixed-address", "temporary", "institution", "protected"]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$")]
"""BCP 47 language tag."""
SchemeCode = Annotated[str, StringConstraints(pattern=r"^scheme:[a-z0-9-]{1,40}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of words, without control characters."""
Pence = Annotated[int, Field(ge=0, le=10**12)]
When = AwareDatetime


def fits(kind: Any, text: str) -> bool:
    """Whether a text may be a value of one of these types."""
    try:
        _adapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
