"""What there is to import: files, also in folders and zip archives, and what a DICOMDIR lists."""

from __future__ import annotations

import contextlib
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from gateway.importing.directory import referenced_files
from gateway.importing.errors import NotTakenApart
from gateway.manifest import Mark
from gateway.part10 import Malformed
from streams.errors import Rejected

_MOST_MEMBERS = 1_000_000
_ZIP = b"PK\x03\x04", b"PK\x05\x06"
DIRECTORY = "DICOMDIR"


class Skipped(NamedTuple):
    """What is not imported, and why."""

    name: str
    why: str


class Item(Protocol):
    """A file to import, wherever it lies."""

    @property
    def mark(self) -> Mark:
        """Tells it from another one, and from itself once it is changed."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open it for reading. Raises OSError, and NotTakenApart when its archive is broken."""


@dataclass(frozen=True, slots=True)
class File:
    """A file of its own."""

    path: Path
    mark: Mark

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Open it for reading."""
        return self.path.open("rb")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a zip archive."""

    archive: Path
    member: zipfile.ZipInfo
    mark: Mark

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it for reading; each has the archive open by itself, so that several may be read at once."""
        with contextlib.ExitStack() as opened:
            try:
                archive = opened.enter_context(zipfile.ZipFile(self.archive))
                stream = opened.enter_context(archive.open(self.member))
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
                # The last two: a compression that Python lacks, a passphrase.
                raise _not_taken_apart() from error
            try:
                yield stream  # type: ignore[misc]
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise _not_taken_apart() from error


def _not_taken_apart() -> NotTakenApart:
    return NotTakenApart("The archive is broken or encrypted: unpack it first.")


def find(paths: Iterable[Path]) -> Iterator[Item | Skipped]:
    """Yield what there is, folder by folder; links to folders are not followed, and a file once only.

    Raises
    ------
    streams.errors.Rejected
        When a path is not there, or an archive has too many members.
    """
    for path in paths:
        if not path.exists():
            raise Rejected(f"There is no {path}: nothing of it was imported.")
        if path.is_dir():
            yield from _of_folder(path)
        elif path.name == DIRECTORY:
            yield from _of_directory(path)
        else:
            yield from _of_file(path)


def _of_folder(folder: Path) -> Iterator[Item | Skipped]:
    """Yield files of a folder. A DICOMDIR is passed over: what it lists lies beside it."""

    def unreadable(error: OSError) -> None:
        troubles.append(Skipped(str(error.filename), f"can't be read: {error.strerror}"))

    troubles: list[Skipped] = []
    for above, below, names in os.walk(folder, onerror=unreadable):
        below.sort()
        for name in sorted(names):
            if name != DIRECTORY:
                yield from _of_file(Path(above, name))
        yield from troubles
        troubles.clear()
    yield from troubles


def _of_file(path: Path) -> Iterator[Item | Skipped]:
    try:
        found = path.stat()
        if not path.is_file():
            yield Skipped(str(path), "is neither a file nor a folder")
            return
        with path.open("rb") as file:
            begin = file.read(4)
    except OSError as error:
        yield Skipped(str(path), f"can't be read: {error.strerror}")
        return
    if begin in _ZIP:
        yield from _of_archive(path)
    else:
        yield File(path, Mark(str(path.absolute()), found.st_size, found.st_mtime_ns))


def _of_archive(path: Path) -> Iterator[Item | Skipped]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
        changed = path.stat().st_mtime_ns
    except (zipfile.BadZipFile, NotImplementedError) as error:
        yield Skipped(str(path), f"is a broken zip archive: {error}")
        return
    except OSError as error:
        yield Skipped(str(path), f"can't be read: {error.strerror}")
        return
    if len(members) > _MOST_MEMBERS:
        raise Rejected(f"{path} has {len(members)} members, at most {_MOST_MEMBERS} are taken: divide it.")
    for member in members:
        if member.is_dir() or Path(member.filename).name == DIRECTORY:
            continue
        # The name says where it lies in the archive and leads nowhere on the disk.
        name = f"{path.absolute()}!/{member.filename}"
        yield Member(path, member, Mark(name, member.file_size, changed))


def _of_directory(path: Path) -> Iterator[Item | Skipped]:
    try:
        listed = referenced_files(path)
    except (OSError, Malformed, NotTakenApart) as error:
        yield Skipped(str(path), f"can't be read: {error}")
        return
    for one in listed:
        if one is None:
            yield Skipped(str(path), "lists a file outside of its folder, which is not touched")
        elif not one.is_file():
            yield Skipped(str(one), f"is listed in {path} and not there")
        else:
            yield from _of_file(one)
