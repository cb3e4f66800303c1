from __future__ import annotations

import json
from html.parser import HTMLParser

import msgspec
import pytest

from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.report import building
from agents.anonymization.report.comparing import Change
from agents.anonymization.report.page import page
from agents.anonymization.report.types import Count, Overview, Series
from agents.anonymization.report.written import as_json

CHANGES = {
    Change("PatientName", "pseudonym", "table E.1-1: Z, by a pseudonym"): 4,
    Change("StudyDescription", "removed", "table E.1-1: X"): 3,
    Change("AccessionNumber", "emptied", "table E.1-1: Z"): 4,
    Change("PixelData", "cleaned", "unlisted, of a kind that names nobody"): 2,
    Change("Private 0019", "removed", "private"): 1,
}
POLICY = Policy(
    name="x",
    version=3,
    description="For <study> & teaching",
    options=frozenset(["clean_pixel_data", "retain_longitudinal_modified_dates"]),
    attributes={"StudyDescription": Override(action="keep", why="<b>needed</b>")},
)


@pytest.fixture
def overview():
    return Overview(
        made="2026-11-26",
        policy=building.policy_part(POLICY),
        software={"CHIPS": "0.1.0"},
        files={"anonymized": 4, "quarantined": 1, "left-out": 1200},
        reasons=[Count(reason="colour", words="A colour image.", number=1)],
        patients=1,
        studies=1,
        series=1,
        compared=4,
        pixels_changed=building.pixels_changed(CHANGES),
        tools=building.tools([(("detector 1.0",), 2), ((), 2)]),
        attributes=building.attributes(CHANGES),
    )


@pytest.fixture
def series():
    return Series(
        patient="ab12",
        study="2.25.1",
        series="2.25.2",
        modality="CT",
        objects=5,
        anonymized=4,
        duplicates=0,
        quarantined=[Count(reason="colour", words="A colour image.", number=1)],
        failed=0,
        compared=4,
        pixels_changed=2,
        tools=[],
        attributes=building.attributes(CHANGES),
    )


class Reader(HTMLParser):
    """Checks that every tag is closed, and collects texts and what a page would fetch."""

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.fetched = [], [], []

    def handle_starttag(self, tag, attributes):
        self.fetched += [value for name, value in attributes if name in ("src", "href")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.texts.append(text)


def test_the_page_is_whole_and_fetches_nothing(overview, series):
    reader = Reader()
    reader.feed("".join(page(overview, [series, series])))
    reader.close()
    assert reader.open == []
    assert [one for one in reader.fetched if one] == []
    text = "".join(reader.texts)
    assert "For <study> & teaching" in text
    assert "<b>needed</b>" in text
    assert "url(" not in text
    assert "@import" not in text


def test_counts_are_told_once_each_by_action_and_reason(overview, series):
    text = "".join(page(overview, [series]))
    assert text.count("Study Description (3)") == 2
    assert "Patient&#x27;s Name (" not in text
    assert "Patient&#x27;s Name" in text
    assert "Private group 0019 (1)" in text
    assert "1,200" in text
    assert (
        text.index("Removed: 2 attributes. <small>")
        < text.index("Emptied: 1 attribute. <small>")
        < text.index("Replaced by a pseudonym")
    )
    assert "In 2 objects the pixels themselves were changed." in text
    assert "1 kept back: A colour image." in text


def test_json_says_the_same(overview, series):
    found = json.loads("".join(as_json(overview, [series, series])))
    each = found.pop("each_series")
    assert found == msgspec.to_builtins(overview)
    assert each == [msgspec.to_builtins(series)] * 2
    assert json.loads("".join(as_json(overview, [])))["each_series"] == []


def test_names_are_those_of_the_standard():
    assert building.name_of("PatientName") == "Patient's Name"
    assert building.name_of("Overlay 6000") == "Overlay group 6000"
    assert building.name_of("GroupLength") == "Group Length"


def test_software_is_named_with_its_versions():
    found = building.software()
    assert found.keys() >= {"CHIPS", "Python", "pydicom"}
    assert all(found.values())
