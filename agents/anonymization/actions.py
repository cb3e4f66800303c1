"""What happens to an attribute, decided from its tag, its value representation and the policy alone. Pure.

Where the table gives alternatives that depend on the attribute's type in the object's IOD, the one that is
valid for every type is taken: a dummy before an empty value before removal. Where the table says nothing,
this is stricter than the standard, because nothing here reads text: unlisted free text, names, dates and
addresses go, and so does what the dictionary does not know. UIDs that the standard does not register are
replaced whether or not they are listed.
"""

from __future__ import annotations

import enum
import re

from pydicom.datadict import dictionary_has_tag, dictionary_VR

from agents.anonymization.policy import Policy
from agents.anonymization.table import load_table


class Action(enum.Enum):
    """What to do with an element."""

    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy"
    UID = "uid"
    REFERENCES = "references"
    """Keep a sequence, and in its items nothing but references to other objects."""
    KEEP = "keep"
    """Keep as it is; in a sequence, decide for each element of each item."""
    PATIENT = "patient"
    """Put the patient's pseudonym in its place."""


MODALITY = 0x00080060
PATIENT_NAME, PATIENT_ID, PATIENT_SEX, PATIENT_AGE = 0x00100010, 0x00100020, 0x00100040, 0x00101010

REFERENCE_ELEMENTS = frozenset((0x00081150, 0x00081155, 0x00081160, 0x0040A170, 0x0062000B))
"""Referenced SOP Class UID, SOP Instance UID and Frame Number, Purpose of Reference, Referenced Segment."""

_CODES = {
    "D": Action.DUMMY,
    "X/D": Action.DUMMY,
    "X/Z/D": Action.DUMMY,
    "Z/D": Action.DUMMY,
    "Z": Action.EMPTY,
    "X/Z": Action.EMPTY,
    "X": Action.REMOVE,
    "C": Action.REMOVE,
    "U": Action.UID,
    "X/Z/U*": Action.REFERENCES,
    "K": Action.KEEP,
}
# An empty Referenced Study Sequence is invalid where it is optional: the alternative is removal.
_EXCEPTIONS = {0x00081110: Action.REMOVE, PATIENT_NAME: Action.PATIENT, PATIENT_ID: Action.PATIENT}
# Copies of what was there before, signatures over it, and what we write ourselves.
_ALWAYS_REMOVED = frozenset(
    (
        *(0x00120062, 0x00120063, 0x00120064, 0x00280303),
        *(0x04000010, 0x04000120, 0x04000500, 0x04000510, 0x04000520, 0x4FFE0001),
    )
)
_FREE_TEXT = frozenset(("LT", "ST", "UT", "UC", "UR", "PN", "DA", "TM", "DT", "AE", "AS", "UN"))
_LAST_SERVICE_GROUP = 0x0007
"""Command, file meta and directory groups have no place in a data set; group 6 and 7 don't exist."""
_REPEATING_GROUPS = 0x50, 0x60


def known_vr(tag: int) -> str | None:
    """Give the VR that dictionary or table know for a tag; several joined by " or ". None: unknown."""
    if dictionary_has_tag(tag):
        return str(dictionary_VR(tag))
    rule = load_table().rules.get(tag)
    return rule.vr if rule else None


def decide(tag: int, policy: Policy) -> Action:
    """Decide what happens to an attribute, wherever in the object it stands."""
    group = tag >> 16
    if group & 1 or group <= _LAST_SERVICE_GROUP or not tag & 0xFFFF or group >> 8 in _REPEATING_GROUPS:
        return Action.REMOVE
    if tag in _EXCEPTIONS:
        return _EXCEPTIONS[tag]
    vr = known_vr(tag)
    rule = load_table().rules.get(tag)
    if vr is None or tag in _ALWAYS_REMOVED:
        return Action.REMOVE
    if rule is None:
        return _unlisted(vr)
    for option in sorted(policy.options):
        replaced = rule.options.get(option)
        if replaced == "K" and (vr not in _FREE_TEXT | {"LO", "SH"} or tag == PATIENT_AGE):
            return Action.KEEP
    action = _CODES[rule.action]
    return Action.UID if action is Action.DUMMY and vr == "UI" else action


def _unlisted(vr: str) -> Action:
    if vr in _FREE_TEXT:
        return Action.REMOVE
    return Action.UID if vr == "UI" else Action.KEEP


DUMMY = b"ANONYMIZED"

_DUMMY_TEXT = {
    "DA": b"19000101",
    "TM": b"000000",
    "DT": b"19000101000000",
    "AS": b"000Y",
    "DS": b"0",
    "IS": b"0",
    "UR": b"http://anonymized.invalid",
}
_DUMMY_SIZES = {
    "US": 2,
    "SS": 2,
    "UL": 4,
    "SL": 4,
    "AT": 4,
    "FL": 4,
    "FD": 8,
    "SV": 8,
    "UV": 8,
    "OB": 2,
    "OW": 2,
    "OF": 4,
    "OL": 4,
    "OD": 8,
    "OV": 8,
    "UN": 2,
}


def dummy_value(vr: str) -> bytes:
    """Give a value of non-zero length that fits the VR and says nothing; ASCII, without padding."""
    if vr in _DUMMY_SIZES:
        return bytes(_DUMMY_SIZES[vr])
    return _DUMMY_TEXT.get(vr, DUMMY)


def directs_readers(tag: int) -> bool:
    """Tell whether readers act on a code: with another in its place the object would be a different one."""
    return tag >> 16 == 0x0028 or tag in (0x00080005, 0x00080008)  # noqa: PLR2004 - Image Pixel, charset, Image Type


_PATTERNS = {
    "CS": re.compile(rb"[A-Za-z0-9 _.+/-]{0,64}"),
    "DS": re.compile(rb" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? *|\x20*|[Nn]a[Nn]|[+-]?[Ii]nf"),
    "IS": re.compile(rb" *[+-]?[0-9]+(\.0*)? *|\x20*"),
    "AS": re.compile(rb"[0-9]{3}[DWMY]|\x20*"),
}


def is_plausible(vr: str, value: bytes) -> bool:
    """Tell whether a value that would be kept looks like its VR, so that a number hides no name."""
    pattern = _PATTERNS.get(vr)
    if pattern is None:
        return True
    return all(pattern.fullmatch(part) for part in value.rstrip(b"\0 ").split(b"\\"))


_OLDEST = 89


def retained_characteristic(tag: int, value: bytes) -> bytes | None:
    """Give what is kept of a patient characteristic; None when it is not what it should be.

    Ages above 89 years become 90: there are too few such people to hide among.
    """
    text = value.rstrip(b"\0 ")
    if tag == PATIENT_SEX:
        return text if text in (b"M", b"F", b"O", b"") else None
    if tag == PATIENT_AGE:
        if not re.fullmatch(rb"([0-9]{3}[DWMY])?", text):
            return None
        return b"090Y" if text[3:] == b"Y" and int(text[:3]) > _OLDEST else text
    return value
