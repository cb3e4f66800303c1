"""Values that occur nowhere else, in the shape of each value representation. Seeded: the same every time."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

LETTERS = "abdefgiklmnoprstuvz"
FIRST_DAY = date(1931, 1, 1)
DAYS = 33_000
"""Dates lie within so many days of the first: no dummy, and none of today."""
ROOTS = "1.2.276.0.7230010.3", "1.3.12.2.1107.5.2", "1.2.840.113619.2", "2.25", "2.16.840.1.113669"
"""Roots of others, under which hospitals and devices make their UIDs."""


class Words:
    """Gives each value once."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._given: set[object] = set()
        texts = dict.fromkeys(("LO", "UC", "ST", "LT", "UT"), self.phrase)
        codes = dict.fromkeys(("AE", "CS"), self.code)
        blobs = dict.fromkeys(("OB", "OW", "UN"), lambda: self.phrase().replace(" ", "").encode())
        self._makers: dict[str, Callable[[], str | int | float | bytes]] = {
            **texts,
            **codes,
            **blobs,
            "PN": lambda: f"{self.word()}^{self.word()}",
            "SH": self.word,
            "DA": lambda: f"{self.day():%Y%m%d}",
            "TM": self.time,
            "DT": lambda: f"{self.day():%Y%m%d}{self.time()}+0100",
            "UI": self.uid,
            "UR": lambda: f"http://{self.word().lower()}.example/{self.word()}",
            "AS": lambda: f"{self._random.randrange(20, 80):03d}Y",
            "DS": lambda: f"{self.digits(7)}.{self.digits(7)}",
            "IS": lambda: str(self._once(lambda: self._random.randrange(1_100_000_000, 2_100_000_000))),
            "FL": lambda: float(self.digits(6)),
            "FD": lambda: float(self.digits(6)),
        }

    def _once(self, make):
        for _ in range(1000):
            value = make()
            if value not in self._given:
                self._given.add(value)
                return value
        raise AssertionError("there are no values left")

    def word(self, letters: int = 10) -> str:
        """Give a word that no language has, and that no other one resembles, in any direction."""
        return self._once(lambda: "X" + "".join(self._random.choices(LETTERS, k=letters - 1)))

    def phrase(self) -> str:
        """Give two words."""
        return f"{self.word()} {self.word()}"

    def code(self) -> str:
        """Give a word of capitals."""
        return self.word().upper()

    def digits(self, count: int) -> str:
        """Give a number that does not begin with zero or like a year."""
        return self._once(lambda: str(self._random.randrange(3 * 10 ** (count - 1), 10**count)))

    def day(self) -> date:
        """Give a date whose day is no month, so that no spelling of it is the spelling of another."""

        def make():
            day = FIRST_DAY + timedelta(days=self._random.randrange(DAYS))
            return day.replace(day=13 + self._random.randrange(16))

        return self._once(make)

    def uid(self) -> str:
        """Give a UID under somebody's root, at most 64 characters, without leading zeros."""
        root = self._random.choice(ROOTS)
        return f"{root}.{self.digits(12)}" if root == "2.25" else f"{root}.{self.digits(5)}.{self.digits(12)}"

    def time(self) -> str:
        """Give a time of day with a fraction that occurs once."""
        return f"{self._random.randrange(10, 24)}{self._random.randrange(10, 60)}17.{self.digits(6)}"

    def value(self, vr: str) -> str | int | float | bytes:
        """Give a value that such an element may have, and that nothing else in the object has.

        Of short ones (ages, 16-bit numbers) there are too few: they repeat.
        """
        return self._makers.get(vr, self._number)()

    def _number(self) -> int:
        return self._random.randrange(1000, 60_000)
