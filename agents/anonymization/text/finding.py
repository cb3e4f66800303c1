"""Where keys stand in a text: a quick look that says no, and a close one. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from agents.anonymization.text.dates import dates_in
from agents.anonymization.text.disguise import ANYWHERE
from agents.anonymization.text.folding import Piece, letters, pieces, plain, squeeze, visible
from agents.anonymization.text.ordinary import ORDINARY
from agents.anonymization.text.spelling import Keys

Span = tuple[int, int]
"""Where something stands in a text: its first character and the one after its last."""

_GAP = 4
"""Characters between the pieces of one name."""
_LONGEST_WINDOW = 64
"""Pieces of one name: it may be written letter by letter."""
_START = 3
"""Characters of a key by which the quick look knows it."""
_PLURAL = 5
_LONG_WORD = 6
"""Letters of a word in which another may stand."""
_INSIDE_CODE = 7
"""Letters of a name that is found inside of a longer word of a code: Erika is not in Erikasson."""
_AROUND = 32
"""Characters before and after a year that may belong to its date."""
_WORDS = re.compile(r"[0-9]+|[a-z]+")


class _Wanted(NamedTuple):
    """What is looked for in texts, or in codes: runs of pieces, and parts of words."""

    joined: frozenset[str]
    inside: tuple[str, ...]


class Finder:
    """Finds keys. Compiled from sets alone: no expression is built for an object."""

    def __init__(self, keys: Keys) -> None:
        self.days = frozenset(keys.dates)
        self._alone = frozenset(keys.alone)
        self._unspaced = tuple(sorted(keys.unspaced))
        self._embedded = tuple(sorted(keys.embedded))
        self._disguised = tuple(sorted(form for form in keys.disguised if len(form) >= ANYWHERE))
        self._disguised_words = frozenset(keys.disguised).difference(self._disguised)
        inside = tuple(sorted(keys.inside))
        self._in_texts = _Wanted(frozenset(keys.joined), inside)
        self._in_codes = _Wanted(
            self._in_texts.joined - ORDINARY, tuple(name for name in inside if len(name) >= _INSIDE_CODE)
        )
        self._longest = max(map(len, keys.joined), default=0)
        # "ue" may stand for "ü": the quick look leaves out every e, on both sides
        bare = {_without_e(key) for key in keys.joined}
        self._starts = frozenset(key[:length] for key in bare for length in range(_START + 1))
        self._first = frozenset(key[:_START] for key in bare | {_without_e(key) for key in keys.alone})
        self._shortest = frozenset(key for key in self._first if len(key) < _START)
        self._bare_inside = tuple(_without_e(name) for name in (*self._in_codes.inside, *self._embedded))
        self._is_ascii = all(key.isascii() for key in keys.joined | keys.alone | keys.unspaced)

    def spans(self, text: str) -> Iterator[Span]:
        """Yield where keys stand in a text that is visible and plain; they may overlap."""
        return self._spans(pieces(text), self._in_texts)

    def occurs(self, text: str) -> bool:
        """Tell whether one, or a day, stands in a code or in short text."""
        lower = letters(text) if self._is_ascii else None
        if self._disguises(lower or plain(visible(text))):
            return True
        if lower is None:
            text = lower = plain(visible(text))
        elif not self._likely(lower):
            return self._dated(text)
        return any(True for _ in self._spans(pieces(lower), self._in_codes)) or self._dated(text)

    def disguised(self, text: str) -> bool:
        """Tell whether one stands in a text backwards, or with bytes swapped."""
        return self._disguises(letters(text) or plain(visible(text)))

    def _disguises(self, lower: str) -> bool:
        words = _WORDS.findall(lower.lower())
        if not self._disguised_words.isdisjoint(words):
            return True
        compact = "".join(words)
        return any(form in compact for form in self._disguised)

    def _likely(self, lower: str) -> bool:
        """Tell whether a closer look is due: cheap, and never wrong about what isn't there."""
        words = _WORDS.findall(lower)
        bare = "\n".join(words).replace("e", "").split("\n")
        compact = "".join(bare)
        at = 0
        for word in bare:
            start = compact[at : at + _START]
            if start in self._first or (self._shortest and not self._shortest.isdisjoint((word, start[:2]))):
                return True
            if word[:1] == "0" and len(word) > _START:
                return True
            at += len(word)
        return any(name in compact for name in self._bare_inside)

    def _dated(self, text: str) -> bool:
        """Tell whether a day is written somewhere, by a look around its year."""
        for written in {f"{day.year % 100:02d}" for day in self.days}:
            at = text.find(written)
            while at >= 0:
                around = plain(visible(text[max(0, at - _AROUND) : at + _AROUND]))
                if any(not self.days.isdisjoint(found.days) for found in dates_in(around)):
                    return True
                at = text.find(written, at + _AROUND // 2)
        return False

    def _spans(self, parts: list[Piece], wanted: _Wanted) -> Iterator[Span]:
        for at, part in enumerate(parts):
            if part.unspaced:
                if any(name in part.key for name in self._unspaced):
                    yield part.start, part.end
                continue
            if not part.digits and len(part.key) >= _PLURAL:
                key = squeeze(part.key)
                if (key[-1] == "s" and key[:-1] in wanted.joined) or _within(key, wanted.inside):
                    yield part.start, part.end
            yield from self._windows(parts, at, wanted.joined)
        if self._alone:
            yield from self._words(parts)
        if self._embedded:
            yield from self._ids(parts)

    def _ids(self, parts: list[Piece]) -> Iterator[Span]:
        """Yield the pieces in which ids stand among other letters and digits."""
        whole = "".join(part.key for part in parts)
        for name in self._embedded:
            at = whole.find(name)
            while at >= 0:
                ends = itertools.accumulate(len(part.key) for part in parts)
                touched = [
                    part
                    for part, end in zip(parts, ends, strict=True)
                    if end > at and end - len(part.key) < at + len(name)
                ]
                yield touched[0].start, touched[-1].end
                at = whole.find(name, at + len(name))

    def _windows(self, parts: list[Piece], at: int, joined: frozenset[str]) -> Iterator[Span]:
        """Yield runs of pieces from one on that are, written together, a key."""
        first = parts[at]
        compact, end = (first.key.lstrip("0") if first.digits else first.key), first.end
        if not compact:
            return
        for following in parts[at + 1 : at + _LONGEST_WINDOW]:
            if squeeze(compact) in joined:
                yield first.start, end
            if (
                following.start - end > _GAP
                or len(compact) > self._longest
                or _without_e(compact)[:_START] not in self._starts
            ):
                return
            compact, end = compact + following.key, following.end
        if squeeze(compact) in joined:
            yield first.start, end

    def _words(self, parts: list[Piece]) -> Iterator[Span]:
        """Yield whole words: pieces with nothing between them, and separators around."""
        start = 0
        for at, part in enumerate(parts):
            if at + 1 < len(parts) and parts[at + 1].start == part.end:
                continue
            word = "".join(one.key for one in parts[start : at + 1])
            if word in self._alone or (word[:1] == "0" and word.lstrip("0") in self._alone):
                yield parts[start].start, part.end
            start = at + 1


def _within(key: str, names: tuple[str, ...]) -> bool:
    """Tell whether a name stands inside of a word that isn't an ordinary one."""
    return len(key) >= _LONG_WORD and key not in ORDINARY and any(name in key for name in names)


def _without_e(key: str) -> str:
    return key.replace("e", "")
