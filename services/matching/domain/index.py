"""Which places suit which need, without comparing each with each: a set of places is a number with a bit for each."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from math import inf
from operator import itemgetter

from contracts.vocabulary import KINDS, Kind
from services.matching.domain.fit import Asks, Need, Place, Terms, Words

Bits = int
"""A set of places."""


def lowest(bits: Bits) -> int:
    return (bits & -bits).bit_length() - 1


class Named:
    """The places that name something of a sort, by what they name, and those that set no limit."""

    def __init__(self) -> None:
        self.by_name: defaultdict[str, Bits] = defaultdict(int)
        self.open: Bits = 0

    def add(self, bit: Bits, names: Iterable[str]) -> None:
        limited = False
        for name in names:
            self.by_name[name] |= bit
            limited = True
        if not limited:
            self.open |= bit

    def any_of(self, names: Iterable[str]) -> Bits:
        """Those that name one of these, or set no limit."""
        bits = self.open
        for name in names:
            bits |= self.by_name.get(name, 0)
        return bits


def breadth(terms: Terms) -> tuple[float, ...]:
    """How much a place could be used for otherwise: the narrowest is given first. An empty limit is the widest."""
    limits = (terms.wards, terms.open_to, {terms.scheme} - {None}, terms.languages, terms.formats, terms.days)
    return (*(len(limit) or inf for limit in limits), len(terms.requirements))


class Index:
    """Places of a kind, numbered from the narrowest to the widest.

    `peers` are, for each, those as narrow as it is. Says the same as `misses` in domain/fit.py.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        narrowest = sorted((breadth(place.terms), place.key, place) for place in places)
        self.places = [place for _, _, place in narrowest]
        self.numbers = {place.key: number for number, place in enumerate(self.places)}
        self.all: Bits = (1 << len(self.places)) - 1
        self.peers: list[Bits] = []
        for _, peers in groupby(narrowest, key=itemgetter(0)):
            many = len(list(peers))
            self.peers += [((1 << many) - 1) << len(self.peers)] * many
        self.of: defaultdict[str, Bits] = defaultdict(int)
        self.wards, self.open_to, self.schemes = Named(), Named(), Named()
        self.languages, self.formats, self.days = Named(), Named(), Named()
        self.requirements = Named()
        for number, place in enumerate(self.places):
            self.of[place.key.partner] |= 1 << number
            self._add(1 << number, place.terms)

    def _add(self, bit: Bits, terms: Terms) -> None:
        self.wards.add(bit, terms.wards)
        self.open_to.add(bit, terms.open_to)
        self.schemes.add(bit, (terms.scheme,) if terms.scheme else ())
        self.languages.add(bit, terms.languages)
        self.formats.add(bit, terms.formats)
        self.days.add(bit, terms.days)
        self.requirements.add(bit, terms.requirements)

    def suiting(self, need: Need) -> Bits:
        bits = self._suiting(need.asks)
        for place in need.barred:
            if place in self.numbers:
                bits &= ~(1 << self.numbers[place])
        for partner in need.shuns:
            bits &= ~self.of.get(partner, 0)
        return bits

    def _suiting(self, asks: Asks) -> Bits:
        bits = self.wards.any_of((asks.ward,) if asks.ward else ())
        bits &= self.open_to.any_of((asks.partner,)) & self.schemes.any_of(asks.schemes)
        for requirement in asks.requirements:
            bits &= self.requirements.by_name.get(requirement, 0)
        bits &= self._shared(self.languages, asks.languages) & self._shared(self.formats, asks.formats)
        return bits & self._shared(self.days, asks.days)

    def _shared(self, named: Named, asked: Words) -> Bits:
        """What a need does not ask is no limit either."""
        return named.any_of(asked) if asked else self.all


def by_kind(places: Iterable[Place]) -> dict[Kind, Index]:
    """Of the places that have something free."""
    free = [place for place in places if place.free > 0]
    return {kind: Index(place for place in free if place.terms.kind == kind) for kind in KINDS}
