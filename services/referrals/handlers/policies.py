"""Staff adopt a version of the priority policy. It scores what comes from then on; what was scored stays explained."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, get_args

from pydantic import Field, StringConstraints

from chassis.envelope import Event
from chassis.errors import refuse
from chassis.facts import Said, refusal
from contracts.message import Message, Part, act
from contracts.person import Circumstance
from contracts.refusal import FieldError
from contracts.vocabulary import Code, ShortText
from services.referrals.domain.priority import GROUPS, Policy
from services.referrals.handlers.staff import Who
from services.referrals.store import Store
from services.referrals.store.policies import Adoption

Words = Annotated[str, StringConstraints(min_length=20, max_length=5000)]


class AreaStep(Part):
    """Points for areas whose deprivation is of this decile or a lower one."""

    decile_up_to: int = Field(ge=1, le=10)
    points: int = Field(ge=0, le=50)


class Group(Part):
    name: Code
    codes: list[Circumstance] = Field(min_length=1, max_length=20)


@act("referrals", key="version")
class AdoptPolicy(Message):
    """How far a person is, in points. Points a day of waiting are not part of it: they are fixed for good."""

    by: str
    version: Code
    points_a_group: int = Field(ge=1, le=100)
    area_steps: list[AreaStep] = Field(min_length=3, max_length=3)
    default_decile: int = Field(ge=1, le=10)
    groups: list[Group] = Field(min_length=1, max_length=5)
    approved_by: Who
    approved_on: date
    equality_note: Words
    words: Words
    why: ShortText


async def on_adopt_policy(events: Sequence[Event[AdoptPolicy]], store: Store, at: datetime) -> list[Said]:
    said: list[Said] = []
    for event in events:
        told = event.data
        wrong = wrong_policy(told)
        why = Adoption(told.approved_by, told.approved_on, told.equality_note, told.words)
        if not wrong and not await store.policies.adopt(policy_of(told), why, at):
            wrong = [_THERE_ALREADY]
        said += [refusal(event, *wrong)] if wrong else []
    return said


_THERE_ALREADY = refuse("version", "adopted-before", "There is a policy of this version.", "Give it another version.")


def policy_of(told: AdoptPolicy) -> Policy:
    return Policy(
        told.version,
        told.points_a_group,
        tuple((step.decile_up_to, step.points) for step in told.area_steps),
        told.default_decile,
        {group.name: frozenset(group.codes) for group in told.groups},
    )


def wrong_policy(told: AdoptPolicy) -> list[FieldError]:
    errors: list[FieldError] = []
    deciles, points = zip(*((step.decile_up_to, step.points) for step in told.area_steps), strict=True)
    if list(deciles) != sorted(set(deciles)) or deciles[-1] != 10 or list(points) != sorted(points, reverse=True):
        mend = "Begin with the most deprived, end with decile 10, and give no more points than to the step before."
        errors.append(refuse("area_steps", "not-in-order", "The steps do not cover the deciles in order.", mend))
    codes = [code for group in told.groups for code in group.codes]
    if sorted(codes) != sorted(get_args(Circumstance)) or {group.name for group in told.groups} != set(GROUPS):
        mend = f"Put each circumstance into one of the groups {', '.join(GROUPS)}."
        errors.append(refuse("groups", "not-every-one-once", "A circumstance is in no group, or in several.", mend))
    elif shown := sorted(policy_of(told).proves()):
        mend = "Put at least two circumstances into every group."
        message = f"A published score would prove {', '.join(shown)}."
        errors.append(refuse("groups", "reveals-a-circumstance", message, mend))
    return errors
