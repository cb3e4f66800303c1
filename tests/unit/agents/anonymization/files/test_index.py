from __future__ import annotations

import os

import pytest

from agents.anonymization.files.index import Index
from agents.anonymization.files.known import Named
from agents.anonymization.files.tallies import Tallies
from agents.anonymization.files.tasks import Staged
from agents.anonymization.report.comparing import Change


@pytest.fixture
def index(tmp_path):
    with Index(tmp_path / "scratch") as index:
        yield index


def due(index):
    return [(one.found.path, one.winner) for one in index.due()]


def test_it_is_private_and_leaves_nothing(tmp_path):
    (tmp_path / "scratch").write_text("of a killed run")
    with Index(tmp_path / "scratch") as index:
        assert (tmp_path / "scratch").stat().st_mode & 0o777 == 0o600
        assert due(index) == []
    assert list(tmp_path.iterdir()) == []


def test_objects_come_by_study_series_and_name(index, found):
    for path, instance, series, study in (
        ("z", "1.1", "1.3", "1.2"),
        ("a", "1.2", "1.4", "1.2"),
        ("m", "1.3", "1.3", "1.1"),
        ("b", "1.4", "1.3", "1.2"),
    ):
        index.add_found(found(path, instance, series, study), [])
    assert due(index) == [("m", None), ("b", None), ("z", None), ("a", None)]


def test_of_one_instance_the_next_waits_for_what_comes_of_the_first(index, found, line):
    for path in ("b", "a", "c"):
        index.add_found(found(path), [])
    index.add_found(found("other", "1.5"), [])
    assert due(index) == [("a", None), ("other", None)]
    index.settle(line("a", "quarantined", reason="truncated"), "1.4")
    index.settle(line("other"), "1.5")
    assert due(index) == [("b", None)]
    index.settle(line("b"), "1.4")
    assert due(index) == [("c", "b")]
    index.settle(line("c", "duplicate", of="b"), "1.4")
    assert due(index) == []


def test_results_may_be_added_while_it_is_asked_what_is_due(index, found, line):
    for number in range(50):
        index.add_found(found(f"{number:02}", f"1.{number // 2}"), [])
    seen = []
    for one in index.due():
        seen.append(one.found.path)
        index.settle(line(one.found.path), one.found.instance)
    assert sorted(set(seen)) == sorted(seen)
    while rest := list(index.due()):
        for one in rest:
            assert one.winner is not None
            seen.append(one.found.path)
            index.settle(line(one.found.path, "duplicate"), one.found.instance)
    assert sorted(seen) == [f"{number:02}" for number in range(50)]


def test_what_waits_for_its_series_is_not_due_and_comes_with_it(index, found, line):
    for path, instance, series in (("a", "1.1", "1.3"), ("b", "1.2", "1.3"), ("c", "1.3", "1.4")):
        index.add_found(found(path, instance, series), [])
        index.stage(Staged(found(path, instance, series), f"partial-{path}", ("t",)))
    assert due(index) == []
    assert [[one.partial for one in series] for series in index.staged()] == [
        ["partial-a", "partial-b"],
        ["partial-c"],
    ]
    index.settle(line("a"), "1.1")
    assert [[one.found.path for one in series] for series in index.staged()] == [["b"], ["c"]]


def test_what_is_known_of_a_study_is_that_of_all_its_objects(index, found):
    name, number = (
        Named(b"", None, 0x00100010, b"Weiss^Dora"),
        Named(b"ISO_IR 100", 0x00400275, 0x00080050, b"A\xff"),
    )
    other = Named(b"", None, 0x00100010, b"Other")
    index.add_found(found("a", "1.1"), [name, number])
    index.add_found(found("b", "1.2"), [name])
    index.add_found(found("c", "1.3"), [name._replace(value=b"Weiss^D")])
    index.add_found(found("d", "1.4", study="1.9"), [other])
    assert set(index.known("1.2")) == {name, number, name._replace(value=b"Weiss^D")}
    assert len(index.known("1.2")) == 3
    assert index.known("1.9") == [other]


def test_lines_come_by_name_and_those_of_inputs_that_are_gone_stay(index, found, line):
    name = os.fsdecode(b"\xff")
    index.add_before(line("gone"))
    index.add_before(line("b", "failed", reason="unreadable"))
    index.add_before(line("folder", "failed", reason="unreadable"))  # it can be read now, and is no file
    for path in ("b", name, "a"):
        index.settle(line(path), None)
    assert [(one.input, one.result) for one in index.entries()] == [
        ("a", "anonymized"),
        ("b", "anonymized"),
        ("gone", "anonymized"),
        (name, "anonymized"),
    ]
    assert index.missing() == 1
    assert index.before("b") == line("b", "failed", reason="unreadable")
    assert index.before("a") is None


def test_counts_are_by_series_and_of_all(index, found, line):
    one = [Change("PatientName", "pseudonym", "x"), Change("StudyDate", "emptied", "y")]
    for number, series in enumerate(("1.3", "1.3", "1.4")):
        object_ = found(str(number), f"1.{number}", series)
        index.add_found(object_, [])
        index.settle(line(str(number), tools=("detector 1",) if number else ()), object_.instance)
        index.add_changes(object_, one if number else one[:1])
    index.add_found(found("q", "1.9", "1.4"), [])
    index.settle(line("q", "quarantined", reason="colour", message="Why."))
    index.settle(line("readme", "left-out", reason="not-dicom", message="No."))
    tallies = Tallies(index)
    assert tallies.distinct() == (1, 1, 2)
    first, second = tallies.series()
    assert tallies.changes(first) == ({one[0]: 2, one[1]: 1}, 2)
    assert tallies.changes(second) == ({one[0]: 1, one[1]: 1}, 1)
    assert tallies.changes() == ({one[0]: 3, one[1]: 2}, 3)
    assert sorted(tallies.tools()) == [((), 1), (("detector 1",), 2)]
    assert [(told.result, told.reason, told.files) for told in tallies.results(second)] == [
        ("anonymized", None, 1),
        ("quarantined", "colour", 1),
    ]
    assert [(told.result, told.files) for told in tallies.results()] == [
        ("anonymized", 3),
        ("left-out", 1),
        ("quarantined", 1),
    ]
    assert list(index.uncompared()) == []
