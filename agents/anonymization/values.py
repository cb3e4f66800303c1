"""What an action makes of a value, in bytes of the object's own encoding. Pure."""

from __future__ import annotations

import re

MODALITY = 0x00080060
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
