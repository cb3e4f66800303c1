"""What lasts through a power loss, on systems that differ in how to ask for it."""

from __future__ import annotations

import errno
import os

import pytest

from gateway.journal import Journal
from gateway.keys import Keyring
from streams import durable
from streams.blobs import Blobs
from streams.durable import lasting_folder, sync, sync_file


def all_of_it(folder):
    """Everything that promises to be durable."""
    Blobs(folder / "blobs").put("default", b"x", "text/plain")
    Keyring(folder / "vault").project_key("default")
    journal = Journal(folder / "journal")
    journal.append([b"a"])
    journal.append([b"b"])
    journal.close()


def test_nothing_needs_what_some_systems_lack(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "fdatasync", raising=False)
    all_of_it(tmp_path)


def test_where_fsync_stops_at_the_drives_cache_the_stronger_call_is_made(tmp_path, monkeypatch):
    """As on macOS."""
    asked = []
    real = durable.fcntl.fcntl
    monkeypatch.setattr(durable, "_FULL_SYNC", 51)
    monkeypatch.setattr(durable.fcntl, "fcntl", lambda fd, command: asked.append(command) or 0)

    def weak(_fd):
        raise AssertionError("fsync says too little here")

    monkeypatch.setattr(os, "fsync", weak)
    all_of_it(tmp_path)
    assert set(asked) == {51}
    assert len(asked) > 10
    assert real is not durable.fcntl.fcntl


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_a_file_system_without_the_stronger_call_gets_the_weaker(tmp_path, monkeypatch, number):
    def lacking(_fd, _command):
        raise OSError(number, os.strerror(number))

    synced, real = [], os.fsync
    monkeypatch.setattr(durable, "_FULL_SYNC", 51)
    monkeypatch.setattr(durable.fcntl, "fcntl", lacking)
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(fd), real(fd)))
    file = tmp_path / "file"
    file.write_bytes(b"x")
    sync_file(file)
    assert len(synced) == 1


@pytest.mark.parametrize("full", [None, 51])
def test_a_disk_that_fails_is_told_either_way(tmp_path, monkeypatch, full):
    def failing(*_):
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(durable, "_FULL_SYNC", full)
    monkeypatch.setattr(durable.fcntl if full else os, "fcntl" if full else "fsync", failing)
    with (tmp_path / "file").open("wb") as file, pytest.raises(OSError, match="input/output"):
        sync(file.fileno())


def test_a_folder_and_all_names_above_it_last(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(durable, "sync_folder", synced.append)
    wanted = tmp_path.resolve() / "a" / "b" / "c"
    lasting_folder(wanted, 0o700)
    assert wanted.stat().st_mode & 0o777 == 0o700
    assert synced[:3] == [wanted.parent, wanted.parent.parent, tmp_path.resolve()]
    device = wanted.stat().st_dev
    assert all(folder.stat().st_dev == device for folder in synced)


def test_a_folder_above_that_is_not_ours_to_read_ends_it(tmp_path, monkeypatch):
    synced = []

    def refused(folder):
        if folder == tmp_path.resolve():
            raise PermissionError(errno.EACCES, "permission denied")
        synced.append(folder)

    monkeypatch.setattr(durable, "sync_folder", refused)
    lasting_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path.resolve() / "a"]
