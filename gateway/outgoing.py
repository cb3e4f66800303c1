"""What there is to send: files found, their heads read, and the associations they need."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gateway.elements import Walker
from gateway.manifest import Mark
from gateway.part10 import Bounds, Malformed, Meta, encoding_of, read_meta

MAX_CONTEXTS = 128
"""Presentation contexts of one association (odd ids of one byte, PS3.8 9.3.2.2)."""

_HEAD = 64 * 1024
_MEDIA_SOP_CLASS, _MEDIA_SOP_INSTANCE, _TRANSFER_SYNTAX = 0x00020002, 0x00020003, 0x00020010
_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"


class Outgoing(NamedTuple):
    """A DICOM file to send. The UIDs are those of its data set, which its file meta not always repeats."""

    path: Path
    size: int
    mtime_ns: int
    offset: int
    """Where the data set begins, bytes."""
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str

    @property
    def mark(self) -> Mark:
        """Tells it from another one."""
        return Mark(str(self.path), self.size, self.mtime_ns)

    @property
    def context(self) -> tuple[str, str]:
        """The presentation context it needs: (abstract syntax, transfer syntax)."""
        return self.sop_class_uid, self.transfer_syntax_uid


class Skipped(NamedTuple):
    """A file that is not sent, and why."""

    path: Path
    why: str


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files, and those of folders at any depth, by name; links to folders are not followed."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, below, names in os.walk(path):
            below.sort()
            for name in sorted(names):
                yield Path(folder, name)


def examine(path: Path) -> Outgoing | Skipped:
    """Read a file's head."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            head = file.read(_HEAD)
        meta = read_meta(head)
    except OSError as error:
        return Skipped(path, f"can't be read: {error.strerror}")
    except Malformed as error:
        return Skipped(path, str(error))
    syntax = meta.text(_TRANSFER_SYNTAX)
    uids = _dataset_uids(head, meta, syntax)
    sop_class = uids.get(_SOP_CLASS) or meta.text(_MEDIA_SOP_CLASS)
    sop_instance = uids.get(_SOP_INSTANCE) or meta.text(_MEDIA_SOP_INSTANCE)
    if sop_class == _MEDIA_DIRECTORY:
        return Skipped(path, "a DICOMDIR: it lists objects and is none")
    if not (syntax and sop_class and sop_instance):
        return Skipped(path, "SOP Class, SOP Instance or Transfer Syntax UID is missing")
    return Outgoing(
        path.absolute(), found.st_size, found.st_mtime_ns, meta.dataset, sop_class, sop_instance, syntax
    )


def _dataset_uids(head: bytes, meta: Meta, syntax: str) -> dict[int, str]:
    """Read SOP Class and SOP Instance UID from the head of the data set, as far as they are there."""
    encoding = encoding_of(syntax)
    start = meta.dataset
    found: dict[int, str] = {}
    try:
        if encoding.deflated:
            head, start = zlib.decompressobj(-zlib.MAX_WBITS).decompress(head[start:], _HEAD), 0
        for element in Walker(head, start, encoding, Bounds(), ordered=False):
            if element.tag > _SOP_INSTANCE and not element.depth:
                break
            if element.tag in {_SOP_CLASS, _SOP_INSTANCE} and not element.depth:
                value = head[element.offset : element.offset + element.length]
                found[element.tag] = value.decode("ascii", "replace").strip("\0 ")
    except (Malformed, zlib.error):
        return found  # the receiver judges
    return found


def batches(files: Sequence[Outgoing], associations: int) -> list[list[Outgoing]]:
    """Split files, in their order, into one piece an association; more where contexts would be too many."""
    per_piece = max(1, -(-len(files) // associations))
    pieces: list[list[Outgoing]] = []
    contexts: set[tuple[str, str]] = set()
    for file in files:
        if (
            not pieces
            or len(pieces[-1]) >= per_piece
            or (len(contexts) >= MAX_CONTEXTS and file.context not in contexts)
        ):
            pieces.append([])
            contexts = set()
        pieces[-1].append(file)
        contexts.add(file.context)
    return pieces
