"""Dates and times moved by days (DICOM PS3.5, 6.2: DA, DT, TM). Pure.

A time of day stays, and so does the precision of a date that is given to the month or the year. The dates of
one patient move by one number, so that the days between them stay.
"""

from __future__ import annotations

import datetime as dt
import re

_DATE = re.compile(rb"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2}))?)?")
_DOTTED = re.compile(rb"([0-9]{4})\.([0-9]{2})\.([0-9]{2})")
"""Of ACR-NEMA, which PS3.5 asks to go on reading."""
_CLOCK = rb"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
_OFFSET = rb"(?:[+-](?:0[0-9]|1[0-4])[0-5][0-9])?"
_TIME = re.compile(_CLOCK)
_COLONS = re.compile(rb"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?")
_DATETIME = re.compile(rb"([0-9]{4,8})(" + _CLOCK + rb")?(" + _OFFSET + rb")")
_FULL_DATE = 8
_MOST = 65_536
"""Dates of one value."""
_YEARS = range(1800, 2200)
"""Of dates about people; other numbers are something else."""


def moved(vr: str, value: bytes, days: int) -> bytes | None:
    """Move each date of a value back.

    Parameters
    ----------
    vr
        DA, DT or TM.
    value
        One or several values, or ranges of them, padded or not.
    days
        How far back; 0 gives the value again, without padding.

    Returns
    -------
    bytes or None
        None when any of it is no date, which text can hide behind, or there are more than an object needs.
    """
    if value.count(b"\\") >= _MOST:
        return None
    parts = [_part(vr, part.strip(b" \0"), days) for part in value.split(b"\\")]
    whole = [part for part in parts if part is not None]
    return b"\\".join(whole) if len(whole) == len(parts) else None


def _part(vr: str, part: bytes, days: int) -> bytes | None:
    single = _single(vr, part, days)
    if single is not None:
        return single
    begin, dash, end = part.partition(b"-")
    ends = _single(vr, begin, days), _single(vr, end, days)
    if not dash or part == b"-" or None in ends:
        return None
    return dash.join(one or b"" for one in ends)


def _single(vr: str, text: bytes, days: int) -> bytes | None:
    if not text:
        return text
    match vr:
        case "TM":
            return text if _TIME.fullmatch(text) or _COLONS.fullmatch(text) else None
        case "DA":
            found = _DATE.fullmatch(text) or _DOTTED.fullmatch(text)
            return _moved(found, b"." if b"." in text else b"", days) if found else None
        case "DT":
            return _datetime(text, days)
        case _:
            return None


def _datetime(text: bytes, days: int) -> bytes | None:
    found = _DATETIME.fullmatch(text)
    if not found:
        return None
    date, clock, offset = found.groups()
    parts = _DATE.fullmatch(date)
    if parts is None or (clock and len(date) < _FULL_DATE):
        return None
    day = _moved(parts, b"", days)
    return None if day is None else day + (clock or b"") + offset


def _moved(found: re.Match[bytes], separator: bytes, days: int) -> bytes | None:
    given = [int(part) for part in found.groups() if part is not None]
    year, month, day = (*given, 1, 1)[:3]
    if year not in _YEARS:
        return None
    try:
        date = dt.date(year, month, day) - dt.timedelta(days=days)
    except ValueError:
        return None
    texts = f"{date.year:04d}", f"{date.month:02d}", f"{date.day:02d}"
    return separator.join(text.encode() for text in texts[: len(given)])
