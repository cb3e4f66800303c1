"""What was decided about one object, for the others of its series: those that fit its pattern.

All that is decided about an object as a whole (its rules, whose it is, whether it may come out) follows from
values; where these stand still, so does what follows. Each object has its moving values made, is looked at a
second time, and has its pixels checked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from agents.anonymization.fast.look import Look
from agents.anonymization.fast.making import Maker
from agents.anonymization.fast.pattern import Moved, Pattern
from agents.anonymization.fast.pixels import check
from agents.anonymization.fast.runs import Run
from agents.anonymization.fast.sources import Source
from agents.anonymization.fast.tallies import Counts, Tallies
from agents.anonymization.fast.tokens import Token
from agents.anonymization.fast.top import Top
from agents.anonymization.outcome import Anonymized
from agents.anonymization.surplus.image import Image
from agents.anonymization.text.known import KnownValues
from gateway.header import instance_from
from gateway.identity import ProjectKey, instance_key
from gateway.part10 import Bounds
from streams.copying import Span

_SOP_INSTANCE, _NUMBER = 0x00080018, 0x00200013
"""What moves though it is asked for: it tells the objects of a series from each other."""


class Asked(Mapping[int, bytes]):
    """Values by tag, and which of them somebody asked for."""

    def __init__(self, values: Mapping[int, bytes]) -> None:
        self._values = values
        self.tags: set[int] = set()

    def __getitem__(self, tag: int) -> bytes:
        self.tags.add(tag)
        return self._values[tag]

    def text(self, tag: int) -> str:
        """Give the text of an element, empty when it is not there."""
        return self.get(tag, b"").decode("latin-1").strip("\0 ")

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Decided(NamedTuple):
    """What was decided about the first object.

    Attributes
    ----------
    key
        Of the pseudonyms.
    study, known
        What its study calls people, as it was given, and what must not be found in it.
    maker, look, tallies
        Make its values, look at them, count.
    image, pixel_bytes
        What it says of its image; the bytes that this asks for.
    begin
        Gives what stands in front of a data set, from the SOP Instance UID.
    like
        What came of it.
    """

    key: ProjectKey
    study: KnownValues | None
    known: KnownValues
    maker: Maker
    look: Look
    tallies: Tallies
    image: Image
    pixel_bytes: int | None
    begin: Callable[[str], bytes]
    like: Anonymized


class Series:
    """Takes the objects that fit a pattern; see the module.

    Parameters
    ----------
    pattern, top
        Of the first object.
    decided
        About it.
    """

    def __init__(self, pattern: Pattern, top: Top, decided: Decided) -> None:
        self.study = decided.study
        self._pattern, self._runs = pattern, top.table.runs
        self._decided = decided._replace(like=msgspec.structs.replace(decided.like, output=b""))
        self._still = {
            tag: top.values[tag]
            for tag in (_SOP_INSTANCE, _NUMBER)
            if tag in top.values and tag not in pattern.tags
        }
        self._written: dict[int, bytes] = {}
        self._numbers = list(pattern.numbers)
        self._parts, self._places, self._span = self._made(top.tokens)
        self._moving = frozenset(self._places)
        self._counts = functools.lru_cache(maxsize=64)(self._counted)

    def _made(self, tokens: Sequence[Token | Run | Span | int]) -> tuple[list[bytes], list[int], int]:
        """Make what stands still; give it in parts, and where among them the others belong, and the span."""
        parts, places, span = list[bytes](), list[int](), 0
        between: list[Token | Run | int] = []
        for place, token in enumerate(tokens):
            moves = place in self._pattern.slots
            if not moves and not isinstance(token, bytes | Span):
                between.append(token)
                continue
            if between:
                parts.append(self._joined(between))
                between = []
            if isinstance(token, Span):
                span = len(parts)
            elif moves:
                places.append(len(parts))
            # The head of the pixels is a part of its own: it is looked at with what follows it.
            parts.append(token if isinstance(token, bytes) else b"")
        parts.append(self._joined(between))
        return parts, places, span

    def _joined(self, tokens: Sequence[Token | Run | int]) -> bytes:
        made = self._decided.maker.data_set(tokens, self._numbers, self._written)
        return b"".join(part for part in made if isinstance(part, bytes))

    def take(self, source: Source, first: bytes, bounds: Bounds) -> Anonymized | None:
        """Anonymize an object as `engine.FastPath` does; None when it does not fit.

        Raises
        ------
        Surprise, agents.anonymization.outcome.Refusal, gateway.part10.Malformed
            When the careful way has to judge it.
        OSError
            When the source can't be read.
        """
        moved = self._pattern.match(source, first, bounds)
        if moved is None:
            return None
        self._runs.fitted()
        return self._taken(source, moved)

    def _taken(self, source: Source, moved: Moved) -> Anonymized:
        decided, numbers = self._decided, moved.numbers
        uid, number = instance_from(self._still | moved.values)
        written = {_SOP_INSTANCE: self._written[_SOP_INSTANCE]} if _SOP_INSTANCE in self._written else {}
        parts: list[bytes | Span] = [*self._parts]
        parts[self._span] = moved.pixels.span
        for place, token in zip(self._places, moved.tokens, strict=True):
            parts[place] = decided.maker.anew(token, numbers, written)
        decided.look.at(parts, self._moving)
        check(source, moved.pixels, decided.image, decided.pixel_bytes, decided.known)
        groups, reasons = self._counts(tuple(numbers))
        instance_uid = written[_SOP_INSTANCE].decode("ascii").rstrip("\0 ")
        return msgspec.structs.replace(
            decided.like,
            output=source.spliced([decided.begin(instance_uid), *parts]),
            instance=instance_key(decided.key, uid),
            instance_number=number,
            counts=dict(groups),
            reasons=dict(reasons),
        )

    def _counted(self, numbers: tuple[int, ...]) -> Counts:
        return self._decided.tallies.counts((*self._numbers, *numbers))
