"""What is in a folder: every name at any depth, none followed out of it, none opened. An adapter.

Memory grows with the depth alone. The order is the disk's.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from agents.anonymization.files.entries import Stamp

DEEPEST = 128
"""Levels of folders; each holds a descriptor open."""


class File(NamedTuple):
    """A regular file; its path is relative, with ``/``."""

    path: str
    stamp: Stamp


class NoFile(NamedTuple):
    """A name that is no file and no folder: nothing that could be an object."""

    path: str
    reason: str
    message: str


class Unreadable(NamedTuple):
    """A folder or name that the system does not let us look at: what is there is not accounted for."""

    path: str
    message: str


def walk(source: Path) -> Iterator[File | NoFile | Unreadable]:
    """Yield what is in a folder, or the one file that `source` names.

    Links are never followed: what they point at inside of the folder is found under its own name, and what
    lies outside was not asked for.
    """
    if not source.is_dir():
        alone = source.stat()
        yield File(source.name, Stamp(alone.st_size, alone.st_mtime_ns))
        return
    levels: list[_Level] = []
    refused = _enter(levels, str(source), "")
    try:
        if refused:
            yield refused
        while levels:
            below, entries = levels[-1]
            entry = _next(entries)
            if isinstance(entry, os.DirEntry):
                path = f"{below}/{entry.name}" if below else entry.name
                found = _looked_at(entry, path, str(source)) or _enter(levels, entry.path, path)
                if found:
                    yield found
                continue
            levels.pop().entries.close()
            if entry:
                yield Unreadable(below, entry)
    finally:
        for level in levels:
            level.entries.close()


class _Entries(Protocol):
    """What os.scandir gives."""

    def __next__(self) -> os.DirEntry[str]: ...
    def close(self) -> None: ...


class _Level(NamedTuple):
    """An open folder, and its path below the root."""

    below: str
    entries: _Entries


def _enter(levels: list[_Level], folder: str, below: str) -> Unreadable | None:
    """Open a folder; give why not."""
    if len(levels) >= DEEPEST:
        return Unreadable(below, f"Folders are nested more than {DEEPEST} levels deep.")
    try:
        levels.append(_Level(below, os.scandir(folder)))
    except OSError as error:
        return Unreadable(below, f"The folder can't be read: {error.strerror}.")
    return None


def _next(entries: _Entries) -> os.DirEntry[str] | str | None:
    """Give the next entry, None at the end, or why there is none."""
    try:
        return next(entries)
    except StopIteration:
        return None
    except OSError as error:
        return f"The folder can't be read: {error.strerror}."


def _looked_at(entry: os.DirEntry[str], path: str, root: str) -> File | NoFile | Unreadable | None:
    """Give what a name is; None: a folder."""
    try:
        found = entry.stat(follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            return _link(entry.path, path, root)
    except OSError as error:
        return Unreadable(path, f"It can't be looked at: {error.strerror}.")
    if stat.S_ISDIR(found.st_mode):
        return None
    if stat.S_ISREG(found.st_mode):
        return File(path, Stamp(found.st_size, found.st_mtime_ns))
    return NoFile(path, "special-file", "A pipe, socket or device, which holds no object.")


def _link(full: str, path: str, root: str) -> NoFile:
    target = os.path.realpath(full)
    inside = os.path.commonpath((target, os.path.realpath(root))) == os.path.realpath(root)
    if inside and os.path.lexists(target):
        return NoFile(path, "link", "A link: what it points at is taken under its own name.")
    return NoFile(path, "link-outside", "A link that leads out of the input, or nowhere: it is not followed.")
