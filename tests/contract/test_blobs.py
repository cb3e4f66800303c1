"""Blobs: durable before they have a name, the same whoever writes them, never partly visible."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from schemas.identity import BlobRef
from streams.blobs import Blobs, Missing
from streams.errors import NoSpace, Poison, Unavailable

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=[False, True], ids=["outer", "vault"])
def blobs(request, tmp_path):
    before = os.umask(0o077 if not request.param else 0)  # modes must not depend on it
    yield Blobs(tmp_path / "blobs", private=request.param)
    os.umask(before)


def files(blobs) -> list[Path]:
    return sorted(found for found in blobs.root.rglob("*") if found.is_file())


def test_bytes_files_and_chunks_are_one_blob(blobs, tmp_path):
    data = os.urandom(3 << 20)
    file = tmp_path / "given"
    file.write_bytes(data)
    given = [data, file, (data[at : at + 100_000] for at in range(0, len(data), 100_000))]
    refs = {blobs.put("default", one, "application/dicom") for one in given}
    digest = hashlib.sha256(data).hexdigest()
    assert refs == {BlobRef(sha256=digest, size=len(data), media_type="application/dicom")}
    (ref,) = refs
    assert files(blobs) == [blobs.root / "default" / digest[:2] / digest]
    assert blobs.path("default", ref) == blobs.path("default", digest) == files(blobs)[0]
    with blobs.open("default", ref) as stored:
        assert stored.read() == data
    assert blobs.exists("default", ref)
    assert file.read_bytes() == data


def test_an_empty_blob_is_a_blob(blobs):
    ref = blobs.put("default", b"", "text/plain")
    assert ref.size == 0
    assert blobs.path("default", ref).read_bytes() == b""


def test_modes_are_ours_whatever_the_umask(blobs):
    ref = blobs.put("default", b"x", "text/plain")
    private = blobs.root.stat().st_mode & 0o777 == 0o700
    file = blobs.path("default", ref)
    assert stat.S_IMODE(file.stat().st_mode) == (0o600 if private else 0o640)
    folders = [blobs.root, blobs.root / "tmp", file.parent, file.parent.parent]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700 if private else 0o2770}


def test_the_vault_is_private(tmp_path):
    Blobs(tmp_path / "vault", private=True).put("default", b"x", "text/plain")
    assert stat.S_IMODE((tmp_path / "vault").stat().st_mode) == 0o700


def test_projects_do_not_see_each_other(blobs):
    ref = blobs.put("one", b"x", "text/plain")
    assert not blobs.exists("two", ref)
    with pytest.raises(Missing):
        blobs.path("two", ref)


def test_a_missing_blob_is_poison_and_a_missing_folder_is_not(blobs):
    with pytest.raises(Unavailable, match="mount"):
        blobs.path("default", "0" * 64)
    blobs.put("default", b"x", "text/plain")
    with pytest.raises(Missing, match="restore"):
        blobs.open("default", "0" * 64)
    assert issubclass(Missing, Poison)
    assert not blobs.exists("default", "0" * 64)


@pytest.mark.parametrize("project", ["..", "a/b", "", "tmp", "Upper", "a\n", "-a"])
def test_a_project_is_no_path(blobs, project):
    with pytest.raises(ValueError, match="project"):
        blobs.put(project, b"x", "text/plain")
    with pytest.raises(ValueError, match="project"):
        blobs.path(project, "0" * 64)


@pytest.mark.parametrize("digest", ["../" * 21 + "a", "0" * 63, "0" * 64 + "\n", "A" * 64])
def test_a_digest_is_no_path(blobs, digest):
    with pytest.raises(ValueError, match="sha256"):
        blobs.path("default", digest)


def test_what_breaks_off_leaves_nothing(blobs):
    def breaking():
        yield b"x" * 1000
        raise RuntimeError("the sender went away")

    with pytest.raises(RuntimeError, match="went away"):
        blobs.put("default", breaking(), "text/plain")
    assert files(blobs) == []


def test_nothing_partial_is_visible_while_it_is_written(blobs):
    data = b"x" * 5000
    digest = hashlib.sha256(data).hexdigest()
    seen = []

    def watched():
        for at in range(0, len(data), 1000):
            seen.append(blobs.exists("default", digest))
            yield data[at : at + 1000]

    blobs.put("default", watched(), "text/plain")
    assert seen == [False] * 5
    assert blobs.exists("default", digest)


def test_the_bytes_are_synced_before_the_name_and_the_folder_after(blobs, monkeypatch):
    done = []
    fsync, replace = os.fsync, Path.replace

    def synced(handle):
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def named(self, target):
        done.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", named)
    blobs.put("default", b"x", "text/plain")
    assert done.index("file") < done.index("name") < len(done) - 1
    assert done[-1] == "folder"
    assert done[: done.index("name")].count("folder") >= 4, "each new folder's own name must last, too"


def test_folders_of_a_writer_that_died_before_syncing_are_synced(blobs, monkeypatch):
    """It died after mkdir: the folders are there, and a power loss could still take them."""
    ref = blobs.put("default", b"x", "text/plain")
    names, fsync = [], os.fsync

    def synced(handle):
        names.append(os.path.realpath(f"/proc/self/fd/{handle}"))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", synced)
    later = Blobs(blobs.root, private=blobs.root.stat().st_mode & 0o070 == 0)
    later.put("default", b"x", "text/plain")
    final = later.path("default", ref).resolve()
    expected = [final.parents[3], final.parents[2], final.parents[1]]
    assert {str(folder) for folder in expected} <= set(names)
    names.clear()
    later.put("default", b"x", "text/plain")
    assert len(names) == 2, "the file, and the folder of its name"


@pytest.mark.parametrize(
    ("number", "family"), [(errno.ENOSPC, NoSpace), (errno.EDQUOT, NoSpace), (errno.EIO, Unavailable)]
)
def test_a_disk_that_fails_is_told_and_nothing_remains(blobs, monkeypatch, number, family):
    blobs.put("default", b"before", "text/plain")

    def full(_):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(family):
            blobs.put("default", b"x" * 100, "text/plain")
    assert len(files(blobs)) == 1
    blobs.put("default", b"x" * 100, "text/plain")
    assert len(files(blobs)) == 2


def test_many_writers_of_the_same_and_of_other_blobs(blobs):
    def write(number: int) -> str:
        return blobs.put("default", b"%d" % (number % 20) * 1000, "text/plain").sha256

    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(write, range(200)))
    assert len(set(digests)) == 20
    assert len(files(blobs)) == 20
    for file in files(blobs):
        assert hashlib.sha256(file.read_bytes()).hexdigest() == file.name


def test_old_temporary_files_are_swept_and_young_ones_and_blobs_stay(blobs):
    ref = blobs.put("default", b"x", "text/plain")
    assert Blobs(blobs.root / "none").sweep_tmp() == 0
    old, young = blobs.root / "tmp" / "1-old", blobs.root / "tmp" / "1-young"
    for file in (old, young):
        file.write_bytes(b"half")
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    os.utime(blobs.path("default", ref), (long_ago, long_ago))
    assert blobs.sweep_tmp() == 1
    assert young.exists()
    assert not old.exists()
    assert blobs.exists("default", ref)


def test_a_sweep_that_takes_a_writers_file_fails_that_write_and_no_more(blobs):
    """Nobody sweeps so young files; even then nothing is lost but the try."""

    def swept():
        yield b"x" * 1000
        assert blobs.sweep_tmp(older_than_s=-1) == 1
        yield b"x" * 1000

    with pytest.raises(Unavailable):
        blobs.put("default", swept(), "text/plain")
    assert files(blobs) == []
    ref = blobs.put("default", b"x" * 2000, "text/plain")
    assert blobs.path("default", ref).stat().st_size == 2000


def test_a_file_of_another_user_that_may_not_go_stops_no_sweep(blobs, monkeypatch):
    blobs.put("default", b"x", "text/plain")
    left = [blobs.root / "tmp" / name for name in ("1-theirs", "2-ours")]
    for file in left:
        file.write_bytes(b"half")
    unlink = Path.unlink

    def refusing(self, *, missing_ok=False):
        if self.name == "1-theirs":
            raise PermissionError(errno.EACCES, "permission denied")
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refusing)
    assert blobs.sweep_tmp(older_than_s=-1) == 1
    assert left[0].exists()
    assert not left[1].exists()


def test_a_writer_that_is_killed_leaves_no_blob(tmp_path):
    """It is killed between its first and last chunk."""
    program = """
import sys, time
from pathlib import Path
from streams.blobs import Blobs
def chunks():
    yield b"x" * 1_000_000
    print("half", flush=True)
    sys.stdin.read()
Blobs(Path(sys.argv[1])).put("default", chunks(), "text/plain")
"""
    command, pipe = [sys.executable, "-c", program, str(tmp_path)], subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=ROOT)
    assert child.stdout.readline() == b"half\n"
    child.kill()
    child.wait(30)
    child.stdin.close()
    child.stdout.close()
    left = [found for found in tmp_path.rglob("*") if found.is_file()]
    assert [found.parent.name for found in left] == ["tmp"]
    assert Blobs(tmp_path).sweep_tmp(older_than_s=-1) == 1
    assert not [found for found in tmp_path.rglob("*") if found.is_file()]


def test_a_reader_never_sees_less_than_all_of_it(blobs):
    """The same blob is written again and again under a reader's eyes."""
    data = os.urandom(200_000)
    ref = blobs.put("default", data, "text/plain")
    stop = threading.Event()

    def rewrite() -> None:
        while not stop.is_set():
            blobs.put("default", data, "text/plain")

    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(200):
            assert blobs.path("default", ref).read_bytes() == data
    finally:
        stop.set()
        writer.join()
