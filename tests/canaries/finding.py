"""The search for planted values in what came out: in its bytes, however spelled, and at their places."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from io import BytesIO
from typing import NamedTuple

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from tests.canaries.planting import SHORTEST, Canary, dates, forms, spellings, squeezed
from tests.canaries.views import views

PREFIX, GRAM = 3, SHORTEST
"""Bytes of a value by which a quick look and a closer one know it."""
_PSEUDONYM = re.compile(rb"2\.25\.[0-9]{39}(?![0-9])|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
"""What the key makes: digits as good as random, in which a date occurs by chance."""


class Leak(NamedTuple):
    """A value that was found again: where it had been put, and in which reading of the bytes it was."""

    label: str
    view: str


class Finder:
    """Finds any of many values in bytes.

    Parameters
    ----------
    words, days
        By label.
    """

    def __init__(self, words: Mapping[str, str], days: Mapping[str, date] = {}) -> None:
        self._labels: dict[bytes, set[str]] = {}
        self._words = set(words.values())
        for label, word in words.items():
            for form in forms(word):
                self._labels.setdefault(form, set()).add(label)
        self._days = {spelling: label for label, day in days.items() for spelling in spellings(day)}
        self._by_gram: dict[bytes, list[bytes]] = {}
        for form in self._labels:
            self._by_gram.setdefault(form[:GRAM], []).append(form)
        self._grams = np.array(sorted(map(_number, self._by_gram)), dtype=np.uint64)
        self._prefixes = np.zeros(1 << 8 * PREFIX, dtype=bool)
        self._prefixes[self._grams & np.uint64((1 << 8 * PREFIX) - 1)] = True

    def find(self, content: bytes) -> list[Leak]:
        """Give what is found, one leak a label."""
        found: dict[str, str] = {}
        for view, text in views(self._without_pseudonyms(content)):
            for form in self._occurring(squeezed(text)):
                for label in self._labels[form]:
                    found.setdefault(label, view)
            # Backwards, numbers are other numbers, among which a date occurs by chance
            for spelling in dates(text) if self._days and "backwards" not in view else ():
                if spelling in self._days:
                    found.setdefault(self._days[spelling], view)
        return [Leak(label, view) for label, view in sorted(found.items())]

    def _without_pseudonyms(self, content: bytes) -> bytes:
        def hide(match: re.Match[bytes]) -> bytes:
            return match[0] if match[0].decode() in self._words else b"#" * len(match[0])

        return _PSEUDONYM.sub(hide, content)

    def _occurring(self, text: bytes) -> Iterator[bytes]:
        if len(text) < GRAM:
            return
        data = np.frombuffer(text, dtype=np.uint8)
        likely = np.flatnonzero(self._prefixes[_numbers(data, PREFIX)[: len(data) - GRAM + 1]])
        numbers = np.zeros(len(likely), dtype=np.uint64)
        for at in range(GRAM):
            numbers |= data[likely + at].astype(np.uint64) << np.uint64(8 * at)
        for position in likely[np.isin(numbers, self._grams)]:
            for form in self._by_gram[text[position : position + GRAM]]:
                if text.startswith(form, position):
                    yield form


def _numbers(data: np.ndarray, length: int) -> np.ndarray:
    """Give the bytes from each position on as one number."""
    numbers = np.zeros(len(data) - length + 1, dtype=np.uint32)
    for at in range(length):
        numbers |= data[at : len(data) - length + 1 + at].astype(np.uint32) << np.uint32(8 * at)
    return numbers


def _number(gram: bytes) -> int:
    return int.from_bytes(gram, "little")


def finder(canaries: Iterable[Canary]) -> Finder:
    """Make a search for everything that canaries say."""
    words: dict[str, str] = {}
    days: dict[str, date] = {}
    for canary in canaries:
        for number, word in enumerate(sorted(canary.words())):
            words[f"{canary.label} [{number}]"] = word
        for day in canary.days():
            days[canary.label] = day
    return Finder(words, days)


def still_there(out: Dataset, canaries: Iterable[Canary]) -> list[str]:
    """Give the labels of canaries whose element still has their value, whatever its kind."""
    return [canary.label for canary in canaries if _value_at(out, canary) == canary.value]


def _value_at(data: Dataset, canary: Canary) -> object:
    for tag in canary.where:
        if tag not in data or data[tag].VR != "SQ" or not data[tag].value:
            return None
        data = data[tag].value[0]
    if canary.tag not in data:
        return None
    value = data[canary.tag].value
    if isinstance(canary.value, str):
        return value.decode("latin-1").strip("\0 ") if isinstance(value, bytes) else str(value)
    return value


def decoded(content: bytes) -> Dataset:
    """Read a Part 10 file, leniently."""
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")
        data = pydicom.dcmread(BytesIO(content))
        data.walk(lambda _, element: element.value)
        return data


def same_image(one: Dataset, other: Dataset) -> bool:
    """Tell whether pixels are the same, or compressed ones that decode to the same."""
    if one.get("PixelData") == other.get("PixelData"):
        return True
    return one["PixelData"].is_undefined_length and np.array_equal(one.pixel_array, other.pixel_array)
