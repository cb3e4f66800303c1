"""Where each value was put, and the forms in which it would be found again."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from tests.canaries.person import Person

SHORTEST = 5
"""Shorter words and numbers occur by chance."""


class Canary(NamedTuple):
    """A planted value.

    Attributes
    ----------
    label
        Where it was put, in words.
    where
        The sequences that it lies in, outermost first.
    tag, vr, value
        Its element.
    """

    label: str
    where: tuple[int, ...]
    tag: int
    vr: str
    value: str | int | float | bytes

    def words(self) -> set[str]:
        """Give the parts of the value that say something by themselves."""
        if isinstance(self.value, bytes):
            return {self.value.decode("latin-1")}
        if not isinstance(self.value, str) or self.vr in ("DA", "AS"):
            return set()
        if self.vr in ("DT", "TM"):
            return {self.value[8:].partition("+")[0]} if self.vr == "DT" else {self.value}
        if self.vr in ("UI", "DS", "IS"):
            return set(self.value.split("\\"))
        separated = self.value.replace(".example", "")
        for character in "^=\\/:@#,.()_-*+":
            separated = separated.replace(character, " ")
        return {word for word in separated.split() if len(word) >= SHORTEST and word != "http"}

    def days(self) -> set[date]:
        """Give the dates that the value names."""
        if self.vr not in ("DA", "DT") or not isinstance(self.value, str):
            return set()
        texts = self.value.split("\\")
        return {date(int(text[:4]), int(text[4:6]), int(text[6:8])) for text in texts}


class Planted(NamedTuple):
    """What stands in an object: canaries by place, and what the object says of its person anywhere."""

    canaries: list[Canary]
    person: Person | None = None


def squeezed(text: bytes) -> bytes:
    """Give letters, digits and bytes beyond ASCII, in lower case: what is left of any way to write a word."""
    return text.translate(_LOWER, _DROPPED)


_LOWER = bytes(range(256)).lower()
_DROPPED = bytes(byte for byte in range(128) if not chr(byte).isalnum())


@functools.cache
def forms(word: str) -> frozenset[bytes]:
    """Give how a word may stand in squeezed bytes: cases, encodings, without its accents."""
    made: set[bytes] = set()
    for text in {word, word.lower(), word.upper(), *_plain(word)}:
        for encoding in ENCODINGS:
            try:
                made.add(squeezed(ESCAPES.sub(b"", text.encode(encoding))))
            except UnicodeError:
                continue
    return frozenset(form for form in made if len(form) >= SHORTEST)


ESCAPES = re.compile(rb"\x1b[\x20-\x2f]+[\x30-\x7e]")
"""By which ISO 2022 changes from one character set to another."""

ENCODINGS = (
    *("utf-8", "latin-1", "utf-16-le", "utf-16-be", "cp437"),
    *("iso2022_jp", "euc_jp", "shift_jis", "iso2022_kr", "euc_kr", "gb18030", "iso8859_5", "iso8859_7"),
)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


def _plain(word: str) -> set[str]:
    accents = unicodedata.normalize("NFD", word)
    return {accents, accents.encode("ascii", "ignore").decode(), word.translate(_GERMAN)}


def spellings(day: date) -> set[bytes]:
    """Give how a date may be written, without what separates its parts."""
    patterns = ("%Y%m%d", "%d%m%Y", "%m%d%Y", "%d%b%Y", "%b%d%Y", "%d%B%Y", "%B%d%Y", "%Y%b%d")
    return {day.strftime(pattern).lower().encode() for pattern in patterns}


def dates(content: bytes) -> Iterator[bytes]:
    """Give everything that may be a date, spelled as by `spellings`."""
    # Digits of two or four bytes each
    narrow = re.sub(rb"(?<=[0-9])\0{1,3}(?=[0-9.,/ -])|(?<=[.,/ -])\0{1,3}(?=[0-9])", b"", content)
    for found in _DATES.finditer(narrow.lower()):
        yield found[0].translate(None, b" .,/-_:")


_MONTH = rb"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATES = re.compile(
    rb"(?<![0-9])(?:[0-9]{4}(?P<a>[-./_: ]?)[0-9]{2}(?P=a)[0-9]{2}|"
    rb"[0-9]{2}(?P<b>[-./_: ]?)[0-9]{2}(?P=b)[0-9]{4}|[0-9]{2}[-./, ]*%b[-./, ]*[0-9]{4})|"
    rb"%b[-./, ]*[0-9]{2}[-./, ]*[0-9]{4}|[0-9]{4}[-./, ]*%b[-./, ]*[0-9]{2}" % ((_MONTH,) * 3)
)


def words_of(person: Person) -> dict[str, str]:
    """Give what names a person, by what it is."""
    found: dict[str, str] = {}
    for field, value in person._asdict().items():
        if isinstance(value, str):
            canary = Canary(field, (), 0, "LO", value)
            for number, word in enumerate(sorted(canary.words())):
                found[f"{field} {number}"] = word
    return found


def nested(where: Sequence[int]) -> str:
    """Give a path for people."""
    return "/".join(f"{tag:08x}" for tag in where) or "top"
