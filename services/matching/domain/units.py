"""Units that a place names by a serial: each is in stock, or out."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from services.matching.domain.fit import PlaceKey

Serial = tuple[str, str]
"""A serial is its partner's own, as the name of a place is."""


class Unit(NamedTuple):
    """`offer_id` is by which offer it is out, where that is to be known."""

    place: PlaceKey
    is_out: bool = False
    offer_id: UUID | None = None


@dataclass(slots=True)
class Stock:
    """The units that a batch is about, as its messages change them one after the other.

    `naming` are the places whose units are named: what they give has a serial.
    """

    units: dict[Serial, Unit]
    naming: set[PlaceKey]
    before: dict[Serial, Unit] = field(init=False)

    def __post_init__(self) -> None:
        self.before = dict(self.units)

    def elsewhere(self, place: PlaceKey, serials: Collection[str]) -> bool:
        """Whether another place of the partner has one of them."""
        found = (self.units.get((place.partner, serial)) for serial in serials)
        return any(unit.place != place for unit in found if unit)

    def name(self, place: PlaceKey, serials: Collection[str]) -> None:
        """What is in stock from now on. What is out stays known until it is back."""
        gone = [key for key, unit in self.units.items() if unit.place == place and not unit.is_out]
        for key in gone:
            del self.units[key]
        for serial in serials:
            self.units.setdefault((place.partner, serial), Unit(place))

    def has(self, place: PlaceKey, serials: Collection[str]) -> bool:
        """Whether all of these are in stock there."""
        return all(self.units.get((place.partner, serial)) == Unit(place) for serial in serials)

    def give(self, place: PlaceKey, serials: Collection[str], offer_id: UUID | None = None) -> None:
        for serial in serials:
            self.units[place.partner, serial] = Unit(place, is_out=True, offer_id=offer_id)

    def put_back(self, offer_id: UUID) -> None:
        for key in self._of(offer_id):
            self.units[key] = Unit(self.units[key].place)

    def lose(self, offer_id: UUID) -> None:
        """It will not be back, and by whom it was lost is not kept."""
        for key in self._of(offer_id):
            self.units[key] = self.units[key]._replace(offer_id=None)

    def scrap(self, offer_id: UUID) -> None:
        for key in self._of(offer_id):
            del self.units[key]

    def _of(self, offer_id: UUID) -> list[Serial]:
        return [key for key, unit in self.units.items() if unit.offer_id == offer_id]

    @property
    def changed(self) -> dict[Serial, Unit]:
        return {key: unit for key, unit in self.units.items() if self.before.get(key) != unit}

    @property
    def removed(self) -> set[Serial]:
        return self.before.keys() - self.units.keys()
