from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.anonymization.files import walking
from agents.anonymization.files.walking import File, NoFile, Unreadable, walk


def test_every_name_is_found_and_none_is_opened(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "empty").mkdir()
    for name in ("one", ".hidden", "a/zero", "a/b/three"):
        (tmp_path / name).write_bytes(b"" if name.endswith("zero") else b"abc")
    os.mkfifo(tmp_path / "a" / "pipe")  # opening it would wait for ever
    found = {one.path: one for one in walk(tmp_path)}
    assert found.keys() == {"one", ".hidden", "a/zero", "a/b/three", "a/pipe"}
    stat = (tmp_path / "one").stat()
    assert found["one"] == File("one", (3, stat.st_mtime_ns))
    assert found["a/zero"].stamp.bytes == 0
    assert isinstance(found["a/pipe"], NoFile)
    assert found["a/pipe"].reason == "special-file"


def test_links_are_told_and_not_followed(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    source = tmp_path / "in"
    (source / "folder").mkdir(parents=True)
    (source / "file").write_text("x")
    for name, target in {
        "to-file": "file",
        "to-folder": "folder",
        "to-itself": ".",
        "out-file": outside / "secret",
        "out-folder": outside,
        "out-above": "..",
        "nowhere": "missing",
    }.items():
        (source / name).symlink_to(target)
    reasons = {one.path: getattr(one, "reason", None) for one in walk(source)}
    assert reasons == {
        "file": None,
        **dict.fromkeys(("to-file", "to-folder", "to-itself"), "link"),
        **dict.fromkeys(("out-file", "out-folder", "out-above", "nowhere"), "link-outside"),
    }


def test_a_folder_that_can_not_be_read_is_told(tmp_path, monkeypatch):
    (tmp_path / "shut").mkdir()
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "file").write_text("x")
    real = os.scandir

    def scandir(folder):
        if str(folder).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    found = sorted(walk(tmp_path), key=lambda one: one.path)
    assert [type(one) for one in found] == [File, Unreadable]
    assert "Permission denied" in found[1].message


def test_nesting_has_an_end_that_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(walking, "DEEPEST", 3)
    (tmp_path / "1" / "2" / "3" / "4").mkdir(parents=True)
    (tmp_path / "1" / "2" / "file").write_text("x")
    found = {one.path: type(one) for one in walk(tmp_path)}
    assert found == {"1/2/file": File, "1/2/3": Unreadable}


def test_one_file_is_a_walk_of_one(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"ab")
    assert [one.path for one in walk(tmp_path / "a.dcm")] == ["a.dcm"]


def test_no_folder_stays_open(tmp_path):
    for number in range(20):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "file").write_text("x")
    before = open_folders()
    walked = walk(tmp_path)
    next(walked)
    assert len(open_folders()) == len(before) + 2
    walked.close()
    list(walk(tmp_path))
    assert open_folders() == before


def open_folders():
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        try:
            target = fd.readlink()
        except FileNotFoundError:
            continue
        if target.is_dir() and not str(target).startswith("/proc"):
            found.append(target)
    return sorted(found)


@pytest.mark.parametrize("name", [b"\xff\xfe", "ü".encode()])
def test_names_of_any_bytes_are_found(tmp_path, name):
    with open(os.path.join(os.fsencode(tmp_path), name), "wb"):  # noqa: PTH118, PTH123 - no text
        pass
    assert [os.fsencode(one.path) for one in walk(tmp_path)] == [name]
