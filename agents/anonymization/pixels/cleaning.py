"""Cleans the pixels of one anonymized object of text (DICOM PS3.15, E.3.1, Clean Pixel Data).

What is blacked out: where the object's device is known to draw text; in ultrasound with plausible regions all
that is outside of them; and every line of text that the detector finds. Nothing else changes, bit by bit.
Deterministic: the same bytes, policy and versions of the tools give the same bytes. Fails closed: what can't
be decoded, judged or cleaned is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.anonymization.pixels import codec, ultrasound
from agents.anonymization.pixels.boxes import Box, clipped, outside
from agents.anonymization.pixels.decoder import Decoder
from agents.anonymization.pixels.derived import mark_cleaned, mark_derived, mark_encoded
from agents.anonymization.pixels.detector import Detector, load_detector
from agents.anonymization.pixels.frames import Frames, blackened, enclosed, pixels_of
from agents.anonymization.pixels.header import Header
from agents.anonymization.pixels.looking import Looker, samples_of
from agents.anonymization.pixels.palette import palette_of
from agents.anonymization.pixels.picture import Picture, picture_of
from agents.anonymization.pixels.regions import Device, text_regions
from agents.anonymization.pixels.views import rgb, windows_of
from agents.anonymization.policy.document import Policy

_REGIONS = 0x00186011
_WITHOUT_YBR = tuple(f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("77.", "7.4", "3.1", "6."))
"""SOP classes whose IODs know no YBR_FULL, or by plane only (PS3.3, C.8.12.1.1.1, A.8.5.4, C.8.5.6.1.3)."""


class Cleaned(NamedTuple):
    """An object without text in its pixels, and the tools that decided, with their versions."""

    content: bytes
    tools: tuple[str, ...]


def clean_pixels(part10: bytes, policy: Policy, detector: Detector | None = None) -> Cleaned:
    """Black out text in the pixels of an anonymized object.

    Parameters
    ----------
    part10
        A DICOM Part 10 file that `agents.anonymization` wrote.
    policy
        Its `regions` say where else text is drawn.
    detector
        Another than this process' own.

    Returns
    -------
    Cleaned
        When pixels changed: a derived image with a SOP Instance UID of its own, made from the object's and
        from what was done. An object without pixels comes back as it is.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it can't be cleaned.
    gateway.part10.Malformed
        When it is no such file.
    streams.errors.Misconfigured
        When the detector is not the one that belongs here.
    """
    header = Header(part10)
    if header.pixels is None:
        return Cleaned(part10, ())
    detector = detector or load_detector()
    picture = picture_of(header)
    with Decoder() as decoder:
        frames = Frames(header, picture, decoder)
        palette, windows = palette_of(header, picture), windows_of(header)
        black = _black(frames, picture, palette, negative=windows.slope < 0)
        looker = Looker(detector, frames, picture, palette, windows)
        boxes = looker.text(_known_boxes(header, picture, policy), black)
        return _written(header, picture, frames, boxes=boxes, black=black, tools=(detector.name,))


def _known_boxes(header: Header, picture: Picture, policy: Policy) -> list[Box]:
    """Give the boxes that are known before anything is looked at."""
    device = Device(
        modality=header.text(0x00080060),
        manufacturer=header.text(0x00080070),
        model=header.text(0x00081090),
        image_type=header.text(0x00080008),
        rows=picture.rows,
        columns=picture.columns,
    )
    known = text_regions(device, policy.regions)
    items = header.items(_REGIONS)
    regions = [
        ultrasound.Region(
            item.get(0x00186012),
            item.get(0x00186018),
            item.get(0x0018601A),
            item.get(0x0018601C),
            item.get(0x0018601E),
        )
        for item in items
    ]
    scanned = ultrasound.scanned(regions, picture.rows, picture.columns)
    if scanned is not None:
        known += outside(clipped(scanned, picture.rows, picture.columns), picture.rows, picture.columns)
    return known


def _black(
    frames: Frames, picture: Picture, palette: NDArray[np.uint8] | None, *, negative: bool
) -> tuple[int, ...]:
    """Give the picture's own black, a value for each sample: of greys the darkest that it shows."""
    if palette is not None:
        return (int(palette.sum(axis=1, dtype=np.int64).argmin()),)
    if not picture.grey:
        return (0, 128, 128) if frames.colours == "YBR_FULL" else (0, 0, 0)
    shown = [frames.stored(number) for number in samples_of(len(frames))]
    if (picture.photometric == "MONOCHROME1") != negative:
        return (max(int(frame.max()) for frame in shown),)
    return (min(int(frame.min()) for frame in shown),)


def _written(
    header: Header,
    picture: Picture,
    frames: Frames,
    *,
    boxes: Sequence[Box],
    black: tuple[int, ...],
    tools: tuple[str, ...],
) -> Cleaned:
    """Put the object together again; pixels that don't change stay as they are encoded."""
    sop_class, sop_instance = header.text(0x00080016), header.text(0x00080018)
    mark_cleaned(header)
    if picture.compressed:
        tools = (*tools, *codec.versions(header.syntax))
    if not boxes and not frames.surplus and frames.bare():
        pixels = header.fragments(enclosed(frames.encoded)) if picture.compressed else None
        return Cleaned(header.written(sop_class, sop_instance, header.syntax, pixels), tools)

    in_rgb = frames.colours == "YBR_FULL" and picture.compressed and sop_class.startswith(_WITHOUT_YBR)
    redacted = (blackened(frames.stored(number), boxes, picture, black) for number in range(len(frames)))
    shown = (rgb(pixels_of(frame, picture)) if in_rgb else frame for frame in redacted)
    syntax = header.syntax
    if picture.compressed:
        mark_encoded(header, picture, frames, b"RGB" if in_rgb else frames.colours.encode())
    if picture.compressed and codec.fits_jpeg_ls(picture):
        syntax = codec.JPEG_LS_LOSSLESS
        pixels = header.fragments(enclosed([codec.encode(frame, picture) for frame in shown]))
        tools = (*tools, *(tool for tool in codec.versions(syntax) if tool not in tools))
    else:
        syntax = codec.EXPLICIT_LITTLE if picture.compressed else syntax
        pixels = header.native(frames.written(shown), wide=picture.width > 1)
    if boxes:
        done = repr((sop_instance, tools, [tuple(box) for box in boxes], black))
        sop_instance = mark_derived(header, done, boxes=len(boxes), tools=tools)
    return Cleaned(header.written(sop_class, sop_instance, syntax, pixels), tools)
