"""What is found to import, and what leads out of its folder."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from gateway.importing.errors import NotTakenApart
from gateway.importing.finding import File, Member, Skipped, find
from streams.errors import Rejected


def names(items) -> list[str]:
    return [one.mark.path if not isinstance(one, Skipped) else f"skipped {one.name}" for one in items]


def test_a_folder_is_found_at_any_depth_and_links_to_folders_are_not_followed(tmp_path):
    deep = tmp_path / "in" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "2").write_bytes(b"x")
    (tmp_path / "in" / "1").write_bytes(b"x")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "3").write_bytes(b"x")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    assert names(find([tmp_path / "in"])) == [str(tmp_path / "in" / "1"), str(deep / "2")]


def test_what_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(Rejected, match="There is no"):
        list(find([tmp_path / "none"]))


def test_pipes_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (found,) = find([tmp_path / "pipe"])
    assert isinstance(found, Skipped)


def test_members_of_an_archive_are_read_and_write_nothing(tmp_path):
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a/1.dcm", b"one")
        out.writestr("../../evil", b"two")
        out.writestr("folder/", b"")
        out.writestr("DICOMDIR", b"list")
    found = list(find([archive]))
    assert names(found) == [f"{archive}!/a/1.dcm", f"{archive}!/../../evil"]
    read = []
    for one in found:
        assert isinstance(one, Member)
        with one.open() as stream:
            read.append(stream.read())
    assert read == [b"one", b"two"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["x.zip"]


def test_a_broken_archive_is_told(tmp_path):
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("a", b"one" * 100)
    raw = bytearray(archive.read_bytes())
    raw[50] ^= 1  # a byte of the member
    archive.write_bytes(raw)
    (member,) = find([archive])
    with pytest.raises(NotTakenApart), member.open() as stream:
        stream.read()
    archive.write_bytes(raw[:100])
    (skipped,) = find([archive])
    assert isinstance(skipped, Skipped)


def directory(folder: Path, *files: list[str]) -> Path:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    made.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    records = []
    for parts in files:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        record.ReferencedFileID = parts
        records.append(record)
    made.DirectoryRecordSequence = records
    path = folder / "DICOMDIR"
    made.save_as(path, enforce_file_format=True)
    return path


def test_a_dicomdir_gives_what_it_lists_once_and_in_order(tmp_path):
    (tmp_path / "IMAGES").mkdir()
    for name in ("A", "B", "UNLISTED"):
        (tmp_path / "IMAGES" / name).write_bytes(b"x")
    (tmp_path / "small").write_bytes(b"x")
    path = directory(tmp_path, ["IMAGES", "B"], ["IMAGES", "A"], ["IMAGES", "B"], ["SMALL"], ["GONE"])
    assert names(find([path])) == [
        str(tmp_path / "IMAGES" / "B"),
        str(tmp_path / "IMAGES" / "A"),
        str(tmp_path / "small"),
        f"skipped {tmp_path / 'GONE'}",
    ]


@pytest.mark.parametrize(
    "parts", [["..", "SECRET"], ["A", "..", "..", "SECRET"], [".", "SECRET"], ["/SECRET"], ["LINK"], ["A\n"]]
)
def test_a_dicomdir_leads_nowhere_else(tmp_path, parts):
    (tmp_path / "SECRET").write_bytes(b"x")
    medium = tmp_path / "medium"
    medium.mkdir()
    (medium / "LINK").symlink_to(tmp_path / "SECRET")
    found = list(find([directory(medium, parts)]))
    assert [isinstance(one, Skipped) for one in found] == [True]


def test_what_calls_itself_dicomdir_and_is_none_is_told(tmp_path):
    (tmp_path / "DICOMDIR").write_bytes(b"x" * 500)
    (found,) = find([tmp_path / "DICOMDIR"])
    assert isinstance(found, Skipped)


def test_a_file_is_opened_where_it_lies(tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    (found,) = find([tmp_path / "a"])
    assert isinstance(found, File)
    with found.open() as stream:
        assert stream.read() == b"x"
