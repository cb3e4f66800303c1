"""The third look, at a whole series: the faces in it taken out. An adapter.

Which objects have a face is what `anonymize` said; they wait in the folder of partial files, which is its
owner's alone, until their series is complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agents.anonymization.files.judging import Judging
from agents.anonymization.files.outputs import PARTIAL, unwritable
from agents.anonymization.files.tasks import Judged, Place, Staged
from agents.anonymization.method import with_method
from agents.anonymization.outcome import Refusal

BYTES_AT_MOST = 4 << 30
"""Of a series: all of it is in memory at once."""


def take_faces(objects: Sequence[Staged], place: Place, judging: Judging) -> list[Judged]:
    """Take the faces out of a series and put its objects in their place, or keep all of it back.

    Raises
    ------
    streams.errors.Unavailable
        When a folder does not take what is written, or does not give what waited in it.
    """
    partials = [place.out / PARTIAL / one.partial for one in objects]
    try:
        contents, tool = _without_faces(partials)
    except OSError as error:
        raise unwritable(place.out, error) from error
    except Refusal as refused:
        judged = [judging.quarantined(one.found, refused.reason, refused.message) for one in objects]
    else:
        judged = []
        for one, content in zip(objects, contents, strict=True):
            tools = (*one.tools, tool)
            judged.append(judging.written(one.found, with_method(content, place.policy, tools), tools))
    for partial in partials:
        partial.unlink(missing_ok=True)
    return judged


def _without_faces(partials: Sequence[Path]) -> tuple[list[bytes], str]:
    """Give the objects without faces, and what decided."""
    if sum(partial.stat().st_size for partial in partials) > BYTES_AT_MOST:
        raise Refusal("too-large", "The series is larger than can be judged at once.")
    from agents.anonymization import faces  # noqa: PLC0415 - most runs do without SimpleITK

    return faces.deface([partial.read_bytes() for partial in partials]), faces.TOOL
