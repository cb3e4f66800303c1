"""The passes of a run on small folders, by a pool that works in this process."""

from __future__ import annotations

import errno
import os
import re
import threading

import msgspec
import pydicom
import pytest

from agents.anonymization.anonymize import anonymize as real_anonymize
from agents.anonymization.files import judging
from agents.anonymization.files.entries import from_line
from agents.anonymization.files.manifest import Manifest
from agents.anonymization.files.tallies import Tallies
from agents.anonymization.policy.document import Policy
from streams import copying
from streams.copying import Spliced, Unreadable
from streams.errors import Damaged, NoSpace, Rejected
from tests.unit.agents.anonymization.files.here import HerePool, outputs

POLICY = Policy(name="x", version=1)
FACES = Policy(name="x", version=1, options=frozenset(["clean_recognizable_visual_features"]))


def test_an_output_lies_under_its_pseudonyms(tmp_path, saved, anonymized):
    saved("in/Mustermann/Erika.dcm")
    summary, lines = anonymized()
    entry = lines["Mustermann/Erika.dcm"]
    assert summary.accounted_for
    assert entry.result == "anonymized"
    found = pydicom.dcmread(tmp_path / "out" / entry.output)
    names = found.PatientID, found.StudyInstanceUID, found.SeriesInstanceUID, f"{found.SOPInstanceUID}.dcm"
    assert entry.output == "/".join(names)
    assert list(outputs(tmp_path)) == [entry.output]
    assert entry.output_bytes == len(outputs(tmp_path)[entry.output])


def test_no_path_has_a_uid_of_the_original_even_if_objects_keep_theirs(tmp_path, saved, anonymized):
    saved()
    _, lines = anonymized(policy=Policy(name="x", version=1, options=frozenset(["retain_uids"])))
    output = lines["a.dcm"].output
    assert pydicom.dcmread(tmp_path / "out" / output).SOPInstanceUID == "1.2.3.4.1"
    assert re.fullmatch(r"[0-9a-f]{32}(/2\.25\.[0-9]{39}){3}\.dcm", output)


def test_every_kind_of_file_is_accounted_for(tmp_path, saved, anonymized):
    saved()
    saved("in/.hidden.dcm", SOPInstanceUID="1.2.3.4.9")
    for name, content in {"zero": b"", "readme.txt": b"hello", "short": b"\x08\0\x05\0CS\x0a\0"}.items():
        (tmp_path / "in" / name).write_bytes(content)
    (tmp_path / "in" / "link.dcm").symlink_to("a.dcm")
    (tmp_path / "in" / "out.dcm").symlink_to(tmp_path)
    content = (tmp_path / "in" / "a.dcm").read_bytes()
    (tmp_path / "in" / "cut.dcm").write_bytes(content[:400])
    summary, lines = anonymized()
    told = {name: (entry.result, entry.reason) for name, entry in lines.items()}
    assert told == {
        "a.dcm": ("anonymized", None),
        ".hidden.dcm": ("anonymized", None),
        "zero": ("left-out", "empty-file"),
        "readme.txt": ("left-out", "not-dicom"),
        "short": ("quarantined", "not-part10"),
        "link.dcm": ("left-out", "link"),
        "out.dcm": ("left-out", "link-outside"),
        "cut.dcm": ("quarantined", "truncated"),
    }
    assert summary.accounted_for


def test_the_same_object_twice_is_told_and_other_bytes_are_a_conflict(tmp_path, saved, anonymized):
    first = saved("in/b.dcm")
    content = first.read_bytes()
    (tmp_path / "in" / "c.dcm").write_bytes(b"\1" * 128 + content[128:])  # another preamble
    saved("in/d.dcm", PatientComments="other", StudyInstanceUID="1.2.9")
    saved("in/a.dcm", PixelData=bytes(7))  # the first by name, and none that comes out
    (tmp_path / "in" / "a.dcm").write_bytes((tmp_path / "in" / "a.dcm").read_bytes()[:-3])
    summary, lines = anonymized()
    assert {name: (entry.result, entry.of) for name, entry in lines.items()} == {
        "a.dcm": ("quarantined", None),
        "b.dcm": ("anonymized", None),
        "c.dcm": ("duplicate", "b.dcm"),
        "d.dcm": ("quarantined", "b.dcm"),
    }
    assert lines["d.dcm"].reason == "conflict"
    assert summary.accounted_for
    assert len(outputs(tmp_path)) == 1


def test_what_one_object_calls_people_is_looked_for_in_all_of_its_study(tmp_path, saved, anonymized):
    saved("in/b.dcm", PatientName="", PatientID="", Manufacturer="Mustermann")
    _, lines = anonymized()
    assert b"Mustermann" in outputs(tmp_path)[lines["b.dcm"].output]
    saved("in/z.dcm", SOPInstanceUID="1.2.3.4.9", SeriesInstanceUID="1.2.3.4.8")
    _, lines = anonymized()
    assert len(outputs(tmp_path)) == 2
    assert not [content for content in outputs(tmp_path).values() if b"Mustermann" in content]


@pytest.mark.parametrize("face", [False, True])
def test_a_file_that_is_changed_while_its_pixels_are_copied_is_told(
    tmp_path, saved, anonymized, monkeypatch, face
):
    file = saved()
    os.utime(file, ns=(1, 1))
    right = copying._write_all

    def anonymize(path, **options):
        result = real_anonymize(path, **options)
        assert isinstance(result.output, Spliced)
        return msgspec.structs.replace(result, face=face)

    def changing(target, data):
        right(target, data)
        file.write_bytes(file.read_bytes()[::-1])

    monkeypatch.setattr(judging, "anonymize", anonymize)
    monkeypatch.setattr(copying, "_write_all", changing)
    summary, lines = anonymized()
    assert (lines["a.dcm"].result, lines["a.dcm"].reason) == ("failed", "changed")
    assert not summary.accounted_for
    assert not outputs(tmp_path)


def test_pixels_that_can_not_be_read_are_no_fault_of_the_output(tmp_path, saved, anonymized, monkeypatch):
    saved()

    def fail(*_, **_options):
        raise Unreadable(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(judging, "write", fail)
    _, lines = anonymized()
    assert (lines["a.dcm"].result, lines["a.dcm"].reason) == ("failed", "unreadable")


def test_a_second_run_leaves_what_stands_alone(tmp_path, saved, anonymized, monkeypatch):
    saved("in/a.dcm")
    saved("in/b.dcm", SOPInstanceUID="1.2.3.4.9")
    saved("in/c.dcm", SOPInstanceUID="1.2.3.4.10", BurnedInAnnotation="YES")
    _, before = anonymized()
    manifest, files = (tmp_path / "m.jsonl").read_bytes(), outputs(tmp_path)
    (tmp_path / "out" / before["b.dcm"].output).unlink()
    judged = []

    def anonymize(path, **options):
        judged.append(path.name)
        return real_anonymize(path, **options)

    monkeypatch.setattr(judging, "anonymize", anonymize)
    summary, _ = anonymized()
    assert judged == ["b.dcm"]
    assert outputs(tmp_path) == files
    assert (tmp_path / "m.jsonl").read_bytes() == manifest
    assert summary.accounted_for


def test_an_input_that_changed_is_judged_anew_and_its_old_output_goes(tmp_path, saved, anonymized):
    saved("in/a.dcm")
    _, before = anonymized()
    saved("in/a.dcm", SOPInstanceUID="1.2.3.4.9")
    _, after = anonymized()
    assert before["a.dcm"].output != after["a.dcm"].output
    assert list(outputs(tmp_path)) == [after["a.dcm"].output]
    (tmp_path / "in" / "a.dcm").write_text("no object any more")
    _, lines = anonymized()
    assert lines["a.dcm"].result == "left-out"
    assert outputs(tmp_path) == {}


def test_an_input_that_is_gone_is_told_and_keeps_its_line(tmp_path, saved, anonymized):
    saved("in/a.dcm").rename(tmp_path / "aside")
    saved("in/b.dcm", SOPInstanceUID="1.2.3.4.9")
    (tmp_path / "aside").rename(tmp_path / "in" / "a.dcm")
    _, before = anonymized()
    (tmp_path / "in" / "a.dcm").unlink()
    summary, lines = anonymized()
    assert summary.gone == 1
    assert lines == before
    assert len(outputs(tmp_path)) == 2


def test_another_policy_or_key_needs_a_new_beginning(tmp_path, saved, anonymized, other_key):
    saved()
    anonymized()
    (old,) = outputs(tmp_path)
    for options in ({"policy": Policy(name="x", version=2)}, {"key": other_key}):
        with pytest.raises(Rejected, match="--restart"):
            anonymized(**options)
    _, lines = anonymized(key=other_key, restart=True)
    assert list(outputs(tmp_path)) == [lines["a.dcm"].output] != [old]


def test_a_new_beginning_touches_no_file_that_is_no_manifest(tmp_path, saved, anonymized):
    saved()
    (tmp_path / "m.jsonl").write_text("my thesis\n")
    (tmp_path / "m.jsonl").chmod(0o600)
    with pytest.raises(Damaged):
        anonymized(restart=True)
    assert (tmp_path / "m.jsonl").read_text() == "my thesis\n"


def test_a_file_in_the_way_is_not_overwritten_and_not_accounted_for(tmp_path, saved, anonymized):
    saved()
    _, lines = anonymized()
    output = tmp_path / "out" / lines["a.dcm"].output
    (tmp_path / "m.jsonl").unlink()
    output.write_text("mine")
    summary, lines = anonymized()
    assert (lines["a.dcm"].result, lines["a.dcm"].reason) == ("failed", "output-taken")
    assert not summary.accounted_for
    assert output.read_text() == "mine"


def test_an_output_without_a_line_counts_when_it_is_the_same(tmp_path, saved, anonymized):
    saved()
    _, before = anonymized()
    (tmp_path / "m.jsonl").unlink()
    summary, lines = anonymized()
    assert summary.accounted_for
    assert lines == before


def test_originals_are_copied_only_where_it_is_said(tmp_path, saved, anonymized):
    saved("in/deep/x.dcm", BurnedInAnnotation="YES")
    saved("in/a.dcm", SOPInstanceUID="1.2.3.4.9")
    (tmp_path / "in" / "readme").write_text("x")
    anonymized()
    assert len(outputs(tmp_path)) == 1
    kept = tmp_path / "kept"
    anonymized(quarantine=kept)
    copies = [path for path in kept.rglob("*") if path.is_file()]
    assert copies == [kept / "deep" / "x.dcm"]
    assert copies[0].read_bytes() == (tmp_path / "in" / "deep" / "x.dcm").read_bytes()
    assert copies[0].stat().st_mode & 0o777 == 0o600
    assert kept.stat().st_mode & 0o777 == 0o700


def test_a_file_that_changes_while_it_is_read_is_not_accounted_for(tmp_path, saved, anonymized, monkeypatch):
    path = saved()

    def anonymize(source, **options):
        result = real_anonymize(source, **options)
        path.write_bytes(path.read_bytes() + b"\0")
        return result

    monkeypatch.setattr(judging, "anonymize", anonymize)
    summary, lines = anonymized()
    assert (lines["a.dcm"].result, lines["a.dcm"].reason) == ("failed", "changed")
    assert not summary.accounted_for
    assert outputs(tmp_path) == {}


@pytest.mark.parametrize("lost", ["Examine", "Judge"])
def test_a_file_without_an_answer_is_not_accounted_for_until_there_is_one(
    saved, anonymized, monkeypatch, lost
):
    saved()
    with monkeypatch.context() as patched:
        patched.setattr(HerePool, "lose", (lost,))
        summary, lines = anonymized()
    assert (lines["a.dcm"].result, lines["a.dcm"].reason) == ("failed", "no-answer")
    assert not summary.accounted_for
    summary, lines = anonymized()
    assert lines["a.dcm"].result == "anonymized"
    assert summary.accounted_for


def test_a_stop_ends_it_after_what_is_under_way(tmp_path, saved, anonymized):
    for number in range(5):
        saved(f"in/{number}.dcm", SOPInstanceUID=f"1.2.3.4.{number}")
    stop = threading.Event()

    def show(now):
        if now.results.get("anonymized") == 2:
            stop.set()

    summary, lines = anonymized(stop=stop, on_progress=show)
    assert not summary.complete
    assert not summary.accounted_for
    assert len(lines) == len(outputs(tmp_path)) == 2
    summary, lines = anonymized()
    assert summary.accounted_for
    assert len(lines) == len(outputs(tmp_path)) == 5


def test_a_full_disk_ends_it_and_leaves_what_is_whole(tmp_path, saved, anonymized, monkeypatch):
    for number in range(3):
        saved(f"in/{number}.dcm", SOPInstanceUID=f"1.2.3.4.{number}")
    real = judging.Outputs.stage

    def stage(self, fill):
        if len(outputs(tmp_path)) > 2:  # two and the lock
            raise NoSpace("full")
        return real(self, fill)

    with monkeypatch.context() as patched:
        patched.setattr(judging.Outputs, "stage", stage)
        with pytest.raises(NoSpace):
            anonymized()
    assert len(outputs(tmp_path)) == 2
    summary, lines = anonymized()
    assert summary.accounted_for
    assert len(outputs(tmp_path)) == len(lines) == 3


def test_no_output_is_seen_without_its_line(tmp_path, saved, anonymized, monkeypatch):
    for number in range(3):
        saved(f"in/{number}.dcm", SOPInstanceUID=f"1.2.3.4.{number}")
    real = Manifest.add

    def add(self, entries):
        if len(outputs(tmp_path)) > 2:  # one, the next that waits, and the lock
            raise NoSpace("full")
        real(self, entries)

    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "add", add)
        with pytest.raises(NoSpace):
            anonymized()
    told = {from_line(line).output for line in (tmp_path / "m.jsonl").read_bytes().splitlines()}
    assert outputs(tmp_path).keys() == told
    assert len(told) == 1


def test_originals_that_are_encrypted_anew_each_time_do_not_stop_a_second_run(
    tmp_path, saved, anonymized, certificate
):
    policy = Policy(name="x", version=1, encrypt_for=[certificate])
    saved()
    _, before = anonymized(policy=policy)
    content = outputs(tmp_path)
    summary, lines = anonymized(policy=policy)
    assert lines == before
    (tmp_path / "out" / lines["a.dcm"].output).unlink()
    summary, lines = anonymized(policy=policy)
    assert summary.accounted_for
    assert outputs(tmp_path).keys() == content.keys()
    assert outputs(tmp_path) != content


def test_changes_are_told_of_objects_of_this_run_and_of_earlier_ones(tmp_path, saved, anonymized):
    saved("in/a.dcm")
    told = []
    anonymized()
    saved("in/b.dcm", SOPInstanceUID="1.2.3.4.9")
    anonymized(compared=True, at_end=lambda index: told.append(Tallies(index).changes()))
    ((changes, compared),) = told
    assert compared == 2
    assert {change.done for change in changes if change.attribute == "PatientName"} == {"pseudonym"}
    assert max(changes.values()) == 2


def test_the_input_stays_as_it_is(tmp_path, saved, anonymized):
    saved("in/a.dcm")
    saved("in/b.dcm", SOPInstanceUID="1.2.3.4.9", BurnedInAnnotation="YES")

    def state():
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (tmp_path / "in").iterdir()}

    before = state()
    anonymized(quarantine=tmp_path / "kept", compared=True)
    assert state() == before
