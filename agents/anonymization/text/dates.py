"""Dates in text, in the spellings that people and devices use, in seven languages. Pure.

Works on text whose full-width digits are plain (`agents.anonymization.text.folding.plain`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

_MONTHS = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sept oct nov dec",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "jan feb mär apr mai jun jul aug sep okt nov dez",
    "jänner feber maerz april mai juni juli august september oktober november dezember",
    "jan feb mrz apr mai jun jul aug sep okt nov dez",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "janv févr mars avr mai juin juil août sept oct nov déc",
    "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
    "jan fév mar avr mai jui jul aoû sep oct nov dec",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "ene feb mar abr may jun jul ago sep oct nov dic",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "jan fev mar abr mai jun jul ago set out nov dez",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
)
_NUMBERS = {name: number for row in _MONTHS for number, name in enumerate(row.split(), 1)}
_FULL = sorted({name for row in _MONTHS[::2] for name in row.split()}, key=len, reverse=True)
_ANY = sorted(_NUMBERS, key=len, reverse=True)

_YEAR = r"(?:18|19|20)\d\d"
_RECENT = r"(?:19\d\d|20[0-3]\d)"
"""With a month alone: 2048 is the size of a matrix."""
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_NAME = rf"(?:{'|'.join(_ANY)})"
_ROMAN_NUMBERS = {
    name: number
    for number, name in enumerate(
        ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"), 1
    )
}
_ROMAN_MONTH = rf"(?:{'|'.join(sorted(_ROMAN_NUMBERS, key=len, reverse=True))})"
_FULL_NAME = rf"(?:{'|'.join(_FULL)})"
_ORDINAL = r"(?:st|nd|rd|th|er|º|\.)?"
_BETWEEN = r"[ \t._/,-]{0,2}(?:de[l ]?|of)?[ \t]{0,2}"

# "2004-01-31", "2004/1/31", "2004年1月31日"
_YEAR_FIRST = re.compile(
    rf"(?<!\d)(?P<year>{_YEAR})(?P<between>[ ]?[-./_年 ][ ]?)(?P<month>{_MONTH})"
    rf"(?:(?P=between)|月)(?P<day>{_DAY})(?!\d)日?"
)
# "20040131", and with a time behind it
_COMPACT = re.compile(r"(?<!\d)(?P<year>(?:18|19|20)\d\d)(?P<month>\d\d)(?P<day>\d\d)(?:\d{4}|\d{6})?(?!\d)")
# "31.01.2004", "1/31/04"
_YEAR_LAST = re.compile(
    rf"(?<![\d.])(?P<first>\d{{1,2}})(?P<between>[ ]?[-./_ ][ ]?)(?P<second>\d{{1,2}})(?P=between)"
    rf"(?P<year>{_YEAR}|\d\d)(?!\d|[.,]\d)"
)
# "31012004", "310104", "040131": only known dates are seen in these
_DIGITS = re.compile(r"(?<!\d)(?:\d{8}|\d{6})(?!\d)")
# "31 Jan 1970", "31. Januar 1970", "31 de enero de 1970", "31JAN70"
_DAY_NAME = re.compile(
    rf"(?<!\d)(?P<day>{_DAY}){_ORDINAL}{_BETWEEN}(?P<name>{_NAME})\.?{_BETWEEN}"
    rf"'?(?P<year>{_YEAR}|\d\d)(?!\d|[.,]\d)",
    re.IGNORECASE,
)
# "January 31, 1970", "Jan 31st 1970"
_NAME_DAY = re.compile(
    rf"(?<![^\W\d_])(?P<name>{_NAME})\.?[ \t_-]{{0,2}}(?P<day>{_DAY}){_ORDINAL}"
    rf"[ \t,_-]{{1,3}}(?P<year>{_YEAR})(?!\d)",
    re.IGNORECASE,
)
# "1970-Jan-31", "1970 January 31"
_YEAR_NAME = re.compile(
    rf"(?<!\d)(?P<year>{_YEAR})[ \t._/,-]{{0,2}}(?P<name>{_NAME})\.?[ \t._/,-]{{0,2}}(?P<day>{_DAY})(?!\d)",
    re.IGNORECASE,
)
# "January 1970", "01/1970", "31 January": no whole date, and still more than a year
_MONTH_YEAR = re.compile(rf"(?<![\d./-])(?:{_MONTH}[./]{_RECENT}|{_RECENT}-(?:0[1-9]|1[0-2]))(?![\d./-])")
# "1970-W05-6", "1970-031": ISO 8601's weeks and days of the year
_ISO = re.compile(
    rf"(?<![\d./-])(?P<year>{_RECENT})-(?:W(?P<week>[0-5]\d)(?:-(?P<weekday>[1-7]))?|(?P<ordinal>[0-3]\d\d))(?![\d./-])"
)
# "31.I.1970", "1970 I 31": months as people write them from Poland to Hungary
_ROMAN = (
    re.compile(
        rf"(?<![^\W_])(?<![.,])(?P<day>{_DAY})[ ]?(?P<between>[-./ ])[ ]?(?P<name>{_ROMAN_MONTH})[ ]?"
        rf"(?P=between)[ ]?(?P<year>{_YEAR})(?!\d|[.,]\d)"
    ),
    re.compile(
        rf"(?<![^\W_])(?<![.,])(?P<year>{_YEAR})[ ]?(?P<between>[-./ ])[ ]?(?P<name>{_ROMAN_MONTH})[ ]?"
        rf"(?P=between)[ ]?(?P<day>{_DAY})(?!\d|[.,]\d)"
    ),
)
_NAMED_PARTS = (
    re.compile(
        rf"(?<![^\W\d_]){_NAME}\.?[ \t_-]{{0,2}}(?:de[l ]?)?[ \t]{{0,2}}{_RECENT}(?!\d)", re.IGNORECASE
    ),
    re.compile(
        rf"(?<!\d){_DAY}{_ORDINAL}[ \t]{{0,2}}(?:de |of )?{_FULL_NAME}(?![^\W\d_])|"
        rf"(?<![^\W\d_]){_FULL_NAME}[ \t]{{1,2}}{_DAY}{_ORDINAL}(?![\d\w])",
        re.IGNORECASE,
    ),
)
_NAMED = _DAY_NAME, _NAME_DAY, _YEAR_NAME
_HAS_NAME = re.compile("|".join(sorted({name[:3] for name in _ANY})), re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_CENTURIES = 1900, 2000


class Written(NamedTuple):
    """A date as it stands: from `start` to `end`, and the days that it may mean.

    `certain`: it reads as a date whoever reads it. `moved` is the match whose parts can be written anew.
    """

    start: int
    end: int
    days: tuple[date, ...]
    certain: bool
    moved: re.Match[str] | None = None


def dates_in(text: str) -> Iterator[Written]:
    """Yield the dates, whole ones before parts of dates; they may overlap."""
    if not _DIGIT.search(text):
        return
    for pattern in (_YEAR_FIRST, _COMPACT):
        for match in pattern.finditer(text):
            days = _days(int(match["year"]), int(match["month"]), int(match["day"]))
            if days:
                yield Written(match.start(), match.end(), days, certain=True, moved=match)
    yield from _numbers(text)
    for match in _MONTH_YEAR.finditer(text):
        yield Written(match.start(), match.end(), (), certain=True)
    yield from _elsewhere(text)
    if _HAS_NAME.search(text):
        yield from _named(text)


def _numbers(text: str) -> Iterator[Written]:
    for match in _YEAR_LAST.finditer(text):
        first, second = int(match["first"]), int(match["second"])
        days = tuple(
            day
            for year in _years(match["year"])
            for day in {*_days(year, second, first), *_days(year, first, second)}
        )
        if not days:
            continue
        whole = len(match["year"]) > 2  # noqa: PLR2004 - a year without its century
        certain = whole or _is_short_date(match)
        # with points the day comes first everywhere; with others only the day's size tells
        moved = match if whole and "." in match["between"] and _days(2000, second, first) else None
        yield Written(match.start(), match.end(), days, certain=certain, moved=moved)
    for match in _DIGITS.finditer(text):
        a, b, rest = match[0][:2], match[0][2:4], match[0][4:]
        tries = [(year, b, a) for year in _years(rest)] + [(year, a, b) for year in _years(rest)]
        if len(rest) == 2:  # noqa: PLR2004 - six digits: the year may come first
            tries += [(year, b, rest) for year in _years(a)]
        days = tuple(day for year, month, of_month in tries for day in _days(year, int(month), int(of_month)))
        if days:
            yield Written(match.start(), match.end(), days, certain=False)


def _elsewhere(text: str) -> Iterator[Written]:
    """Yield days of weeks and of years, and dates whose months are Roman numerals."""
    for match in _ISO.finditer(text):
        days = _iso_days(match)
        if days is not None:
            yield Written(match.start(), match.end(), days, certain=match["ordinal"] is None)
    for pattern in _ROMAN:
        for match in pattern.finditer(text):
            days = _days(int(match["year"]), _ROMAN_NUMBERS[match["name"]], int(match["day"]))
            if days:
                yield Written(match.start(), match.end(), days, certain=True)


def _is_short_date(match: re.Match[str]) -> bool:
    """Tell a date without its century from a version or a list of numbers, such as echo times 10/20/30."""
    numbers = match["first"], match["second"], match["year"]
    if match["between"].strip() not in (".", "/"):
        return False
    padded = all(len(number) == len("01") for number in numbers)
    return padded if "." in match["between"] else any(int(number) % 5 for number in numbers)


def _named(text: str) -> Iterator[Written]:
    for pattern in _NAMED:
        for match in pattern.finditer(text):
            month = _NUMBERS[match["name"].lower()]
            days = tuple(
                day for year in _years(match["year"]) for day in _days(year, month, int(match["day"]))
            )
            if days:
                yield Written(match.start(), match.end(), days, certain=True)
    for pattern in _NAMED_PARTS:
        for match in pattern.finditer(text):
            yield Written(match.start(), match.end(), (), certain=True)


def shifted(written: Written, days: int) -> str | None:
    """Give the date so many days earlier, written alike; None when that can't be done without a doubt."""
    match = written.moved
    if match is None:
        return None
    names = match.groupdict()
    day_at, month_at = ("day", "month") if "month" in names else ("first", "second")
    original = date(int(match["year"]), int(match[month_at]), int(match[day_at]))
    moved = original - timedelta(days=days)
    text = match[0]
    parts = {
        "year": f"{moved.year:04d}",
        month_at: _like(moved.month, match[month_at]),
        day_at: _like(moved.day, match[day_at]),
    }
    for name in sorted(parts, key=match.start, reverse=True):
        begin, end = match.start(name) - match.start(), match.end(name) - match.start()
        text = text[:begin] + parts[name] + text[end:]
    return text


def _like(number: int, written: str) -> str:
    """Write a number with as many digits as another has, if it can be."""
    return f"{number:0{len(written)}d}" if written.startswith("0") or len(written) > 1 else str(number)


def _iso_days(match: re.Match[str]) -> tuple[date, ...] | None:
    """Give the day of a week or of a year, none of a whole week; None: there is no such day."""
    year = int(match["year"])
    try:
        if match["ordinal"]:
            found = date(year, 1, 1) + timedelta(days=int(match["ordinal"]) - 1)
            return (found,) if found.year == year else None
        found = date.fromisocalendar(year, int(match["week"]), int(match["weekday"] or 1))
    except ValueError:
        return None
    return (found,) if match["weekday"] else ()


def _years(written: str) -> tuple[int, ...]:
    number = int(written)
    return (number,) if len(written) > 2 else tuple(century + number for century in _CENTURIES)  # noqa: PLR2004


def _days(year: int, month: int, day: int) -> tuple[date, ...]:
    try:
        return (date(year, month, day),)
    except ValueError:
        return ()
