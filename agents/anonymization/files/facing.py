"""The third look, at a whole series: the faces in it taken out. An adapter.

Which objects have a face is what `anonymize` said; they wait in the folder of partial files, which is its
owner's alone, until their series is complete.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from agents.anonymization.files.judging import Judging
from agents.anonymization.files.outputs import PARTIAL, unwritable
from agents.anonymization.files.tasks import Judged, Place, Staged
from agents.anonymization.method import METHOD
from agents.anonymization.outcome import Refusal
from gateway.elements import Walker
from gateway.part10 import Bounds, encoding_of, read_meta

BYTES_AT_MOST = 4 << 30
"""Of a series: all of it is in memory at once."""


class Deface(Protocol):
    """Takes the faces out of one series of anonymized objects; raises `Refusal`."""

    def __call__(self, objects: Sequence[bytes]) -> list[bytes]:
        """Give the objects in the same order."""
        ...


def take_faces(objects: Sequence[Staged], place: Place, judging: Judging) -> list[Judged]:
    """Take the faces out of a series and put its objects in their place, or keep all of it back.

    Raises
    ------
    streams.errors.Unavailable
        When a folder does not take what is written, or does not give what waited in it.
    """
    partials = [place.out / PARTIAL / one.partial for one in objects]
    try:
        contents = _without_faces(partials)
    except OSError as error:
        raise unwritable(place.out, error) from error
    except Refusal as refused:
        judged = [judging.quarantined(one.found, refused.reason, refused.message) for one in objects]
    else:
        judged = [
            judging.written(one.found, content, _said_tools(content) or one.tools)
            for one, content in zip(objects, contents, strict=True)
        ]
    for partial in partials:
        partial.unlink(missing_ok=True)
    return judged


def _without_faces(partials: Sequence[Path]) -> list[bytes]:
    if sum(partial.stat().st_size for partial in partials) > BYTES_AT_MOST:
        raise Refusal("too-large", "The series is larger than can be judged at once.")
    deface = _deface()
    if deface is None:
        raise Refusal("face-not-removed", "Nothing is there that takes faces out of images.")
    return deface([partial.read_bytes() for partial in partials])


def _deface() -> Deface | None:
    try:
        found: Deface = importlib.import_module("agents.anonymization.faces").deface
    except ImportError:
        return None
    return found


def _said_tools(content: bytes) -> tuple[str, ...]:
    """Give the tools that an object names in De-identification Method, behind the policy."""
    meta = read_meta(content)
    encoding = encoding_of(meta.text(0x00020010))
    for element in Walker(content, meta.dataset, encoding, Bounds()):
        if element.tag == METHOD and not element.depth:
            value = content[element.offset : element.offset + element.length].decode("ascii", "replace")
            return tuple(part.strip("\0 ") for part in value.split("\\")[1:])
    return ()
