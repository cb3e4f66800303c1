from __future__ import annotations

import pytest

from agents.anonymization.files.entries import as_line
from agents.anonymization.files.manifest import Manifest
from streams.errors import Damaged, Misconfigured, Rejected


def test_only_its_owner_reads_it(tmp_path, line):
    path = tmp_path / "folder" / "m.jsonl"
    with Manifest(path) as manifest:
        manifest.add([line("a"), line("b", "quarantined", reason="x")])
        assert path.stat().st_mode & 0o777 == 0o600
        manifest.rewrite([line("a")])
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.rglob(".*")) == []


def test_one_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "m.jsonl"
    path.touch(0o644)
    with pytest.raises(Misconfigured, match="chmod 600"):
        Manifest(path)


def test_what_was_added_is_read_again(tmp_path, line):
    entries = [line("a"), line("b", "left-out", reason="not-dicom"), line("a", "failed", reason="unreadable")]
    with Manifest(tmp_path / "m.jsonl") as manifest:
        assert list(manifest.read()) == []
        manifest.add(entries[:2])
        manifest.add(entries[2:])
    with Manifest(tmp_path / "m.jsonl") as manifest:
        assert list(manifest.read()) == entries


def test_a_torn_last_line_is_cut_off_wherever_it_was_torn(tmp_path, line):
    whole, torn = as_line(line("a")), as_line(line("b"))
    path = tmp_path / "m.jsonl"
    for cut in range(1, len(torn)):
        path.write_bytes(whole + torn[:cut])
        path.chmod(0o600)
        with Manifest(path) as manifest:
            assert list(manifest.read()) == [line("a")]
            manifest.add([line("c")])
        assert path.read_bytes() == whole + as_line(line("c"))


@pytest.mark.parametrize(
    "content", [b"my thesis", b"my thesis\n", b"\n", b'{"input": "a"}\n', b"\0" * 100, b'{"inp\n{"input": "']
)
@pytest.mark.parametrize("after", [False, True])
def test_another_file_is_never_touched(tmp_path, line, content, after):
    path = tmp_path / "thesis.doc"
    before = as_line(line()) + content if after else content
    path.write_bytes(before)
    path.chmod(0o600)
    with Manifest(path) as manifest, pytest.raises(Damaged, match="no line of a manifest"):
        list(manifest.read())
    assert path.read_bytes() == before


def test_a_second_run_on_it_is_refused(tmp_path):
    with Manifest(tmp_path / "m.jsonl"), pytest.raises(Rejected, match="Another run"):
        Manifest(tmp_path / "m.jsonl")
    with Manifest(tmp_path / "m.jsonl"):
        pass


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "real").touch(0o600)
    (tmp_path / "m.jsonl").symlink_to(tmp_path / "real")
    with pytest.raises(Rejected, match="can't be written"):
        Manifest(tmp_path / "m.jsonl")
