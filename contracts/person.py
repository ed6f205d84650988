"""What a partner tells about the person, sealed in the JWE of a referral. It never stands on a topic in clear."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.message import Part
from contracts.vocabulary import Channel, ShortText

Answer = Literal["yes", "no", "not-asked", "prefer-not-to-say"]
Circumstance = Literal[
    "low-income",
    "urgent-money-need",
    "long-term-condition",
    "disability",
    "learning-disability",
    "mental-health",
    "drug-or-alcohol",
    "needs-english",
    "needs-interpreter",
    "needs-reading-support",
    "homeless",
    "no-right-to-work",
    "domestic-abuse",
    "offline",
    "no-support-network",
]
AccessibleInformation = Literal[
    "large-print", "easy-read", "braille", "audio", "bsl", "interpreter", "text-relay", "advocate"
]
Postcode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$")]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", max_length=254)]
Untold = Literal["prefer-not-to-say"]
Age = Literal["under-16", "16-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75-84", "85-and-over"] | Untold
Sex = Literal["female", "male"] | Untold
Ethnicity = Literal["asian", "black", "mixed", "white", "other"] | Untold
Disability = Literal["limited-a-lot", "limited-a-little", "not-limited"] | Untold
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class SafeContact(Part):
    """How this person may be reached without harm. `["via-referrer"]` alone is the cautious answer.

    `hours` are [from, to] in Europe/London, within one day.
    """

    channels: list[Channel] = Field(min_length=1, max_length=6)
    voicemail: bool = False
    hours: tuple[TimeOfDay, TimeOfDay] | None = None
    neutral: bool = True
    through: ShortText | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _hours_of_one_day(self) -> Self:
        if self.hours and self.hours[0] >= self.hours[1]:
            raise ValueError("hours are from an earlier to a later time of one day")
        return self


class Monitoring(Part):
    """What somebody told of themselves, if they wanted, so that it is seen who is reached. It decides nothing.

    The categories are harmonised ones of the Office for National Statistics, as coarse as they are published.
    `disability` is how far a condition of 12 months or more limits what they do.
    """

    age: Age | None = None
    sex: Sex | None = None
    ethnicity: Ethnicity | None = None
    disability: Disability | None = None


class Person(Part):
    """One person. `phone` is E.164; `lsoa` the small area, for its deprivation."""

    name: ShortText
    born: date | None = None
    address: list[ShortText] = Field(default=[], max_length=6)
    postcode: Postcode | None = None
    lsoa: Annotated[str, StringConstraints(pattern=r"^[EWSN]01[0-9]{6}$")] | None = None
    phone: Phone | None = None
    email: Email | None = None
    safe_contact: SafeContact
    circumstances: dict[Circumstance, Answer] = {}
    accessible_information: list[AccessibleInformation] = Field(default=[], max_length=8)
    monitoring: Monitoring | None = None
    goal: Annotated[str, StringConstraints(max_length=500)] | None = None
    notes: Annotated[str, StringConstraints(max_length=2000)] | None = None

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        needs = {"email": self.email, "sms": self.phone, "phone": self.phone, "letter": self.address}
        missing = [channel for channel in self.safe_contact.channels if channel in needs and not needs[channel]]
        if missing:
            raise ValueError(f"safe_contact allows {', '.join(missing)}, but there is no address for it")
        return self
