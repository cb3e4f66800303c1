from __future__ import annotations

import pytest

from agents.anonymization.files.places import check_places
from streams.errors import Rejected


def check(source, out, manifest=None):
    check_places(source, out, private={"--manifest": manifest}, written={"--manifest": manifest})


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.dcm").write_text("x")
    return folder


@pytest.mark.parametrize("out", ["in", "in/out", "in/deep/out", ".", "file", "link/out"])
def test_out_is_no_part_of_in_nor_the_other_way_round(tmp_path, source, out):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(Rejected):
        check(source, tmp_path / out)


def test_an_out_beside_in_is_fine(tmp_path, source):
    for out in ("out", "missing/out", "in-too", "in.out"):
        check(source, tmp_path / out)
    check(source / "a.dcm", tmp_path / "out")
    check(source / "a.dcm", source / "out")


def test_a_missing_in_is_told(tmp_path):
    with pytest.raises(Rejected, match="There is no"):
        check(tmp_path / "none", tmp_path / "out")


@pytest.mark.parametrize(("place", "told"), [("out/m.jsonl", "given away"), ("in/m.jsonl", "stays as it is")])
@pytest.mark.parametrize("there", [False, True])
def test_what_identifies_lies_in_neither(tmp_path, source, place, told, there):
    if there:
        (tmp_path / "out").mkdir()
    with pytest.raises(Rejected, match=told) as raised:
        check(source, tmp_path / "out", tmp_path / place)
    assert "--manifest" in str(raised.value)


def test_by_another_name_it_is_the_same(tmp_path, source):
    (tmp_path / "out").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "out")
    with pytest.raises(Rejected, match="given away"):
        check(source, tmp_path / "out", tmp_path / "alias" / "m.jsonl")
