"""What Table E.1-1 lets survive, read from the table as it stands, by nothing of ours that interprets it.

What the rules of a policy make of the table is compared with this.
"""

from __future__ import annotations

import enum
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydicom.datadict import tag_for_keyword

TABLE = Path(__file__).parents[2] / "agents/anonymization/standard/table.json"

COLUMNS = {
    "retain_uids": "uids",
    "retain_device_identity": "device_identity",
    "retain_institution_identity": "institution_identity",
    "retain_patient_characteristics": "patient_characteristics",
    "retain_longitudinal_full_dates": "full_dates",
    "retain_longitudinal_modified_dates": "modified_dates",
    "clean_descriptors": "clean_descriptors",
    "clean_structured_content": "clean_structured_content",
    "clean_graphics": "clean_graphics",
}
"""The table's column of each option; those about pixels have none, and private attributes have a list."""

UNLISTED_TEXT = frozenset(("LT", "ST", "UT", "UC", "UR", "PN", "DA", "TM", "DT", "AE", "AS", "UN"))
"""Of attributes that the table does not list, those with these value representations go as well."""

SPEAKING = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        *("PatientBirthDateInAlternativeCalendar", "PatientDeathDateInAlternativeCalendar"),
        *("PlacerOrderNumberProcedure", "FillerOrderNumberProcedure"),
        *(
            "PlacerOrderNumberImagingServiceRequestRetired",
            "FillerOrderNumberImagingServiceRequestRetired",
        ),
        *("HangingProtocolCreator", "HangingProtocolUserGroupName", "ContactDisplayName", "OwnerID"),
        *("BreedRegistrationNumber", "BoardingPassID", "ComponentWelderIDs", "NTPSourceAddress"),
    )
)
"""Attributes outside the table, of value representations that usually name nobody, that do identify."""
TYPED = frozenset(
    tag_for_keyword(keyword)
    for keyword in (
        *("DoseComment", "FrameOfReferenceTransformationComment", "SubstanceAdministrationNotes"),
        *("AcquisitionProtocolName", "ContentDescription", "CompletionFlagDescription"),
    )
)
"""And those in which somebody types."""


CONTENT = {
    0x0040A160: ("clean_structured_content",),
    0x00420011: ("clean_structured_content",),
    0x00700006: ("clean_structured_content", "clean_graphics"),
}
"""Texts of content items, documents and annotations, of which the options' sections speak (E.3.3, E.3.4)."""


class Fate(enum.Enum):
    """What may become of a value.

    Nothing of it is left; its day is moved and its hours are left; it is left without what identifies; it
    is left as it was.
    """

    GONE = "gone"
    MOVED = "moved"
    CLEANED = "cleaned"
    KEPT = "kept"


class Row(NamedTuple):
    """A row: the Basic profile's code, and those that options put in its place."""

    tag: int
    keyword: str
    vr: str
    code: str
    options: dict[str, str]


@functools.cache
def rows() -> dict[int, Row]:
    """Give all rows but those of repeating groups."""
    found = json.loads(TABLE.read_text())["rows"]
    return {
        int(row["tag"], 16): Row(
            int(row["tag"], 16), row["keyword"], row["vr"], row["action"], row["options"]
        )
        for row in found
        if "x" not in row["tag"]
    }


def own_rows(option: str) -> dict[int, str]:
    """Give the rows that an option has a code for."""
    column = COLUMNS.get(option)
    return {row.tag: row.options[column] for row in rows().values() if column in row.options}


class Allowed(NamedTuple):
    """What a policy lets survive: options, and what its exceptions do to attributes, by tag."""

    options: frozenset[str] = frozenset()
    exceptions: Mapping[int, str] = MappingProxyType({})

    def fate(self, where: Sequence[int], tag: int, vr: str) -> Fate:
        """Tell what may become of a value in the items of the sequences `where`, outermost first."""
        if any(parent >> 16 & 1 or self._of(parent, "SQ") is Fate.GONE for parent in where):
            return Fate.GONE
        return self._of(tag, vr)

    def _of(self, tag: int, vr: str) -> Fate:
        group = tag >> 16
        if group & 1 or group >> 8 in (0x50, 0x60):
            return Fate.GONE
        if tag in self.exceptions:
            return EXCEPTIONS.get(self.exceptions[tag], Fate.GONE)
        if tag in (0x00100010, 0x00100020):
            return Fate.GONE
        if any(option in self.options for option in CONTENT.get(tag, ())):
            return Fate.CLEANED
        row = rows().get(tag)
        return self._of_unlisted(tag, vr) if row is None else self._of_row(row, vr)

    def _of_row(self, row: Row, vr: str) -> Fate:
        codes = {option: row.options[column] for option, column in COLUMNS.items() if column in row.options}
        on = {option: code for option, code in codes.items() if option in self.options}
        if "retain_longitudinal_modified_dates" in on and vr in ("DA", "DT", "TM"):
            return Fate.MOVED if vr != "TM" else Fate.KEPT
        if "C" in on.values():
            return Fate.CLEANED
        return Fate.KEPT if "K" in on.values() else Fate.GONE

    def _of_unlisted(self, tag: int, vr: str) -> Fate:
        if tag in SPEAKING or (tag in TYPED and "clean_descriptors" not in self.options):
            return Fate.GONE
        if vr in ("DA", "TM", "DT") and "retain_longitudinal_modified_dates" in self.options:
            return Fate.MOVED if vr != "TM" else Fate.KEPT
        if vr in ("DA", "TM", "DT") and "retain_longitudinal_full_dates" in self.options:
            return Fate.KEPT
        if vr == "UI":
            return Fate.KEPT if "retain_uids" in self.options else Fate.GONE
        if vr not in UNLISTED_TEXT:
            return Fate.CLEANED
        cleaned = vr not in ("PN", "AE", "UN") and "clean_descriptors" in self.options
        return Fate.CLEANED if cleaned else Fate.GONE


EXCEPTIONS = {"keep": Fate.KEPT, "clean": Fate.CLEANED, "shift": Fate.MOVED}
"""What an exception of a policy lets survive; any other action, nothing."""
