"""What a referral and its amendment have in common: the person opened, the rules, the score, the needs."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from chassis.envelope import Event
from chassis.errors import Refused, field_errors, refuse
from chassis.ids import uuid7
from chassis.jwe import NotOpened, Opener
from chassis.sealing import Vault
from contracts.calendar import day_of
from contracts.door import Agreement, NeedAsked
from contracts.person import Person
from contracts.refusal import FieldError
from services.referrals.domain.lifecycle import Asked, Need, apply, keeps_back, next_step
from services.referrals.domain.priority import Policy, Score, score
from services.referrals.domain.schemes import qualifies_for
from services.referrals.store.referrals import NewNeed

_MEND = {
    "other-key": "Seal it with the programme's public key, which `partner add` printed.",
    "jwe-algorithm": "Use ECDH-ES+A256KW and A256GCM, without zip.",
}


def open_person(opener: Opener, sealed: str) -> Person:
    """Raises Refused."""
    try:
        return Person.model_validate_json(opener.open(sealed))
    except NotOpened as why:
        mend = _MEND.get(why.rule, "Seal the person again as a JWE in compact form.")
        raise Refused(refuse("person_jwe", why.rule, "The sealed person cannot be opened.", mend)) from None
    except ValidationError as error:
        errors = (e.model_copy(update={"field": f"person.{e.field}"}) for e in field_errors(error))
        raise Refused(*errors) from None


def to_keep(person: Person) -> bytes:
    """What is sealed of a person. What they told for counting alone stands apart."""
    return person.model_dump_json(exclude={"monitoring"}).encode()


def person_of(vault: Vault, row: Any) -> Person:
    """Opens a row of `wrapped_key` and `sealed`."""
    kept = json.loads(vault.unlock(row["wrapped_key"], row["sealed"]))
    return Person.model_validate({**kept, "monitoring": None})


def is_ward(code: str | None) -> bool:
    return code is not None and code[1:3] == "05"


def wrong_wards(deciles: Mapping[str, int], **named: str | None) -> list[FieldError]:
    return [
        refuse(field, "unknown-ward", "The programme has no such ward.", "Use the GSS code of one of its wards.")
        for field, code in named.items()
        if code is not None and is_ward(code) and code not in deciles
    ]


def wrong_agreement(agreement: Agreement, today: date) -> list[FieldError]:
    errors: list[FieldError] = []
    if agreement.given_on > today:
        message, mend = "The agreement is dated after today.", "Give the day it was given."
        errors.append(refuse("agreement.given_on", "in-future", message, mend))
    if agreement.until and agreement.until < today:
        errors.append(refuse("agreement.until", "lapsed", "The agreement has ended.", "Ask the person again."))
    return errors


def wrong_needs(needs: Sequence[NeedAsked]) -> list[FieldError]:
    kinds = [need.kind for need in needs]
    twice = len(set(kinds)) < len(kinds)
    return [refuse("needs", "kind-twice", "A kind of need stands twice.", "Ask for each kind once.")] if twice else []


def weigh(
    policy: Policy, person: Person, area: str, deciles: Mapping[str, int], today: date
) -> tuple[Score, list[str]]:
    """The score, and the codes of the schemes that the person qualifies for."""
    told = {code for code, answer in person.circumstances.items() if answer == "yes"}
    decile = deciles.get(person.lsoa or "") or deciles.get(area)
    return score(policy, told, decile), qualifies_for(person.born, told, today)


def new_needs(
    event: Event[Any],
    referral_id: UUID,
    asked: Sequence[NeedAsked],
    agreement_until: date | None,
    not_before: date | None,
    checked: Collection[str] = (),
) -> list[NewNeed]:
    """Needs as they begin: looked after at once, or held back. `checked` are kinds that somebody may have asked for."""
    today, made = day_of(event.time), []
    for nth, wanted in enumerate(asked):
        identity = uuid7(event.time, event.source, event.id, "need", str(nth))
        need = Need(identity, referral_id, wanted.kind, "requested", next=next_step("requested", event.time))
        visit = "home-visit" in wanted.requirements
        back = keeps_back(agreement_until, not_before, today, unchecked_visit=visit)
        kept = apply(need, Asked("hold", "checking") if wanted.kind in checked else back, event.time)
        made.append(NewNeed(kept or need, wanted))
    return made
