"""What a DICOMDIR lists (PS3.3 F, PS3.10 8.6), by the values of its Referenced File IDs."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.elements import UNDEFINED, Walker
from gateway.importing.errors import NotTakenApart
from gateway.part10 import Bounds, encoding_of, read_meta

_REFERENCED_FILE = 0x00041500
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
_MEDIA_SOP_CLASS, _TRANSFER_SYNTAX = 0x00020002, 0x00020010
_LARGEST = 256 * 1024 * 1024
_COMPONENT = re.compile(r"[^\x00-\x1f/\\:]{1,64}")
_MOST_COMPONENTS = 8
_BOUNDS = Bounds(elements=20_000_000, elements_at_most=20_000_000)


def referenced_files(path: Path) -> list[Path | None]:
    """Give the files that a DICOMDIR lists, each once, in its order; None for one outside of its folder.

    Raises
    ------
    OSError
        When it can't be read.
    gateway.part10.Malformed, NotTakenApart
        When it is none.
    """
    if path.stat().st_size > _LARGEST:
        raise NotTakenApart("No DICOMDIR is that large.")
    data = path.read_bytes()
    meta = read_meta(data)
    if meta.text(_MEDIA_SOP_CLASS) != _DIRECTORY_CLASS:
        raise NotTakenApart("It is no DICOMDIR: give it another name to import it.")
    found: dict[Path | None, None] = {}
    encoding = encoding_of(meta.text(_TRANSFER_SYNTAX))
    for element in Walker(data, meta.dataset, encoding, _BOUNDS):
        if element.tag == _REFERENCED_FILE and element.length != UNDEFINED:
            raw = data[element.offset : element.offset + element.length]
            found.setdefault(_file(path.parent, raw.decode("latin-1").rstrip("\0 ")))
    return list(found)


def _file(folder: Path, value: str) -> Path | None:
    """Give the file of a File ID, None when it would lie elsewhere than in the folder or below."""
    components = [component.strip(" ") for component in value.split("\\")]
    if len(components) > _MOST_COMPONENTS:
        return None
    at = folder
    for component in components:
        if not _COMPONENT.fullmatch(component) or component in {".", ".."}:
            return None
        at = _matching(at, component)
    return at if at.resolve().is_relative_to(folder.resolve()) else None


def _matching(folder: Path, name: str) -> Path:
    """Give a name in a folder; media that were copied often have it in small letters."""
    exact = folder / name
    small = folder / name.lower()
    return small if not exact.exists() and small.exists() else exact
