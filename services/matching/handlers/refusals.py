"""What a partner is told whose message had no effect, and how to mend it."""

from collections.abc import Mapping
from typing import Final

from chassis.errors import refuse
from contracts.refusal import FieldError
from services.matching.domain.offers import OfferState

UNKNOWN_PROVIDER: Final = refuse(
    "provider_id",
    "unknown-provider",
    "You have not described an organisation with this id.",
    "Send ProviderUpdated with this id first, then this message again.",
)
KIND_IS_FIXED: Final = refuse(
    "kind",
    "kind-is-fixed",
    "A place keeps its kind: people wait for it, or are helped by it, as it is.",
    "Set the capacity of this place to 0, and open another with an id of its own.",
)
NOT_STOCK: Final = refuse(
    "kind",
    "only-stock",
    "Only devices and SIMs are lent, or last for some months.",
    "Leave out loan_days and lasts_months.",
)
ONLY_DEVICES: Final = refuse(
    "serials",
    "only-devices",
    "Only devices are known by a serial.",
    "Leave out serials. The number of a SIM is recorded with the need that it was given for.",
)
SERIAL_TWICE: Final = refuse("serials", "serial-twice", "A serial is there twice.", "Name each unit once.")
MORE_THAN_CAPACITY: Final = refuse(
    "serials",
    "more-than-capacity",
    "More units are named than the place has.",
    "Raise the capacity, which is the total, or leave out units that are not there.",
)
SERIAL_ELSEWHERE: Final = refuse(
    "serials",
    "serial-elsewhere",
    "A unit is in one place at a time, and another place of yours has it.",
    "Leave it out of the other place first, where it is in stock there; or correct the serial.",
)
WHICH_UNIT: Final = refuse(
    "serial",
    "which-unit",
    "This place names its units, so it is known which of them is given.",
    "Add the serial of the unit that you gave; with help given directly, those of as many units as count.",
)
NOT_IN_STOCK: Final = refuse(
    "serial",
    "not-in-stock",
    "There is no unit with this serial in stock at this place.",
    "Correct the serial, or name the unit with PlaceUpdated first. What came back is in stock when it is wiped.",
)
ONLY_WHEN_GIVEN: Final = refuse(
    "serial", "only-when-given", "Nothing was given by what you report.", "Leave out serial."
)
BELOW_TAKEN: Final = refuse(
    "capacity",
    "below-taken",
    "The capacity is the total, and more than that is taken already.",
    "Send at least what is taken. What is only held may be less: the capacity falls as offers end.",
)
CHAMPION_TWICE: Final = refuse(
    "champions", "ref-twice", "Two champions have the same ref.", "Give each champion a ref of their own."
)
NOT_TRAINED: Final = refuse(
    "champions",
    "training",
    "Only a champion whose training is `advanced` visits people at home.",
    "Take `home-visit` out of the requirements, or correct the training.",
)
CLOSES_BEFORE_IT_OPENS: Final = refuse(
    "closes_on", "dates-in-order", "The place closes before it opens.", "Correct opens_on or closes_on."
)
UNKNOWN_PLACE: Final = refuse(
    "place_id",
    "not-found",
    "There is no such place, or it is not yours.",
    "Take the id that you sent in PlaceUpdated, or describe the place first.",
)
OTHER_KIND: Final = refuse(
    "kind",
    "kind-of-place",
    "The place gives another kind of help.",
    "Correct kind, or name the place that it was taken from.",
)
GIVEN_IN_FUTURE: Final = refuse(
    "given_on", "in-future", "Help that is not given yet cannot be recorded.", "Correct given_on, or send it then."
)
NOTHING_FREE: Final = refuse(
    "count",
    "nothing-free",
    "More was given than the place has left: all else is promised to people who were referred.",
    "Raise the capacity of the place with PlaceUpdated, or correct count.",
)
DECLINE_WITHOUT_REASON: Final = refuse(
    "reason", "missing", "A decline says why.", "Add `reason`, one of the values listed."
)
ENDED_HOW: Final = refuse(
    "outcome",
    "outcome-or-reason",
    "Help that ended has either an outcome, or a reason why it could not be given.",
    "Send `outcome`, or `reason`, and not both.",
)
NOT_ENDED: Final = refuse(
    "outcome",
    "only-when-ended",
    "Help that has just started has no outcome and no reason; help handed back has no outcome.",
    "Leave it out, or report that help ended.",
)

_NOW: Final[Mapping[OfferState, str]] = {
    "awaiting": "The programme has not confirmed it yet.",
    "open": "It is offered to you and not answered yet. Accept it first.",
    "accepted": "You have accepted it. Report with SupportReported that help started, ended or is handed back.",
    "in-progress": "You reported that help started. It can end or be handed back.",
    "failed": "You reported that help could not be given. Nothing is left to do.",
    "lent": "It is lent. Report with LoanReported that it is renewed, returned or lost.",
    "unwiped": "It is back. Report with LoanReported that it is returned and wiped, or that it is faulty.",
    "returned": "It is back. Nothing is left to do.",
    "lost": "You reported that it is lost. Nothing is left to do.",
    "declined": "You declined it, and it is offered to others.",
    "expired": "It was not answered in time, and is offered to others.",
    "refused": "The person said no. Thank you; nothing is left to do.",
    "taken-back": "There is nothing left of it: the last was given directly, or whoever gives it has left.",
    "withdrawn": "The person's referral was withdrawn. Thank you; nothing is left to do.",
    "handed-back": "You handed it back, and it is offered to others.",
    "ended": "You reported that help ended. Nothing is left to do.",
}

ONLY_WHEN_BACK: Final = refuse(
    "state", "only-returned", "Only what is back can be wiped or faulty.", "Leave out wiped and faulty."
)


def not_found(field: str) -> FieldError:
    return refuse(
        field, "not-found", "There is nothing with this id, or it is not yours.", "Take the id from OfferProposed."
    )


def illegal_move(field: str, state: OfferState) -> FieldError:
    return refuse(field, "illegal-move", "This cannot follow what was done before.", _NOW[state])
