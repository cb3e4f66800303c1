from __future__ import annotations

import errno
import hashlib
import os

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import incoming
from gateway import spool as module
from gateway.errors import ObjectRefused
from gateway.spool import Announced, Spool, file_meta

CT = Announced("1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.5", "1.2.840.10008.1.2.1")
uids = st.from_regex(r"[1-9][0-9]{0,9}(\.[1-9][0-9]{0,9}){0,4}", fullmatch=True)


def room() -> bool:
    return True


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=300), max_size=8), st.builds(Announced, uids, uids, uids))
def test_fragments_become_the_file_that_the_hashes_say(tmp_path, fragments, announced):
    spool = Spool(tmp_path, announced, room)
    for fragment in fragments:
        spool.write(memoryview(fragment))
    received = spool.finish()
    raw = received.path.read_bytes()
    assert raw == file_meta(announced) + b"".join(fragments)
    assert received.size == len(raw)
    assert received.sha256 == hashlib.sha256(raw).hexdigest()
    spool.discard()
    assert list(tmp_path.iterdir()) == []


@given(st.builds(Announced, uids, uids, uids))
def test_any_reader_understands_the_meta(announced):
    meta = pydicom.dcmread(pydicom.filebase.DicomBytesIO(file_meta(announced))).file_meta
    assert meta.MediaStorageSOPClassUID == announced.sop_class_uid
    assert meta.MediaStorageSOPInstanceUID == announced.sop_instance_uid
    assert meta.TransferSyntaxUID == announced.transfer_syntax_uid
    assert len(file_meta(announced)) == 132 + 12 + meta.FileMetaInformationGroupLength


@pytest.mark.parametrize(
    "flag",
    [incoming._NAMELESS, None, os.O_DIRECTORY | os.O_RDONLY],
    ids=["tmpfile", "system has none", "folder has none"],
)
def test_the_file_is_its_owners_alone_and_goes_with_the_spool(tmp_path, monkeypatch, flag):
    monkeypatch.setattr(incoming, "_NAMELESS", flag)
    spool = Spool(tmp_path, CT, room)
    spool.write(b"abc")
    received = spool.finish()
    assert received.path.stat().st_mode & 0o777 == 0o600
    assert received.path.read_bytes() == file_meta(CT) + b"abc"
    assert (list(tmp_path.iterdir()) == []) == (flag == os.O_TMPFILE)
    spool.discard()
    spool.discard()
    assert list(tmp_path.iterdir()) == []
    assert not received.path.exists()


@pytest.mark.parametrize(
    ("code", "reason"), [(errno.ENOSPC, "no-room"), (errno.EDQUOT, "no-room"), (errno.EIO, "vault-failed")]
)
def test_a_failing_disk_is_told_at_the_end_and_leaves_nothing(tmp_path, monkeypatch, code, reason):
    spool = Spool(tmp_path, CT, room)

    def fails(*_):
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "write", fails)
        spool.write(b"abc")
    assert list(tmp_path.iterdir()) == []
    spool.write(b"the rest is swallowed")
    with pytest.raises(ObjectRefused) as refused:
        spool.finish()
    assert refused.value.reason == reason


def test_without_room_nothing_is_begun(tmp_path):
    spool = Spool(tmp_path, CT, lambda: False)
    spool.write(b"abc")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ObjectRefused, match="room"):
        spool.finish()


def test_room_is_asked_for_again_while_a_large_object_grows(tmp_path):
    answers = iter([True, True, False])
    spool = Spool(tmp_path, CT, lambda: next(answers))
    for _ in range(40):
        spool.write(bytes(1024 * 1024))
    assert next(answers, None) is None
    with pytest.raises(ObjectRefused, match="room"):
        spool.finish()


def test_a_folder_that_is_gone_is_told_at_the_end(tmp_path):
    spool = Spool(tmp_path / "gone", CT, room)
    spool.write(b"abc")
    with pytest.raises(ObjectRefused) as refused:
        spool.finish()
    assert refused.value.reason == "vault-failed"
