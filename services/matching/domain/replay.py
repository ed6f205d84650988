"""The decisions of a kind made again, from what matching said alone.

Facts of one key come in their order, those of others in any. What is needed of the order across keys is in the facts:
`after` how many decisions a thing happened, and which were made together.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import singledispatchmethod
from itertools import groupby
from typing import Final, get_args
from uuid import UUID

from contracts.matching import (
    GapRecorded,
    NeedWaiting,
    OfferAccepted,
    OfferDeclined,
    OfferExpired,
    OfferHeld,
    OfferMade,
    OfferWithdrawn,
    PlaceChanged,
    PlaceOpened,
    QueueChanged,
    SupportEnded,
    SupportStarted,
)
from contracts.stock import DirectHelpGiven, LoanChanged
from contracts.vocabulary import Kind
from services.matching.domain.allocation import allocate
from services.matching.domain.fit import Asks, Need, Place, PlaceKey, Terms
from services.matching.domain.offers import GIVEN_AWAY, LOAN_ACTS, Act, Offer, changes_of_units, moved

OfferEnded = OfferAccepted | OfferDeclined | OfferExpired | OfferWithdrawn
Decided = OfferHeld | OfferMade
Moved = OfferEnded | SupportStarted | SupportEnded | LoanChanged
OfSupply = PlaceOpened | PlaceChanged | DirectHelpGiven
Fact = OfSupply | NeedWaiting | GapRecorded | QueueChanged | Decided | Moved

READS: Final[tuple[type[Fact], ...]] = get_args(Fact)
ACTS: Final[dict[type[Fact], Act]] = {
    OfferAccepted: "accept",
    OfferDeclined: "decline",
    OfferExpired: "expire",
    OfferWithdrawn: "withdraw",
    SupportStarted: "start",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """A match as it was said, and the place that the rules give this need; none where they give it none.

    Of those who waited then, so many came before it: they fitted no place that was free.
    """

    number: int
    need_id: UUID
    place: PlaceKey
    again: PlaceKey | None
    waited: int
    before: int

    @property
    def match(self) -> tuple[UUID, PlaceKey]:
        return self.need_id, self.place


@dataclass(slots=True)
class Replay:
    """Who waits for a kind, what help there is, and what was decided: as the facts say up to some point.

    `holes` are decisions that the facts lack. Those that were said before they told what they rest on are `untold`.
    """

    needs: dict[UUID, Need] = field(default_factory=dict)
    waiting: set[UUID] = field(default_factory=set)
    offers: dict[UUID, Offer] = field(default_factory=dict)
    places: dict[PlaceKey, Place] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    holes: list[int] = field(default_factory=list)
    decided: int = 0
    untold: int = 0

    @property
    def queue(self) -> list[UUID]:
        """Who waits, in order."""
        return sorted(self.waiting, key=lambda need_id: self.needs[need_id].rank)

    @property
    def unlike(self) -> list[Decision]:
        return [decision for decision in self.decisions if decision.place != decision.again]

    @singledispatchmethod
    def take(self, fact: Fact) -> None:
        raise NotImplementedError

    @take.register(PlaceOpened)
    @take.register(PlaceChanged)
    def _place(self, fact: PlaceOpened | PlaceChanged) -> None:
        new = place_of(fact)
        known = self.places.get(new.key)
        self.places[new.key] = replace(new, held=known.held, taken=known.taken) if known else new

    @take.register
    def _given(self, fact: DirectHelpGiven) -> None:
        if fact.kind in GIVEN_AWAY:
            self._count(PlaceKey(fact.provider, fact.place_id), 0, fact.count)

    @take.register(NeedWaiting)
    @take.register(GapRecorded)
    def _queued(self, fact: NeedWaiting | GapRecorded) -> None:
        self._know(fact)
        self.waiting.add(fact.need_id)

    @take.register
    def _changed(self, fact: QueueChanged) -> None:
        self.waiting.discard(fact.need_id)

    @take.register(OfferAccepted)
    @take.register(OfferDeclined)
    @take.register(OfferExpired)
    @take.register(OfferWithdrawn)
    @take.register(SupportStarted)
    def _moved(self, fact: OfferEnded | SupportStarted) -> None:
        self._move(fact.need_id, ACTS[type(fact)])
        if isinstance(fact, OfferWithdrawn) and fact.bars:
            self._bar(fact.need_id, PlaceKey(fact.provider, fact.place_id))

    @take.register
    def _ended(self, fact: SupportEnded) -> None:
        given: Act = "lend" if fact.is_loan else "end"
        self._move(fact.need_id, "hand-back" if fact.handed_back else "fail" if fact.reason else given)

    @take.register
    def _lent(self, fact: LoanChanged) -> None:
        if fact.state in LOAN_ACTS:
            self._move(fact.need_id, "come-back" if fact.unwiped else LOAN_ACTS[fact.state])

    def decide(self, made: Sequence[Decided]) -> None:
        """Matches made together. Whoever was given a place was in the queue."""
        first = (made[0].after or 0) + 1
        self.holes += range(self.decided + 1, first)
        for fact in made:
            self._know(fact)
            self.waiting.add(fact.need_id)
        queue = self.queue
        standing = {need_id: nth for nth, need_id in enumerate(queue)}
        wanting = self.needs | {fact.need_id: replace(self.needs[fact.need_id], prefers=fact.prefers) for fact in made}
        needs = [wanting[need_id] for need_id in queue]
        again = {match.need.need_id: match.place for match in allocate(needs, self._free())}
        for number, fact in enumerate(made, first):
            key, nth = PlaceKey(fact.provider, fact.place_id), standing[fact.need_id]
            before = nth - (number - first)
            self.decisions.append(
                Decision(fact.decision, fact.need_id, key, again.get(fact.need_id), len(queue), before)
            )
            self._hold(Offer(fact.offer_id, fact.need_id, fact.referral_id, fact.kind, key))
        numbers = {fact.decision for fact in made}
        self.decided = max(numbers)
        self.holes += sorted(set(range(first, self.decided + 1)) - numbers)

    def _know(self, fact: NeedWaiting | GapRecorded | Decided) -> None:
        known = self.needs.get(fact.need_id)
        if need := need_of(fact):
            self.needs[need.need_id] = replace(need, barred=known.barred) if known else need

    def _free(self) -> list[Place]:
        return [place for place in self.places.values() if place.state == "open" and place.free > 0]

    def _hold(self, offer: Offer) -> None:
        self.waiting.discard(offer.need_id)
        self.offers[offer.need_id] = offer
        self._count(offer.place, *offer.units)

    def _move(self, need_id: UUID, act: Act) -> None:
        before = self.offers.get(need_id)
        after = moved(before, act) if before else None
        if before is None or after is None:
            return
        self.offers[need_id] = after
        for place, units in changes_of_units([(before, after)]).items():
            self._count(place, *units)
        if after.bars:
            self._bar(need_id, after.place)

    def _bar(self, need_id: UUID, place: PlaceKey) -> None:
        need = self.needs[need_id]
        self.needs[need_id] = replace(need, barred=need.barred | {place})

    def _count(self, key: PlaceKey, held: int, taken: int) -> None:
        if place := self.places.get(key):
            self.places[key] = replace(place, held=place.held + held, taken=place.taken + taken)


def need_of(fact: NeedWaiting | GapRecorded | Decided) -> Need | None:
    """None where the fact was said before facts told what a need asks."""
    asks, lane, rank_key = fact.asks, fact.lane, fact.rank_key
    if asks is None or lane is None or rank_key is None:
        return None
    asked = Asks(
        kind=fact.kind,
        partner=asks.partner,
        ward=asks.ward,
        requirements=frozenset(asks.requirements),
        languages=frozenset(asks.languages),
        formats=frozenset(asks.formats),
        schemes=frozenset(asks.schemes),
        days=frozenset(asks.days),
    )
    return Need(fact.need_id, fact.referral_id, "", lane, rank_key, asked, shuns=frozenset(asks.barred))


def place_of(fact: PlaceOpened | PlaceChanged) -> Place:
    terms = Terms(
        kind=fact.kind,
        wards=frozenset(fact.wards),
        languages=frozenset(fact.languages),
        formats=frozenset(fact.formats),
        requirements=frozenset(fact.requirements),
        open_to=frozenset(fact.open_to),
        scheme=fact.scheme,
        days=frozenset(fact.days),
    )
    key = PlaceKey(fact.provider, fact.place_id)
    return Place(key, fact.provider_id, terms, fact.capacity, fact.capacity, state=fact.state or "open")


def replay(facts: Iterable[Fact]) -> dict[Kind, Replay]:
    """What the facts come to, by kind."""
    told: dict[Kind, list[Fact]] = defaultdict(list)
    replays: dict[Kind, Replay] = defaultdict(Replay)
    kinds: dict[UUID, Kind] = {}
    for fact in _each_decision_once(facts):
        if isinstance(fact, Moved):
            kind = kinds.get(fact.need_id)
        else:
            kind = fact.kind
            if not isinstance(fact, OfSupply):
                kinds[fact.need_id] = kind
        if kind and fact.after is not None:
            told[kind].append(fact)
        elif kind:
            replays[kind].untold += 1
    for kind, those in told.items():
        _run(replays[kind], those)
    return dict(replays)


def _each_decision_once(facts: Iterable[Fact]) -> Iterator[Fact]:
    """What was held until staff confirmed it was decided when it was held."""
    held: set[UUID] = set()
    for fact in facts:
        if isinstance(fact, OfferHeld):
            held.add(fact.offer_id)
        if not (isinstance(fact, OfferMade) and fact.offer_id in held):
            yield fact


def _run(state: Replay, facts: list[Fact]) -> None:
    """Everything that happened after as many decisions comes before the decision that is made of it."""
    facts.sort(key=_when)
    for (_, are_decisions, _), together in groupby(facts, key=lambda fact: (*_when(fact)[:2], 0)):
        for fact in () if are_decisions else together:
            state.take(fact)
        if are_decisions:
            state.decide([fact for fact in together if isinstance(fact, Decided)])


def _when(fact: Fact) -> tuple[int, bool, int]:
    is_decision = isinstance(fact, Decided)
    return fact.after or 0, is_decision, fact.decision if isinstance(fact, Decided) else 0
