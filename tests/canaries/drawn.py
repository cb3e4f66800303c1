"""Text drawn into pixels, and whether it can still be read: by its known places, without any recognition."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array

ROWS, COLUMNS = 240, 320
LEGIBLE = 0.3
"""Correlation of pixels with the letters that were drawn there: beyond it somebody can read them."""
FLAT = 0.02
"""Contrast, as a part of all that the image has, below which nobody sees anything."""


class Line(NamedTuple):
    """A drawn line: its box and, inside of it, where ink is."""

    text: str
    left: int
    top: int
    ink: np.ndarray

    def of(self, frame: np.ndarray) -> np.ndarray:
        """Cut the box out of a frame."""
        rows, columns = self.ink.shape
        return frame[self.top : self.top + rows, self.left : self.left + columns]


def line(text: str, left: int, top: int, size: int = 14) -> Line:
    """Set a line of text."""
    font = ImageFont.load_default(size)
    width, height = (int(side) + 4 for side in font.getbbox(text)[2:])
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).text((2, 0), text, fill=255, font=font)
    return Line(text, left, top, np.asarray(image) > 127)


def background(seed: int, frames: int = 1) -> np.ndarray:
    """Give frames of eight bits that look like tissue: smooth, with speckle, darker to the edge."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : ROWS * 1j, -1 : 1 : COLUMNS * 1j]
    body = 90 * np.exp(-2 * (x**2 + y**2)) + 20 * np.sin(5 * x) * np.cos(4 * y) * (x**2 + y**2 < 1)
    speckle = random.normal(1, 0.15, (frames, ROWS, COLUMNS))
    return np.clip(body * speckle + 12, 0, 200).astype(np.uint8)


def draw(frames: np.ndarray, lines: list[Line], value: int = 255) -> np.ndarray:
    """Draw lines into each frame."""
    drawn = frames.copy()
    for one in lines:
        for frame in drawn:
            one.of(frame)[one.ink] = value
    return drawn


def shown(data: Dataset, frames: np.ndarray, kind: str = "MONOCHROME2", bits: int = 8) -> Dataset:
    """Put frames of eight bits into a data set, in a photometric interpretation.

    `kind`: MONOCHROME1, MONOCHROME2, RGB, RGB planes, YBR_FULL or PALETTE COLOR.
    """
    data.Rows, data.Columns = ROWS, COLUMNS
    data.BitsAllocated = bits
    data.BitsStored, data.HighBit = (bits, bits - 1) if bits == 8 else (12, 11)
    data.PixelRepresentation, data.SamplesPerPixel = 0, 1
    data.PhotometricInterpretation = kind.removesuffix(" planes")
    data.pop("PlanarConfiguration", None)
    if "NumberOfFrames" in data or len(frames) > 1:
        data.NumberOfFrames = str(len(frames))
    content = frames.astype("<u2") << 4 if bits == 16 else frames
    match kind:
        case "MONOCHROME1":
            content = (0xFF0 if bits == 16 else 0xFF) - content
        case "RGB" | "RGB planes":
            content = np.stack([content, content - content // 8, content], axis=-1)
        case "YBR_FULL":
            content = np.stack([content, np.full_like(content, 128), np.full_like(content, 128)], axis=-1)
        case "PALETTE COLOR":
            for colour in ("Red", "Green", "Blue"):
                setattr(data, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 8])
                setattr(data, f"{colour}PaletteColorLookupTableData", bytes(range(256)))
    if content.ndim == 4:
        data.SamplesPerPixel = 3
        data.PlanarConfiguration = int(kind == "RGB planes")
        if kind == "RGB planes":
            content = np.moveaxis(content, -1, 1)
    data.PixelData = np.ascontiguousarray(content).tobytes()
    data["PixelData"].VR = "OB" if bits == 8 else "OW"
    return data


def legible(data: Dataset, lines: list[Line]) -> list[str]:
    """Give the lines that can still be read, in any frame, with the frame's number."""
    frames = pixel_array(data)
    if data.SamplesPerPixel > 1:
        frames = frames[..., :3].astype(float).mean(axis=-1)
    frames = frames.reshape((-1, *frames.shape[-2:])).astype(float)
    return [
        f"{one.text!r} in frame {number}"
        for number, frame in enumerate(frames)
        for one in lines
        if _reads(one.of(frame), one.ink, float(np.ptp(frame)))
    ]


def legible_in_bits(data: Dataset, lines: list[Line]) -> list[str]:
    """Give the lines that can be read in some bit of native grey pixels, also in one that is not used."""
    values = np.frombuffer(data.PixelData, dtype=f"<u{data.BitsAllocated // 8}")
    frames = values[: values.size // (data.Rows * data.Columns) * data.Rows * data.Columns]
    planes = [(frames.reshape((-1, data.Rows, data.Columns)) >> bit) & 1 for bit in range(data.BitsAllocated)]
    return [
        f"{one.text!r} in bit {bit}"
        for bit, plane in enumerate(planes)
        for frame in plane
        for one in lines
        if _reads(one.of(frame.astype(float)), one.ink, 1.0)
    ]


def _reads(box: np.ndarray, ink: np.ndarray, span: float) -> bool:
    if box.shape != ink.shape:
        return False
    contrast = abs(box[ink].mean() - box[~ink].mean())
    if contrast <= FLAT * span or box.std() == 0:
        return False
    return bool(abs(np.corrcoef(box.ravel(), ink.ravel())[0, 1]) > LEGIBLE)
