from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.anonymization.dates import moved

DAYS = 10
DATES = st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31))


@pytest.mark.parametrize(
    ("vr", "value", "after"),
    [
        ("DA", b"20240305", b"20240224"),
        ("DA", b"20240305 ", b"20240224"),
        ("DA", b"2024.03.05", b"2024.02.24"),
        ("DA", b"20240305\\20240101", b"20240224\\20231222"),
        ("DA", b"20240305\\\\20240101", b"20240224\\\\20231222"),
        ("DA", b"20240305-20240306", b"20240224-20240225"),
        ("DA", b"-20240306", b"-20240225"),
        ("DA", b"20240305-", b"20240224-"),
        ("DA", b"202403", b"202402"),
        ("DA", b"2024", b"2023"),
        ("DT", b"20240305101112.123456+0100", b"20240224101112.123456+0100"),
        ("DT", b"2024030510", b"2024022410"),
        ("DT", b"202403-0500", b"202402-0500"),
        ("DT", b"20240305101112-20240306", b"20240224101112-20240225"),
        ("TM", b"101112.5", b"101112.5"),
        ("TM", b"10:11:12", b"10:11:12"),
        ("TM", b"10-1130", b"10-1130"),
        ("TM", b"235960", b"235960"),
    ],
)
def test_dates_move_and_times_stay(vr, value, after):
    assert moved(vr, value, DAYS) == after


@pytest.mark.parametrize("vr", ["DA", "DT", "TM"])
@pytest.mark.parametrize(
    "value",
    [
        *(b"Mustermann", b"20240305 Mustermann", b"20240230", b"20241301", b"00000101", b"47110815", b"-"),
        *(b"20240305\\Erika", b"2024/03/05", b"251112", b"20240305-Erika", b"Erika-", b"\xb2\xb0240305"),
    ],
)
def test_what_is_no_date_or_time_gives_nothing(vr, value):
    assert moved(vr, value, DAYS) is None


def test_other_representations_have_no_dates():
    assert moved("LO", b"20240305", DAYS) is None


@given(DATES, DATES, st.integers(1, 3650))
def test_the_days_between_dates_stay(one, two, days):
    def shifted(date):
        text = moved("DA", f"{date:%Y%m%d}".encode(), days).decode()
        return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a date

    assert shifted(one) - shifted(two) == one - two
    assert shifted(one) == one - dt.timedelta(days=days)


def test_more_dates_than_an_object_needs_are_none():
    assert moved("DA", b"\\".join([b"20040131"] * 100), 1) == b"\\".join([b"20040130"] * 100)
    assert moved("DA", b"\\".join([b"20040131"] * 300_000), 1) is None
