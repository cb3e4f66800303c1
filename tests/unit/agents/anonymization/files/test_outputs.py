from __future__ import annotations

import errno
import hashlib
import os

import pytest

from agents.anonymization.files.outputs import PARTIAL, Claim, Outputs, Taken, sync_all
from streams.errors import NoSpace, Rejected, Unavailable

A = hashlib.sha256(b"abc").hexdigest()
PATH = "p/1.2/1.3/1.4.dcm"


def writing(content):
    return lambda stream: stream.write(content)


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def out(tmp_path):
    with Claim(tmp_path / "out"):
        yield tmp_path / "out"


def test_a_file_is_not_there_before_it_is_whole_and_published(out):
    def fill(stream):
        stream.write(b"ab")
        stream.flush()
        assert not (out / "p").exists()
        stream.write(b"c")

    outputs = Outputs(out)
    name, _ = outputs.stage(fill)
    assert not (out / "p").exists()
    assert outputs.partial(name).read_bytes() == b"abc"
    outputs.publish(name, PATH)
    assert (out / PATH).read_bytes() == b"abc"
    assert names(out) == [f"{PARTIAL}/lock", PATH]


def test_a_failure_leaves_nothing(out):
    def fill(stream):
        stream.write(b"ab")
        raise LookupError

    with pytest.raises(LookupError):
        Outputs(out).stage(fill)
    assert names(out) == [f"{PARTIAL}/lock"]


def test_the_same_content_is_known_and_other_content_is_told(out):
    outputs = Outputs(out)
    assert not outputs.has(PATH, A)
    outputs.publish(outputs.stage(writing(b"abc"))[0], PATH)
    assert outputs.has(PATH, A)
    with pytest.raises(Taken):
        outputs.has(PATH, hashlib.sha256(b"xyz").hexdigest())


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, NoSpace), (errno.EROFS, Unavailable)])
def test_a_folder_that_takes_nothing_is_told(out, number, error):
    def fill(_):
        raise OSError(number, os.strerror(number))

    with pytest.raises(error) as raised:
        Outputs(out).stage(fill)
    assert type(raised.value) is error
    assert names(out) == [f"{PARTIAL}/lock"]
    (out / "p").touch()
    with pytest.raises(Unavailable):
        Outputs(out).publish(Outputs(out).stage(writing(b"abc"))[0], PATH)


def test_what_a_killed_run_left_is_swept_and_the_rest_stays(tmp_path):
    out = tmp_path / "out"
    (out / PARTIAL).mkdir(parents=True)
    (out / PARTIAL / "123-0").write_text("half")
    (out / "mine.txt").write_text("kept")
    with Claim(out):
        assert names(out) == [f"{PARTIAL}/lock", "mine.txt"]
    assert names(out) == ["mine.txt"]


def test_two_runs_do_not_write_to_one_folder(out):
    with pytest.raises(Rejected, match="Another run"):
        Claim(out)


def test_private_folders_and_files_are_their_owners(tmp_path):
    with Claim(tmp_path / "kept", private=True):
        outputs = Outputs(tmp_path / "kept", mode=0o600)
        outputs.publish(outputs.stage(writing(b"abc"))[0], "a/b.dcm")
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "kept" / "a" / "b.dcm").stat().st_mode & 0o777 == 0o600


def synced(monkeypatch):
    """Note what is synced, in order."""
    found = []
    real = os.fsync

    def fsync(fd):
        found.append(os.readlink(f"/proc/self/fd/{fd}"))  # noqa: PTH115 - a descriptor
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


def test_each_file_lasts_before_it_has_its_name(out, monkeypatch):
    order = synced(monkeypatch)
    outputs = Outputs(out, each=True)
    outputs.publish(outputs.stage(writing(b"abc"))[0], PATH)
    assert f"/{PARTIAL}/" in order[0]
    for folder in (out, out / "p", out / "p/1.2", out / "p/1.2/1.3"):
        assert str(folder) in order[1:]


def test_at_the_end_all_files_and_folders_last(out, monkeypatch):
    outputs = Outputs(out)
    outputs.publish(outputs.stage(writing(b"abc"))[0], PATH)
    order = synced(monkeypatch)
    sync_all(out, [PATH])
    assert {str(out / PATH), str(out), str(out / "p"), str(out / "p/1.2"), str(out / "p/1.2/1.3")} <= set(
        order
    )
    with pytest.raises(Unavailable):
        sync_all(out, ["p/1.2/1.3/1.5.dcm"])
