"""Objects with one thing each that must not get through: names where a reader of tables does not look."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.canaries.classes import IMAGES
from tests.canaries.drawn import Line, legible_in_bits
from tests.canaries.finding import Finder, decoded
from tests.canaries.person import KEEPERS, Person, make_person
from tests.canaries.planting import words_of
from tests.canaries.words import Words
from tests.canaries.writing import written


class Trap(NamedTuple):
    """An object, and what must not be left of it.

    Attributes
    ----------
    content
        The file.
    person
        Whom it is about.
    words
        What it says besides, by label.
    lines
        Text that is drawn.
    keepers
        Options that may keep some of `words`.
    """

    content: bytes
    person: Person
    words: dict[str, str]
    lines: tuple[Line, ...] = ()
    keepers: Mapping[str, str] = MappingProxyType({})

    def finder(self, options: Collection[str] = ()) -> Finder:
        """Make the search for all that it says and that a policy with options does not keep."""
        kept = {name for name, option in KEEPERS.items() if option in options}
        words = {label: word for label, word in words_of(self.person).items() if label.split()[0] not in kept}
        days = {"born": self.person.born, "seen": self.person.seen}
        own = {label: word for label, word in self.words.items() if self.keepers.get(label) not in options}
        return Finder({**words, **own}, {name: day for name, day in days.items() if name not in kept})

    def left(self, content: bytes, options: Collection[str] = ()) -> list[str]:
        """Give the labels of what is left in an output, and the lines that can be read in it."""
        found = [f"{leak.label} ({leak.view})" for leak in self.finder(options).find(content)]
        return found + (legible_in_bits(decoded(content), list(self.lines)) if self.lines else [])


class Setting(NamedTuple):
    """What a trap is made of: words to take, a person, and a CT of that person."""

    words: Words
    person: Person
    data: Dataset

    def trap(self, content: bytes | None = None, syntax: str = "explicit", **words: str) -> Trap:
        """Close the trap."""
        return Trap(content or written(self.data, syntax), self.person, words)


def setting(seed: int = 7, kind: str = "ct", **changes: str) -> Setting:
    """Prepare one; `changes` are to the person."""
    words = Words(seed)
    person = make_person(words)._replace(**changes)
    with pydicom.config.disable_value_validation():
        return Setting(words, person, IMAGES[kind](words, person))


TRAPS: dict[str, Callable[[], Trap]] = {}
"""All traps by name; each makes the same bytes every time."""


def trap(name: str) -> Callable[[Callable[[], Trap]], Callable[[], Trap]]:
    """Add a trap to all of them."""

    def add(make: Callable[[], Trap]) -> Callable[[], Trap]:
        assert name not in TRAPS
        TRAPS[name] = make
        return make

    return add


def say(data: Dataset, text: str | list[str]) -> None:
    """Write a text into attributes that the Basic profile trusts: at the top, in a code, deep inside."""
    first = text if isinstance(text, str) else text[0]
    meaning = Dataset()
    meaning.CodeValue, meaning.CodingSchemeDesignator, meaning.CodeMeaning = "T-1", "99LOCAL", first
    outer = Dataset()
    outer.CTDIPhantomTypeCodeSequence = Sequence([meaning])
    data.SharedFunctionalGroupsSequence = Sequence([outer])
    data.AnatomicRegionSequence = Sequence([meaning])
    data.WindowCenterWidthExplanation = text
    data.Manufacturer = first
