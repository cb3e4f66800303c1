"""Dates that are moved move alike for all of a patient and are said to; safe private attributes stay."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.identity import ProjectKey
from tests.canaries.checks import DATES, KEY, anonymized
from tests.canaries.classes import IMAGES
from tests.canaries.finding import decoded
from tests.canaries.person import make_person
from tests.canaries.table_objects import full_file
from tests.canaries.traps import setting
from tests.canaries.words import Words
from tests.canaries.writing import written

OTHER = ProjectKey(project="default", secret=bytes(range(100, 132)))


def dates_of(content: bytes) -> dict[str, date]:
    """Give every date and the date of every date and time, by path."""
    return {
        f"{number} {element.tag}": datetime.strptime(str(element.value)[:8], "%Y%m%d")
        .replace(tzinfo=UTC)
        .date()
        for number, element in enumerate(decoded(content).iterall())
        if element.VR in ("DA", "DT") and str(element.value)[:8].isdigit()
    }


def test_dates_of_a_patient_move_alike():
    shifts = set()
    for seed in (1, 2):
        words = Words(60)
        person = make_person(words)._replace(seen=Words(seed).day())
        data = IMAGES["pet"](words, person)
        data.ImageComments = f"seen on {person.seen:%d.%m.%Y}"
        source = written(data)
        before, after = dates_of(source), dates_of(anonymized(source, DATES, "clean_descriptors").content)
        assert before.keys() >= after.keys()
        assert len(after) >= 3
        moved = {(before[path] - after[path]).days for path in after}
        assert len(moved) == 1
        shifts |= moved
        out = decoded(anonymized(source, DATES, "clean_descriptors").content)
        assert out.StudyTime == data.StudyTime
        assert out.LongitudinalTemporalInformationModified == "MODIFIED"
    assert len(shifts) == 1
    assert 1 <= shifts.pop() <= 365


def test_patients_and_projects_move_by_days_of_their_own():
    moved = []
    for seed, key in ((1, KEY), (2, KEY), (3, KEY), (1, OTHER)):
        words = Words(seed)
        source = written(IMAGES["pet"](words, make_person(words)))
        after = dates_of(anonymized(source, DATES, key=key).content)
        moved.append(next((dates_of(source)[path] - day).days for path, day in after.items()))
    assert len(set(moved)) > 2


def test_full_dates_are_declared_to_be_unmodified():
    out = decoded(anonymized(full_file("unlisted")[0], "retain_longitudinal_full_dates").content)
    assert out.LongitudinalTemporalInformationModified == "UNMODIFIED"


SAFE = {
    ("SIEMENS MR HEADER", 0x0019000C): ("IS", "800"),
    ("GEMS_ACQU_01", 0x00190023): ("DS", "0.5"),
    ("Philips Imaging DD 001", 0x20010003): ("FL", 800.0),
}
"""Some of Table E.3.10-1."""


@pytest.mark.parametrize("block", [0x10, 0x5A])
@pytest.mark.parametrize(("creator", "tag"), SAFE)
def test_safe_private_attributes_stay_and_no_others(creator, tag, block):
    made = setting()
    said = {name: made.words.word() for name in ("other", "creator", "beside", "under another")}
    vr, value = SAFE[creator, tag]
    group = tag & 0xFFFF0000
    made.data.add_new(group | block, "LO", creator)
    made.data.add_new(tag | block << 8, vr, value)
    made.data.add_new(group | block << 8 | 0xF7, "LO", said["beside"])
    made.data.add_new(group | (block + 1), "LO", said["creator"])
    made.data.add_new(tag | (block + 1) << 8, "LO", said["under another"])
    made.data.add_new(group | (block + 2), "LO", creator)
    made.data.add_new(tag | (block + 2) << 8, "LO", said["other"])
    trap = made.trap(**said)
    result = anonymized(trap.content, "retain_safe_private")
    assert trap.left(result.content) == []
    out = decoded(result.content)
    private = [element for element in out if element.tag.is_private]
    assert [one.value for one in private if one.tag.is_private_creator] == [creator]
    assert [one.value for one in private if not one.tag.is_private_creator] == [value]
