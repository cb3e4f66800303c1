from __future__ import annotations

import errno
import hashlib
import os
import sys
from dataclasses import replace

import pytest

from streams import copying
from streams.copying import Changed, Span, Spliced, Stamp, Unreadable, write

CONTENT = os.urandom(3 * copying.CHUNK + 17)


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    os.utime(path, ns=(1, 1))  # so long ago that a change has another time however coarse the clock
    return path


def spliced(path, *parts):
    fd = os.open(path, os.O_RDONLY)
    try:
        return Spliced(path, Stamp.of(fd), parts)
    finally:
        os.close(fd)


def copied(content, path, **how):
    with path.open("wb") as file:
        file.write(b"before")
        file.flush()
        said = write(content, file.fileno(), **how)
    return path.read_bytes().removeprefix(b"before"), said


PARTS = b"head", Span(5, 1000), b"", b"middle", Span(1, len(CONTENT) - 1), Span(0, 0), b"tail"
EXPECTED = b"head" + CONTENT[5:1005] + b"middle" + CONTENT[1:] + b"tail"


def refusing(number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.fixture(
    params=["kernel", "another disk", "old kernel", "nothing", "says nothing", "little by little"]
)
def kernel(request, monkeypatch):
    """What the kernel can do, and does not."""
    if request.param == "another disk":
        monkeypatch.setattr(os, "copy_file_range", refusing(errno.EXDEV), raising=False)
    if request.param == "old kernel":
        monkeypatch.setattr(os, "copy_file_range", refusing(errno.ENOSYS), raising=False)
        monkeypatch.setattr(os, "sendfile", refusing(errno.EINVAL))
    if request.param == "nothing":  # as on macOS
        monkeypatch.setattr(copying, "_WAYS", ())
    if request.param == "says nothing":
        monkeypatch.setattr(os, "copy_file_range", lambda *_: 0, raising=False)
        monkeypatch.setattr(os, "sendfile", lambda *_: 0)
    if request.param == "little by little":
        monkeypatch.setattr(copying, "_AT_ONCE", 4099)
        monkeypatch.setattr(copying, "CHUNK", 65_537)


@pytest.mark.parametrize("digest", [False, True])
def test_parts_come_in_order_whatever_the_kernel_does(source, tmp_path, kernel, digest):
    content = spliced(source, *PARTS)
    found, said = copied(content, tmp_path / "target", digest=digest)
    assert found == EXPECTED == content.read()
    assert said == (hashlib.sha256(EXPECTED).hexdigest() if digest else None)
    assert content.size == len(EXPECTED)


@pytest.mark.skipif(sys.platform != "linux", reason="copy_file_range is Linux")
def test_the_kernel_copies(source, tmp_path, monkeypatch):
    def read(*_):
        raise AssertionError("Bytes came into this process.")

    monkeypatch.setattr(os, "pread", read)
    assert copied(spliced(source, *PARTS), tmp_path / "target")[0] == EXPECTED


@pytest.mark.skipif(sys.platform != "linux", reason="copy_file_range is Linux")
def test_a_kernel_that_stops_on_the_way_is_gone_on_after(source, tmp_path, monkeypatch):
    calls = []
    real = os.copy_file_range

    def once(source, target, length, offset):
        calls.append(offset)
        if len(calls) > 1:
            raise OSError(errno.EXDEV, "")
        return real(source, target, 100, offset)

    monkeypatch.setattr(os, "copy_file_range", once)
    assert copied(spliced(source, Span(7, 5000)), tmp_path / "target")[0] == CONTENT[7:5007]
    assert calls == [7, 107]


def test_a_span_beyond_the_end_is_an_error_and_no_endless_loop(source, tmp_path, kernel):
    for digest in (False, True):
        with pytest.raises(Changed):
            copied(spliced(source, Span(10, len(CONTENT))), tmp_path / "target", digest=digest)


@pytest.mark.parametrize("digest", [False, True])
@pytest.mark.parametrize("change", ["longer", "other", "touched"])
def test_a_source_that_changed_is_an_error(source, tmp_path, digest, change):
    content = spliced(source, Span(0, 10))
    if change == "longer":
        with source.open("ab") as file:
            file.write(b"x")
    elif change == "other":
        source.unlink()
        (tmp_path / "kept").write_bytes(b"")
        source.write_bytes(CONTENT)
    else:
        os.utime(source, ns=(1, content.stamp.modified + 1))
    with pytest.raises(Changed):
        copied(content, tmp_path / "target", digest=digest)
    with pytest.raises(Changed):
        content.read()


def test_a_source_that_is_gone_is_an_error(source, tmp_path):
    content = replace(spliced(source, Span(0, 10)), source=tmp_path / "none")
    for digest in (False, True):
        with pytest.raises(Unreadable) as told:
            copied(content, tmp_path / "target", digest=digest)
        assert told.value.errno == errno.ENOENT


@pytest.mark.parametrize("how", [{}, {"digest": True}])
def test_a_source_that_is_changed_while_it_is_copied_is_an_error(source, tmp_path, how, monkeypatch):
    """What lies where the pixels were may be somebody's name."""
    content = spliced(source, Span(0, 10), b"tail")
    right = copying._write_all

    def changing(target, data):
        right(target, data)
        if data == b"tail":
            source.write_bytes(CONTENT[::-1])

    monkeypatch.setattr(copying, "_write_all", changing)
    with pytest.raises(Changed):
        copied(content, tmp_path / "target", **how)


def test_a_disk_that_fails_is_told_from_one_that_takes_nothing(source, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "pread", refusing(errno.EIO))
    with pytest.raises(Unreadable):
        copied(spliced(source, *PARTS), tmp_path / "target", digest=True)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux")
@pytest.mark.parametrize("parts", [(b"head",), (Span(0, 100_000),)])
@pytest.mark.parametrize("digest", [False, True])
def test_a_full_disk_is_an_error(source, parts, digest):
    no_space = os.strerror(errno.ENOSPC)
    with open("/dev/full", "wb") as full, pytest.raises(OSError, match=no_space):  # noqa: PTH123 - a device
        write(spliced(source, *parts), full.fileno(), digest=digest)


def test_no_descriptor_is_left_open(source, tmp_path, monkeypatch):
    def opened():
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 - a directory of descriptors

    before = opened()
    copied(spliced(source, *PARTS), tmp_path / "target")
    spliced(source, *PARTS).read()
    next(spliced(source, Span(0, 10)).chunks())
    with pytest.raises(Changed):
        copied(spliced(source, Span(10, len(CONTENT))), tmp_path / "target")
    assert opened() == before
