"""What an object says about its pixels (DICOM PS3.3, C.7.6.3), judged before anything is decoded. Pure."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels.header import Header

Samples = NDArray[np.integer[Any]]
"""Stored values."""

FRAMES_AT_MOST = 16_384
RAW_AT_MOST = 1024 * 1024 * 1024
"""Bytes of all frames when they are not compressed."""

_BASE, _RATIO = 8 * 1024 * 1024, 128
"""Bytes that any compressed picture may become, and how many more for each of its bytes."""

GREYS = "MONOCHROME1", "MONOCHROME2"
PALETTE = "PALETTE COLOR"
_COLOURS = "RGB", "YBR_FULL", "YBR_FULL_422"
_OF_COMPRESSED = "YBR_RCT", "YBR_ICT"
_PIXEL_FORMAT = "The pixels are stored in a way that can't be cleaned."


class Picture(NamedTuple):
    """How the pixels of an object are stored."""

    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    by_plane: bool
    allocated: int
    stored: int
    signed: bool
    compressed: bool

    @property
    def width(self) -> int:
        """Bytes of a sample; 1 for single bits, which are unpacked."""
        return max(1, self.allocated // 8)

    @property
    def halved(self) -> bool:
        """Tell whether two pixels share their colour: native YBR_FULL_422."""
        return self.photometric == "YBR_FULL_422" and not self.compressed

    @property
    def frame_bytes(self) -> int:
        """Bytes of a frame that is not compressed; single bits are counted unpacked."""
        samples = 2 if self.halved else self.samples
        return self.rows * self.columns * samples * self.width

    @property
    def grey(self) -> bool:
        """Tell whether each pixel is a shade of grey."""
        return self.photometric in GREYS


def picture_of(header: Header) -> Picture:
    """Read what the object says about its pixels.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        ``unsupported-pixels`` at a kind of pixels that can't be cleaned, ``too-many-pixels`` and ``bomb`` at
        more of them than are looked through, ``excess-pixels`` and ``truncated`` when they don't fit.
    """
    numbers = [header.number(tag) for tag in (0x00280010, 0x00280011, 0x00280002, 0x00280100, 0x00280101)]
    high, representation = header.number(0x00280102), header.number(0x00280103)
    rows, columns, samples, allocated, stored = (number or 0 for number in numbers)
    frames = header.text(0x00280008) or "1"
    if not rows or not columns or not re.fullmatch(r"[0-9]{1,10}", frames):
        raise Refusal("unsupported-pixels", "The object does not say how large its picture is.")
    picture = Picture(
        rows=rows,
        columns=columns,
        frames=int(frames),
        samples=samples,
        photometric=header.text(0x00280004),
        by_plane=samples > 1 and header.number(0x00280006) == 1,
        allocated=allocated,
        stored=stored,
        signed=representation == 1,
        compressed=header.encapsulated,
    )
    _check_kind(picture, high, representation)
    _check_size(picture, header)
    return picture


def _check_kind(picture: Picture, high: int | None, representation: int | None) -> None:
    known: tuple[str, ...] = _COLOURS if picture.samples == 3 else (*GREYS, PALETTE)  # noqa: PLR2004 - RGB
    if picture.compressed and picture.samples == 3:  # noqa: PLR2004 - likewise
        known = (*_COLOURS, *_OF_COMPRESSED)
    if (
        picture.samples not in (1, 3)
        or picture.photometric not in known
        or picture.allocated not in (1, 8, 16, 32)
        or not 1 <= picture.stored <= picture.allocated
        or high != picture.stored - 1
        or representation not in (0, 1)
    ):
        raise Refusal("unsupported-pixels", _PIXEL_FORMAT)
    if picture.samples > 1 and (picture.allocated == 1 or picture.signed):
        raise Refusal("unsupported-pixels", _PIXEL_FORMAT)
    if picture.photometric.startswith("YBR") and picture.stored != 8:  # noqa: PLR2004 - bits of a byte
        raise Refusal("unsupported-pixels", _PIXEL_FORMAT)
    if picture.halved and (picture.by_plane or picture.columns % 2):
        raise Refusal("unsupported-pixels", _PIXEL_FORMAT)
    if picture.allocated == 1 and (
        picture.compressed or picture.signed or (picture.frames > 1 and picture.rows * picture.columns % 8)
    ):
        raise Refusal("unsupported-pixels", _PIXEL_FORMAT)


def _check_size(picture: Picture, header: Header) -> None:
    raw = picture.frame_bytes * picture.frames
    if picture.frames < 1 or picture.frames > FRAMES_AT_MOST or raw > RAW_AT_MOST:
        raise Refusal("too-many-pixels", "There are more pixels than can be looked through for text.")
    there = len(header.pixels or b"")
    if picture.compressed:
        if raw > _BASE + _RATIO * there:
            raise Refusal("bomb", "The picture is far larger than its compressed bytes can say.")
        return
    needed = -(-raw // 8) if picture.allocated == 1 else raw
    if there < needed:
        raise Refusal("truncated", "There are fewer pixels than the picture has.")
