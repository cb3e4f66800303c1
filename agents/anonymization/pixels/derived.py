"""What an object says once its pixels are cleaned (DICOM PS3.3, C.7.6.1, C.12.4; PS3.15, E.3.1). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from agents.anonymization.pixels import codec
from agents.anonymization.pixels.frames import Frames
from agents.anonymization.pixels.header import FRAME_TYPE, ICON_SEQUENCE, Header
from agents.anonymization.pixels.picture import Picture
from agents.anonymization.standard.codes import OPTION_CODES, MethodCode

_SOP_CLASS, _SOP_INSTANCE, _IMAGE_TYPE = 0x00080016, 0x00080018, 0x00080008
_BURNED_IN = 0x00280301
_LOSSY, _RATIO, _METHOD = 0x00282110, 0x00282112, 0x00282114
_DESCRIPTION, _DERIVATION, _SOURCE = 0x00082111, 0x00089215, 0x00082112
_PROCESSED = MethodCode("121322", "Source image for image processing operation")
"""CID 7202."""
_OFFSETS = 0x7FE00001, 0x7FE00002, 0x7FE00003
"""Extended Offset Table and Lengths, Encapsulated Pixel Data Value Total Length."""


def mark_cleaned(header: Header) -> None:
    """Say that nothing is burned in; leave out the small picture of what was there."""
    header.put(_BURNED_IN, "CS", b"NO")
    header.drop(ICON_SEQUENCE)
    for tag in _OFFSETS:
        header.drop(tag)


def mark_encoded(header: Header, picture: Picture, frames: Frames, colours: bytes) -> None:
    """Say how pixels that were compressed are encoded now, and that values were lost before, if they were."""
    if picture.samples > 1:
        header.put(0x00280004, "CS", colours)
        header.put_number(0x00280006, 0)
    method = codec.lossy_method(frames.encoded[0], header.syntax)
    if method and header.text(_LOSSY) != "01":
        ratio = picture.frame_bytes * picture.frames / max(1, sum(map(len, frames.encoded)))
        header.put(_LOSSY, "CS", b"01")
        header.put(_RATIO, "DS", f"{ratio:.2f}".encode())
        header.put(_METHOD, "CS", method.encode())


def mark_derived(header: Header, done: str, *, boxes: int, tools: Sequence[str]) -> str:
    """Say that the image is derived from the one that it was, and give its new SOP Instance UID.

    The UID that a key made is not kept for other pixels; it stands as the source, so that what refers to the
    image can still be followed.

    Parameters
    ----------
    done
        All that decides about the new pixels; with the old UID in it, it makes the new one.
    boxes
        How many boxes are black.
    tools
        What decided.
    """
    number = int.from_bytes(hashlib.sha256(f"chips/1/clean-pixels/{done}".encode()).digest())
    low = 10**38  # as `gateway.identity.pseudonymous_uid`: 39 digits, no prefix of another
    uid = f"2.25.{low + number % (2**128 - low)}"
    sop_class, old = header.value(_SOP_CLASS), header.value(_SOP_INSTANCE)
    header.append_item(
        _SOURCE,
        [(0x00081150, "UI", sop_class.rstrip(b"\0 ")), (0x00081155, "UI", old.rstrip(b"\0 "))],
        (0x0040A170, _code(_PROCESSED)),
    )
    header.put(_SOP_INSTANCE, "UI", uid.encode())
    header.put(_IMAGE_TYPE, "CS", _derived(header.value(_IMAGE_TYPE)) or b"DERIVED\\SECONDARY")
    header.patch_nested(FRAME_TYPE, _derived)
    said = f"Clean Pixel Data: {boxes} boxes of the picture made black ({'; '.join(tools)})"
    header.put(_DESCRIPTION, "ST", said.encode("ascii", "replace")[:1024])
    header.put_sequence(_DERIVATION, [_code(OPTION_CODES["clean_pixel_data"])])
    return uid


def _derived(value: bytes) -> bytes:
    """Give Image Type or Frame Type of a derived image."""
    first, *others = value.rstrip(b"\0 ").split(b"\\")
    return b"\\".join((b"DERIVED", *others)) if first else b""


def _code(code: MethodCode) -> list[tuple[int, str, bytes]]:
    return [
        (0x00080100, "SH", code.value.encode()),
        (0x00080102, "SH", b"DCM"),
        (0x00080104, "LO", code.meaning.encode()),
    ]
