from __future__ import annotations

from pathlib import Path

import pytest

from agents.anonymization.files.entries import Stamp
from agents.anonymization.files.index import Index
from agents.anonymization.files.known import Named, mark_of
from agents.anonymization.files.resuming import Now, check_same_run, remove_output, stands, what_stands
from agents.anonymization.files.tasks import Lines, Place
from agents.anonymization.policy.document import Policy
from streams.errors import Rejected

FACES = frozenset(["clean_recognizable_visual_features"])
WEISS = Named(b"", None, 0x00100010, b"Weiss")


@pytest.fixture
def place(tmp_path, key):
    def make(quarantine=None, options=frozenset()):
        policy = Policy(name="x", version=1, options=options)
        (tmp_path / "out").mkdir(exist_ok=True)
        return Place(tmp_path / "in", tmp_path / "out", quarantine, key, policy, each=False, compared=False)

    return make


@pytest.mark.parametrize(
    ("fields", "changed", "expected"),
    [
        ({}, {}, True),
        ({"result": "quarantined", "reason": "colour", "software": "now"}, {}, True),
        ({}, {"stamp": Stamp(11, 20)}, False),
        ({}, {"stamp": Stamp(10, 21)}, False),
        ({}, {"series": "1.5"}, False),
        ({}, {"patient": "q"}, False),
        ({"known": "other"}, {}, False),
        ({"tools": ("detector 1",), "software": "now"}, {}, True),
        ({"tools": ("detector 1",), "software": "before"}, {}, False),
        ({"tools": ("detector 1",)}, {}, False),
        ({"software": None}, {}, True),
        ({"result": "quarantined", "reason": "text-left", "software": "before"}, {}, False),
        ({"result": "quarantined", "reason": "conflict", "of": "b"}, {}, False),
        ({"result": "duplicate", "of": "b"}, {}, False),
        ({"result": "failed", "reason": "unreadable"}, {}, False),
        ({"result": "left-out", "reason": "not-dicom"}, {}, False),
    ],
)
def test_what_would_come_out_the_same_stands(line, found, fields, changed, expected):
    entry = line("a", **{"known": "mark", **fields})
    assert stands(entry, found("a")._replace(**changed), Now("mark", "now")) == expected


def test_lines_of_another_policy_or_key_are_refused(key, other_key, line):
    lines = Lines(key, Policy(name="x", version=1))
    good = line(policy=lines.policy, key=lines.key)
    assert list(check_same_run([good], lines, Path("m"))) == [good]
    for other, told in (
        (Lines(key, Policy(name="x", version=2)), "policy x/2"),
        (Lines(other_key, Policy(name="x", version=1)), "another key"),
    ):
        bad = line(policy=other.policy, key=other.key)
        with pytest.raises(Rejected, match=told):
            list(check_same_run([good, bad], lines, Path("m")))


@pytest.fixture
def earlier(tmp_path, key, found, line):
    """An index with objects, each with an earlier line and its output."""

    def make(index, names, without=()):
        mark = mark_of(key, [WEISS])
        for number, name in enumerate(names):
            one = found(name, instance=f"1.{number}")
            index.add_found(one, [WEISS])
            index.add_before(
                line(name, output=f"{one.folder}/{one.instance}.dcm", output_bytes=3, known=mark)
            )
            if name not in without:
                output = tmp_path / "out" / one.folder / f"{one.instance}.dcm"
                output.parent.mkdir(parents=True, exist_ok=True)
                output.write_text("abc")

    return make


def test_an_output_that_is_gone_or_cut_is_made_again(tmp_path, place, earlier, found):
    with Index(tmp_path / "scratch") as index:
        earlier(index, "abcd", without="c")
        cut = tmp_path / "out" / found("b").folder / "1.1.dcm"
        cut.write_text("ab")
        assert [one.found.path for one in what_stands(index, place())] == ["a", "d"]
        assert not cut.exists()


def test_an_output_of_other_tools_is_made_again(tmp_path, place, key, found, line):
    looking = place(options=frozenset(["clean_pixel_data"]))
    lines = Lines(key, looking.policy)
    with Index(tmp_path / "scratch") as index:
        for name, tools, software in (
            ("a", (), None),
            ("b", ("detector",), lines.software),
            ("c", ("detector",), "0" * 16),
        ):
            one = found(name, instance=f"1.{ord(name)}")
            output = tmp_path / "out" / one.folder / f"{one.instance}.dcm"
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text("abc")
            index.add_found(one, [])
            written = {"output": f"{one.folder}/{one.instance}.dcm", "output_bytes": 3}
            index.add_before(line(name, **written, known=mark_of(key, []), tools=tools, software=software))
        assert [one.found.path for one in what_stands(index, looking)] == ["a", "b"]
        assert not output.exists()


def test_a_line_names_the_tools_where_one_can_have_decided(key):
    looking = Lines(key, Policy(name="x", version=1, options=frozenset(["clean_pixel_data"])))
    stamp = Stamp(1, 2)
    assert looking.software
    assert looking.entry("a", stamp, "quarantined", reason="text-left").software == looking.software
    assert looking.entry("a", stamp, "anonymized", tools=("detector",)).software == looking.software
    assert looking.entry("a", stamp, "anonymized").software is None
    without = Lines(key, Policy(name="x", version=1))
    assert without.entry("a", stamp, "quarantined", reason="colour").software is None


def test_where_faces_go_a_series_stands_as_a_whole(tmp_path, place, earlier):
    with Index(tmp_path / "scratch") as index:
        earlier(index, "abc", without="c")
        assert list(what_stands(index, place(options=FACES))) == []
    with Index(tmp_path / "scratch") as index:
        earlier(index, "abc")
        assert [one.found.path for one in what_stands(index, place(options=FACES))] == ["a", "b", "c"]


def test_more_known_of_a_study_lets_none_of_it_stand(tmp_path, place, earlier, found):
    with Index(tmp_path / "scratch") as index:
        earlier(index, "ab")
        index.add_found(found("new", instance="1.9"), [WEISS._replace(value=b"Weiss-Schwarz")])
        assert list(what_stands(index, place())) == []
    assert list((tmp_path / "out").iterdir()) == []


def test_one_in_quarantine_whose_copy_is_missing_is_looked_at_again(tmp_path, place, key, found, line):
    kept = tmp_path / "kept"
    kept.mkdir()
    with Index(tmp_path / "scratch") as index:
        for name in "ab":
            index.add_found(found(name), [])
            index.add_before(line(name, "quarantined", reason="colour", known=mark_of(key, [])))
        assert len(list(what_stands(index, place()))) == 2
        (kept / "b").touch()
        assert [one.found.path for one in what_stands(index, place(kept))] == ["b"]


def test_a_removed_output_takes_its_empty_folders_with_it(tmp_path):
    for name in ("p/1/2/3.dcm", "p/1/4/5.dcm", "p/mine"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    remove_output(tmp_path, "p/1/2/3.dcm")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["5.dcm", "mine"]
    assert not (tmp_path / "p/1/2").exists()
    remove_output(tmp_path, "p/1/4/5.dcm")
    remove_output(tmp_path, "p/1/4/5.dcm")
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["mine"]
