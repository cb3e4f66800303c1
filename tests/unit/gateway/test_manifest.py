from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.manifest import Answer, Manifest, is_acknowledged
from gateway.outgoing import Outgoing
from streams.errors import Rejected

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def out(number: int = 1, *, mtime_ns: int = 5) -> Outgoing:
    return Outgoing(Path(f"/x/{number}"), 10, mtime_ns, 100, "1.2", "1.2.3", "1.2.840.10008.1.2")


def answer(file: Outgoing, status: int = 0) -> Answer:
    return Answer(file.mark, file.sop_instance_uid, "ab" * 32, status, "", NOON)


def test_what_was_acknowledged_is_known_after_a_restart(tmp_path):
    with Manifest(tmp_path / "m.jsonl") as manifest:
        manifest.add(answer(out(1)))
        manifest.add(answer(out(2), 0xB007))
        manifest.add(answer(out(3), 0xC000))
        assert manifest.has(out(1).mark)
    with Manifest(tmp_path / "m.jsonl") as manifest:
        assert [manifest.has(out(number).mark) for number in (1, 2, 3, 4)] == [True, True, False, False]
        assert not manifest.has(out(1, mtime_ns=6).mark), "the file has changed since"
    (first, *_) = (tmp_path / "m.jsonl").read_text().splitlines()
    line = json.loads(first)
    assert (line["status"], line["sop_instance_uid"], line["sha256"]) == ("0000", "1.2.3", "ab" * 32)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(cut=st.integers(0, 2000))
def test_a_torn_end_counts_as_not_written_and_spoils_nothing(tmp_path, cut):
    path = tmp_path / "m.jsonl"
    path.unlink(missing_ok=True)
    with Manifest(path) as manifest:
        for number in range(5):
            manifest.add(answer(out(number)))
    raw = path.read_bytes()
    path.write_bytes(raw[:cut])
    whole = sum(raw.find(b"\n", at) < cut for at in line_starts(raw))
    almost = raw[:cut].endswith(b"}")  # all but its end of line
    with Manifest(path) as manifest:
        assert sum(manifest.has(out(number).mark) for number in range(5)) == whole + almost
        manifest.add(answer(out(7)))
    with Manifest(path) as manifest:
        assert manifest.has(out(7).mark)


def line_starts(raw: bytes) -> list[int]:
    return [0, *(at + 1 for at in range(len(raw) - 1) if raw[at] == 0x0A)]


def test_a_folder_that_cant_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Rejected, match="manifest"):
        Manifest(tmp_path / "file" / "m.jsonl")


def test_names_that_are_no_text_are_kept(tmp_path):
    odd = out()._replace(path=Path("/x/\udcff"))
    with Manifest(tmp_path / "m.jsonl") as manifest:
        manifest.add(answer(odd))
    with Manifest(tmp_path / "m.jsonl") as manifest:
        assert manifest.has(odd.mark)


@pytest.mark.parametrize(("status", "is_it"), [(0, True), (0xB000, True), (0xA700, False), (0xFF00, False)])
def test_only_success_and_warnings_are_acknowledgements(status, is_it):
    assert is_acknowledged(status) == is_it
