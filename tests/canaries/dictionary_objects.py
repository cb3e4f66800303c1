"""Every attribute that the dictionary has and Table E.1-1 has not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

from pydicom._dicom_dict import DicomDictionary
from pydicom.dataset import Dataset

from tests.canaries.oracle import UNLISTED_TEXT, rows
from tests.canaries.person import Person
from tests.canaries.planting import Canary
from tests.canaries.table_objects import CAPTURED
from tests.canaries.words import Words

STRICT = (*UNLISTED_TEXT, "UI")
"""Value representations of which no value stays."""
TRUSTED = "LO", "SH"
"""Those of which values stay that name nobody."""
LONGEST = {"SH": 16, "LO": 64}
DIRECTING = frozenset(
    (
        *(0x00080005, 0x00080008, 0x00080016, 0x00080060),
        *(0x00120062, 0x00120063, 0x00280303, 0x04000010, 0x04000510),
    )
)
"""What makes an object what it is, is written by the de-identification itself, or belongs to signatures."""


def unlisted(*kinds: str) -> Iterator[tuple[int, str]]:
    """Give tag and value representation of attributes outside the table, by value representation."""
    for tag, entry in sorted(DicomDictionary.items()):
        vr = entry[0]
        if vr in kinds and tag not in rows() and tag >> 16 > 7 and tag not in DIRECTING | CAPTURED:
            yield tag, vr


def strict(data: Dataset, words: Words) -> list[Canary]:
    """Give every unlisted attribute of a strict kind a value of its own."""
    canaries = []
    for tag, vr in unlisted(*STRICT):
        value = words.value(vr)
        data.add_new(tag, vr, value)
        canaries.append(Canary(f"{tag:08x}", (), tag, vr, value))
    return canaries


def naming(data: Dataset, person: Person) -> None:
    """Let every unlisted attribute of a trusted kind say something of the person."""
    for (tag, vr), text in zip(unlisted(*TRUSTED), cycle(person.sentences()[:4]), strict=False):
        data.add_new(tag, vr, text[: LONGEST[vr]])
