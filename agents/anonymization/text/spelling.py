"""The ways in which a name, an id, a telephone number or a place is written: values to keys. Pure.

A key is compared with runs of pieces of a text (`agents.anonymization.text.folding`). Bounded: of a value so
many characters and pieces are looked at, of a name so many components.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from agents.anonymization.text.disguise import disguises
from agents.anonymization.text.folding import Piece, pieces, plain, squeeze, visible
from agents.anonymization.text.ordinary import NOBODY, ORDINARY, PLACES, TITLES

SHORT = 4
"""Names of fewer letters are found as whole words only."""
_INSIDE = 5
"""Names of so many letters are found inside of longer words, too: "ctmustermann"."""
_LONG_NUMBER = 6
"""Numbers of so many digits are found however they are grouped."""
_SHORT_NUMBER = 4
_SHORT_ID = 3
"""Digits of the shortest id that is looked for."""
_EMBEDDED, _EMBEDDED_NUMBER = 6, 7
"""Characters of an id, and digits of one that is a number, that are found whatever stands around them."""
_TELEPHONE = 6
_LOCAL = 7
"""Last digits of a telephone number that are looked for without what stands before them."""
_ACRONYM = 3
_COMPONENTS = 5
_PIECES = 32
_LONGEST = 1024
"""Characters of a value that are looked at."""
_IGNORED = NOBODY | TITLES
_COMMON = _IGNORED | ORDINARY
_COMMON_PLACES = _COMMON | PLACES
_CONNECTIVES = frozenset(
    (
        *(
            "and",
            "at",
            "da",
            "de",
            "der",
            "des",
            "di",
            "do",
            "du",
            "et",
            "for",
            "fur",
            "in",
            "la",
            "le",
            "of",
        ),
        *("the", "und", "y"),
    )
)
_WORDS = re.compile(r"[^\W\d_]+")
_TRUNK = re.compile(r"\(\s*0\s*\)")


class Keys:
    """What is looked for.

    Attributes
    ----------
    joined
        Runs of pieces, whatever few characters stand between them.
    alone
        Whole words: nothing but separators around them.
    inside
        Parts of longer words.
    embedded
        Ids that are found among any letters and digits.
    disguised
        Names and ids as they look backwards, or with bytes swapped.
    unspaced
        Parts of texts in scripts without spaces.
    dates, births
        Days; of `dates`, those on which somebody was born.
    """

    __slots__ = ("alone", "births", "dates", "disguised", "embedded", "inside", "joined", "unspaced")

    def __init__(self) -> None:
        self.joined: set[str] = set()
        self.alone: set[str] = set()
        self.inside: set[str] = set()
        self.embedded: set[str] = set()
        self.disguised: set[str] = set()
        self.unspaced: set[str] = set()
        self.dates: set[date] = set()
        self.births: set[date] = set()

    def name(self, value: str) -> None:
        """Add a person's name: PN (DICOM PS3.5, 6.2.1), or as people write it."""
        for group in _shown(value).split("=")[:3]:
            components = [_pieces(component) for component in group.split("^")[:_COMPONENTS]]
            self._parts(components)
            given = [part for component in components[1:3] for part in component]
            if len(components) > 1:
                self._pairs(components[0], given)
            else:
                # "Erika Mustermann" or "Mustermann, Erika": either end may be the surname
                parts = [part for part in components[0] if part.key not in TITLES]
                self._pairs(parts[:1], parts[1:])
                self._pairs(parts[-1:], parts[:-1])
        self._broken(value, _COMMON)

    def identifier(self, value: str, *, words: bool = True) -> None:
        """Add an id; `words`: also one, or a part of one, that consists of letters alone."""
        parts = _pieces(_shown(value))
        compact = "".join(part.key for part in parts)
        digits = any(part.digits for part in parts)
        if not digits and (not words or compact in _COMMON):
            return
        self._within(compact)
        if compact.isdecimal():
            self._number(compact, _SHORT_ID if words else _SHORT_NUMBER)
        elif len(compact) > SHORT:
            self._joined(compact)
            self._joined("".join(part.key.lstrip("0") if part.digits else part.key for part in parts))
        elif len(compact) == SHORT or (len(compact) == SHORT - 1 and compact not in ORDINARY):
            self.alone.add(compact)
        for part in parts:
            if part.digits and len(part.key) > SHORT:
                self._number(part.key)
            elif words and not part.digits and len(part.key) >= SHORT:
                self._distinct(part.key, _COMMON)

    def telephone(self, value: str) -> None:
        """Add a number that people call, or several; an address of another kind is added as an id."""
        for one in re.split(r"[;,\\]", _shown(value))[:8]:
            numbers = {
                "".join(part.key for part in _pieces(form) if part.digits)
                for form in (one, _TRUNK.sub("", one))
            }
            for number in numbers:
                digits = number.lstrip("0")
                if len(digits) >= _TELEPHONE:
                    self._joined(digits)
                if len(digits) > _LOCAL + 1:
                    # without the country, of one to three digits, or what stands before the local number
                    for at in (1, 2, 3, len(digits) - _LOCAL):
                        self._joined(digits[at:])
            if not any(numbers):
                self.identifier(one)

    def place(self, value: str) -> None:
        """Add the name of an institution or a department."""
        parts = _pieces(_shown(value))
        for part in parts:
            if part.unspaced:
                self._unspaced(part.key)
            elif not part.digits and len(part.key) >= _ACRONYM:
                self._distinct(part.key, _COMMON_PLACES)
        letters = [part.key for part in parts if not part.digits]
        initials = "".join(key[0] for key in letters if len(key) > 1 and key not in _CONNECTIVES)
        if _ACRONYM <= len(initials) <= _LONG_NUMBER and initials not in _COMMON_PLACES:
            self.alone.add(initials)
        compact = "".join(letters)
        if len(letters) > 1 and len(compact) > SHORT and not _COMMON_PLACES.issuperset(letters):
            self._joined(compact)
        self._broken(value, _COMMON_PLACES)

    def address(self, value: str) -> None:
        """Add an address: its own words, its house number with its street, its postal code."""
        parts = _pieces(_shown(value))
        for before, part, after in zip([None, *parts], parts, [*parts[1:], None], strict=False):
            if part.digits:
                if len(part.key) > SHORT:
                    self._number(part.key)
                for other in (before, after):
                    if other is not None and not other.digits and len(other.key) >= SHORT:
                        self._joined(other.key + part.key if other is before else part.key + other.key)
            elif part.unspaced:
                self._unspaced(part.key)
            elif len(part.key) >= SHORT:
                self._distinct(part.key, _COMMON_PLACES)
        self._broken(value, _COMMON_PLACES)

    def day(self, value: str, *, birth: bool = False) -> None:
        """Add the day of a DA or DT; what is neither is left out."""
        match = re.match(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})", plain(value.strip()))
        if match is None:
            return
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            return
        self.dates.add(day)
        if birth:
            self.births.add(day)

    def update(self, other: Keys) -> None:
        """Add all keys of another."""
        for name in self.__slots__:
            getattr(self, name).update(getattr(other, name))

    def anything(self, value: str) -> None:
        """Add a value of which nothing is known."""
        self.name(value)
        self.identifier(value)
        if re.fullmatch(r"\s*(18|19|20)\d{6}\d*\s*", value):
            self.day(value)

    def _parts(self, components: Iterable[list[Piece]]) -> None:
        for component in components:
            for part in component:
                if part.unspaced:
                    self._unspaced(part.key)
                elif part.digits:
                    if len(part.key) >= _SHORT_NUMBER:
                        self.alone.add(part.key)
                else:
                    self._distinct(part.key, _IGNORED)
            if len(component) > 1:
                self._compact("".join(part.key for part in component))

    def _pairs(self, family: list[Piece], given: list[Piece]) -> None:
        """Add surname and given names written together, in either order, also by initials."""
        if not family or not given:
            return
        if family[0].unspaced:
            both = "".join(part.key for part in family), "".join(part.key for part in given)
            self.unspaced.update((both[0] + both[1], both[1] + both[0]))
            return
        surnames = {"".join(part.key for part in family), family[0].key, family[-1].key}
        firsts = {
            "".join(part.key for part in given),
            given[0].key,
            given[0].key[0],
            "".join(part.key[0] for part in given),
        }
        for surname in surnames - _IGNORED:
            for first in firsts:
                self._compact(surname + first)
                self._compact(first + surname)

    def _distinct(self, key: str, common: Iterable[str]) -> None:
        if key in common:
            return
        if len(key) >= SHORT:
            self._joined(key)
            if len(key) >= _INSIDE:
                self.inside.add(squeeze(key))
                self.disguised.update(form for form in disguises(key) if form not in ORDINARY)
        elif len(key) > 1 and key not in ORDINARY:
            self.alone.add(key)

    def _broken(self, value: str, common: Iterable[str]) -> None:
        """Add words without the letters that a system of another character set loses: "M?ller"."""
        if value.isascii():
            return
        for word in _WORDS.findall(_shown(value))[:_PIECES]:
            left = "".join(filter(str.isascii, word)).lower()
            # without its first letter a name is soon a word: Óscar
            if len(left) < len(word) and len(left) >= (SHORT if word[0].isascii() else _LONG_NUMBER):
                self._distinct(left, common)

    def _compact(self, key: str) -> None:
        if key in _COMMON:
            return
        if len(key) >= SHORT:
            self._joined(key)
        elif len(key) > 1:
            self.alone.add(key)

    def _unspaced(self, key: str) -> None:
        (self.unspaced if len(key) > 1 else self.alone).add(key)

    def _within(self, identifier: str) -> None:
        """Add an id that is long enough to be told from what it stands in."""
        significant = identifier.lstrip("0")
        least = _EMBEDDED_NUMBER if significant.isdecimal() else _EMBEDDED
        if len(significant) >= least and sum(map(str.isdecimal, significant)) >= _SHORT_NUMBER:
            self.embedded.add(significant)
            self.disguised.update(disguises(significant))

    def _number(self, digits: str, shortest: int = _SHORT_NUMBER) -> None:
        significant = digits.lstrip("0")
        if len(significant) >= _LONG_NUMBER:
            self._joined(digits)
        else:
            self.alone.update(form for form in (digits, significant) if len(form) >= shortest)

    def _joined(self, key: str) -> None:
        # a window that begins with a number is compared without its leading zeros
        significant = key.lstrip("0") if key[:1].isdecimal() else key
        if len(significant) >= SHORT:
            self.joined.add(squeeze(significant))


def _shown(value: str) -> str:
    return visible(value[:_LONGEST])


def _pieces(text: str) -> list[Piece]:
    return pieces(plain(text))[:_PIECES]
