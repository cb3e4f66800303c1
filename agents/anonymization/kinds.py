"""What a value of each representation may look like (DICOM PS3.5, 6.2), and one that says nothing. Pure."""

from __future__ import annotations

import functools
import re

from pydicom.datadict import dictionary_has_tag, dictionary_VM

from agents.anonymization.dates import moved

MODALITY, CHARACTER_SET = 0x00080060, 0x00080005
PATIENT_SEX, PATIENT_AGE = 0x00100040, 0x00101010

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
SIZES = {
    "US": 2,
    "SS": 2,
    "UL": 4,
    "SL": 4,
    "AT": 4,
    "FL": 4,
    "FD": 8,
    "SV": 8,
    "UV": 8,
    "OW": 2,
    "OF": 4,
    "OL": 4,
    "OD": 8,
    "OV": 8,
}
"""Bytes of one number."""
_BYTES = 2
"""Of a dummy of bytes."""
_IMAGE_PIXEL = 0x0028
_IMAGE_TYPE = 0x00080008


def dummy_value(vr: str) -> bytes:
    """Give a value of non-zero length that fits the VR and says nothing; ASCII, without padding."""
    if vr in ("OB", "UN"):
        return bytes(_BYTES)
    if vr in SIZES:
        return bytes(SIZES[vr])
    return _DUMMY_TEXT.get(vr, DUMMY)


def directs_readers(tag: int) -> bool:
    """Tell whether readers act on a code: with another in its place the object would be a different one."""
    return tag >> 16 == _IMAGE_PIXEL or tag in (CHARACTER_SET, _IMAGE_TYPE)


_PATTERNS = {
    "AE": re.compile(rb"[\x20-\x5b\x5d-\x7e]{0,16}"),
    "AS": re.compile(rb"[0-9]{3}[DWMY]|\x20*"),
    "CS": re.compile(rb"[A-Za-z0-9 _.+/-]{0,64}"),
    "DS": re.compile(rb" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)? *|\x20*|[Nn]a[Nn]|[+-]?[Ii]nf"),
    "IS": re.compile(rb" *[+-]?[0-9]+(\.0*)? *|\x20*"),
    "UI": re.compile(rb"[0-9.]{0,64}"),
}


def is_plausible(vr: str, value: bytes, tag: int) -> bool:
    """Tell whether a value that would be kept looks like its VR, so that a number hides no name.

    Parameters
    ----------
    vr
        How it is written.
    value
        The value.
    tag
        Of the attribute: the dictionary says how many numbers it may have.
    """
    if vr in SIZES:
        count = None if vr.startswith("O") else _fixed_count(tag)
        return len(value) % SIZES[vr] == 0 and (count is None or len(value) in (0, count * SIZES[vr]))
    if vr in ("DA", "TM", "DT"):
        return moved(vr, value, 0) is not None
    pattern = _PATTERNS.get(vr)
    if pattern is None:
        return True
    return all(pattern.fullmatch(part) for part in value.rstrip(b"\0 ").split(b"\\"))


@functools.lru_cache(maxsize=8192)
def _fixed_count(tag: int) -> int | None:
    """Give how many values an attribute has, None when that varies."""
    if not dictionary_has_tag(tag):
        return None
    multiplicity = dictionary_VM(tag)
    return int(multiplicity) if multiplicity.isdecimal() else None


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
