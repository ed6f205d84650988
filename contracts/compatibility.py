"""Does a change of a message break a reader? Closed writer against open reader, within `contracts.subset`.

What this calls compatible is: every value that is valid under the writer's schema, which forbids fields that it does
not name, is valid under the reader's, which passes over them. It may call incompatible what is not, such as a range
cut in two.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contracts.subset import Array, Number, Object, Part, Schema, Shape, Text, Values, below

NOT_TAKEN: Final = "does not take it"


@dataclass(frozen=True, slots=True)
class Finding:
    """A way to break a reader: what a message may hold at a field, and what its reader then does."""

    field: str
    rule: str
    may: str
    then: str = NOT_TAKEN


def findings(written: Part, read: Part, *, closed: bool = False) -> list[Finding]:
    """What a message valid under the schema `written` may hold that its reader, by `read`, does not take.

    `closed` is a reader that refuses fields it does not know. Raises Outside.
    """
    writer, reader = Schema(written), Schema(read)
    return _Comparison(writer, reader, closed).place(_root(written), _root(read), "")


def _root(document: Part) -> Part:
    return {key: value for key, value in document.items() if key != "$defs"}


Pairs = frozenset[tuple[int, int]]
"""The places being compared, by identity: what leads back to one of these holds if all the rest does."""


@dataclass(frozen=True, slots=True)
class _Comparison:
    writer: Schema
    reader: Schema
    closed: bool

    def place(self, written: Part, read: Part, at: str, behind: Pairs = frozenset()) -> list[Finding]:
        pair = id(written), id(read)
        if pair in behind:
            return []
        takers = self.reader.alternatives(read)
        shapes = self.writer.alternatives(written)
        return [finding for shape in shapes for finding in self._taken(shape, takers, at, behind | {pair})]

    def _taken(self, shape: Shape, takers: Sequence[Shape], at: str, behind: Pairs) -> list[Finding]:
        """What the closest of the reader's alternatives does not take; nothing where one takes all.

        Values of a closed list may each be taken by another.
        """
        if isinstance(shape, Values):
            return list(_values(shape.values, takers, at))
        tried = [list(self._one(shape, taker, at, behind)) for taker in takers]
        alike = [found for found, taker in zip(tried, takers, strict=True) if type(taker) is type(shape)]
        return min(alike or tried, key=_distance)

    def _one(self, shape: Shape, taker: Shape, at: str, behind: Pairs) -> Iterator[Finding]:
        match shape, taker:
            case Text(), Text():
                yield from _text(shape, taker, at)
            case Number(), Number():
                yield from _number(shape, taker, at)
            case Array(), Array():
                yield from _length(shape.fewest, shape.most, taker.fewest, taker.most, "entries", at)
                yield from self.place(shape.items, taker.items, f"{at}[]", behind)
            case Object(), Object():
                yield from self._object(shape, taker, at, behind)
            case _, Values():
                yield Finding(at, "enum", f"hold {_called(shape)} outside the list")
            case _:
                yield Finding(at, "type", f"hold {_called(shape)}")

    def _object(self, shape: Object, taker: Object, at: str, behind: Pairs) -> Iterator[Finding]:
        for name, wanted in taker.fields.items():
            given, here = shape.fields.get(name), below(at, name)
            if given is None:
                if wanted.required:
                    yield Finding(here, "required", "lack it")
                continue
            if wanted.required and not given.required:
                yield Finding(here, "required", "lack it")
            elif not wanted.required and not given.required and wanted.default != given.default:
                meant, taken = given.default or "no value", wanted.default or "no value"
                yield Finding(here, "default", f"lack it and mean {meant}", f"takes that for {taken}")
            yield from self.place(given.part, wanted.part, here, behind)
        for name in sorted(shape.fields.keys() - taker.fields.keys()) if self.closed else ():
            yield Finding(below(at, name), "unknown-field", "hold it")


def _distance(found: Sequence[Finding]) -> tuple[int, int]:
    """A reader's alternative with the tag of what is written is closer than one with fewer findings."""
    return sum(finding.rule in {"enum", "type"} for finding in found), len(found)


def _values(values: Sequence[Any], takers: Sequence[Shape], at: str) -> Iterator[Finding]:
    left = [json.dumps(value) for value in values if not any(_takes(taker, value) for taker in takers)]
    if left:
        listed = any(isinstance(taker, Values) for taker in takers)
        yield Finding(at, "enum" if listed else "type", f"hold {' or '.join(left)}")


def _takes(taker: Shape, value: Any) -> bool:
    """Whether a place takes this value, which is no object and no list. A pattern or a form is not looked into."""
    match taker:
        case Values(values):
            return json.dumps(value) in {json.dumps(each) for each in values}
        case Text(shortest, longest, None, None) if isinstance(value, str):
            return shortest <= len(value) <= longest
        case Number() if isinstance(value, int | float) and not isinstance(value, bool):
            return not list(_number(Number(isinstance(value, int), (value, False), (value, False)), taker, ""))
    return False


def _text(shape: Text, taker: Text, at: str) -> Iterator[Finding]:
    yield from _length(shape.shortest, shape.longest, taker.shortest, taker.longest, "characters", at)
    if taker.pattern not in {None, shape.pattern}:
        yield Finding(at, "pattern", f"hold a text that does not match {taker.pattern}")
    if taker.format not in {None, shape.format}:
        yield Finding(at, "format", f"hold a text that is no {taker.format}")


def _length(fewest: float, most: float, at_least: float, at_most: float, what: str, at: str) -> Iterator[Finding]:
    if fewest < at_least:
        yield Finding(at, "bounds", f"hold fewer than {at_least} {what}")
    if most > at_most:
        yield Finding(at, "bounds", f"hold more than {at_most} {what}")


def _number(shape: Number, taker: Number, at: str) -> Iterator[Finding]:
    if taker.whole and not shape.whole:
        yield Finding(at, "type", "hold a fraction")
    (low, low_out), (lowest, lowest_out) = shape.lowest, taker.lowest
    if low < lowest or (low == lowest and lowest_out and not low_out):
        yield Finding(at, "bounds", f"hold less than the reader's least, {lowest}")
    (high, high_out), (highest, highest_out) = shape.highest, taker.highest
    if high > highest or (high == highest and highest_out and not high_out):
        yield Finding(at, "bounds", f"hold more than the reader's most, {highest}")


def _called(shape: Shape) -> str:
    match shape:
        case Number(whole):
            return "a whole number" if whole else "a number"
        case Text(format=form):
            return f"a {form}" if form else "a text"
        case Array():
            return "a list"
    return "an object"
