"""What a person could see of a frame: pictures of 8 bits in which text is looked for. Pure.

Text can be drawn in a grey that only some windows tell from what is around it, so that frames of more than 8
bits are seen in several: most of their range, all of it, and the object's own windows. And text can lie over
anatomy as bright as itself: in a view of its own each pixel is compared with what is around it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from agents.anonymization.pixels.header import Header
from agents.anonymization.pixels.picture import Samples

Bytes = NDArray[np.uint8]
_Value = TypeVar("_Value", bound=np.generic)

_WINDOWS = 4
"""Most of an object's own windows that are looked at."""
_MOST = 0.5, 99.5
"""Percentiles that most of a frame lies between."""
_BYTE = 255
_BYTE_BITS = 8
_NARROW = 128
"""A range of bytes below this is also looked at spread out."""
_NEARLY = 4 / 3
"""How much wider a range is at most that is looked at in place of another: the faintest text that is found in
the one has six greys in the other, and where it stands out that little the view of differences shows it."""
_AROUND = 16
"""Pixels to each side that are around a pixel."""
_MIDDLE, _SPREAD, _CALM = 128, 48, 32
"""Of the view of differences: its grey for none, its greys for a standard deviation, and the part of most of
the range that is added to each deviation, so that calm areas stay calm."""
_WIDEST = 1 << 16
_COLOURS = 3
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")

Range = tuple[float, float]


class Windows(NamedTuple):
    """How stored values become greys (PS3.3, C.11.1 and C.11.2): rescaling, and (centre, width) pairs."""

    slope: float
    intercept: float
    windows: tuple[tuple[float, float], ...]

    def ranges(self) -> list[Range]:
        """Give, for each window, the stored values that it tells apart."""
        found = []
        for centre, width in self.windows:
            ends = [(end - self.intercept) / self.slope for end in (centre - width / 2, centre + width / 2)]
            found.append((min(ends), max(ends)))
        return found


def windows_of(header: Header) -> Windows:
    """Read the object's own windows; what is no number is left out."""
    slope, intercept = _decimals(header, 0x00281053), _decimals(header, 0x00281052)
    pairs = zip(_decimals(header, 0x00281050), _decimals(header, 0x00281051), strict=False)
    return Windows(
        (slope or [1.0])[0] or 1.0,
        (intercept or [0.0])[0],
        tuple((centre, width) for centre, width in pairs if width > 0)[:_WINDOWS],
    )


class Views:
    """Shows frames of one object, all in the same greys, so that what does not change looks the same.

    Parameters
    ----------
    samples
        Frames by pixel, (rows, columns) or (rows, columns, 3), from which the greys are chosen.
    colours
        What they are: a photometric interpretation.
    stored
        Bits of a sample.
    palette
        Colours by value.
    windows
        The object's own.
    """

    def __init__(
        self,
        samples: Sequence[Samples],
        *,
        colours: str,
        stored: int,
        palette: Bytes | None,
        windows: Windows,
    ) -> None:
        self._palette = palette
        self._converted = colours == "YBR_FULL"
        self._deep = palette is None and stored != _BYTE_BITS
        shown = np.stack([self._compared(pixels) for pixels in samples])
        most = _most(shown)
        whole = float(shown.min()), float(shown.max())
        self._calm = max((most[1] - most[0]) / _CALM, 1.0)
        self._lowest, self._shift = int(shown.min()), 0
        while int(shown.max()) - self._lowest >> self._shift >= _WIDEST:
            self._shift += 1
            self._calm = max(self._calm / 2, 1.0)
        if self._deep:
            ranges = [most, whole, *windows.ranges()]
        elif 0 < whole[1] - whole[0] < _NARROW:
            ranges = [(0.0, float(_BYTE)), whole]
        else:
            ranges = [(0.0, float(_BYTE))]
        self.ranges = apart([some for some in ranges if some[1] > some[0]], whole) or [(0.0, 1.0)]

    def plain(self, pixels: Samples) -> list[Bytes]:
        """Give the frame in each of its greys, (rows, columns, 1 or 3)."""
        shown = self._coloured(pixels)
        if not self._deep and len(self.ranges) == 1:
            return [_planes(shown.astype(np.uint8))]
        values = shown.astype(np.float64)
        return [
            _planes(np.clip((values - low) * (_BYTE / (high - low)), 0, _BYTE).astype(np.uint8))
            for low, high in self.ranges
        ]

    def compared(self, pixels: Samples, hidden: NDArray[np.bool_]) -> Bytes:
        """Give the view in which each pixel is compared with the mean of what is around it.

        Parameters
        ----------
        pixels
            The frame.
        hidden
            A mask of what is redacted: it counts for nothing, so that its edges are none.
        """
        planes = _planes(self._compared(pixels))
        found = [self._difference(planes[..., plane], ~hidden) for plane in range(planes.shape[2])]
        return np.stack(found, axis=-1)

    def _coloured(self, pixels: Samples) -> Samples:
        if self._palette is not None:
            return self._palette[pixels.astype(np.int64)]
        return rgb(pixels) if self._converted else pixels

    def _compared(self, pixels: Samples) -> Samples:
        """Give what is compared: colours as the object has them."""
        return pixels if self._palette is None else self._coloured(pixels)

    def _difference(self, plane: Samples, shown: NDArray[np.bool_]) -> Bytes:
        # in whole numbers up to the deviation, so that sums are the same on every machine
        values = np.clip(plane.astype(np.int64) - self._lowest >> self._shift, 0, _WIDEST - 1) * shown
        count = np.maximum(around(shown.astype(np.int64)), 1)
        mean = around(values) / count
        deviation = np.sqrt(np.maximum(around(values * values) / count - mean * mean, 0))
        found = np.clip(_MIDDLE + _SPREAD * (values - mean) / (deviation + self._calm), 0, _BYTE)
        return np.where(shown, found, _MIDDLE).astype(np.uint8)


def apart(ranges: Sequence[Range], whole: Range) -> list[Range]:
    """Give the ranges that are needed: without those of which another shows all in nearly as many greys.

    Parameters
    ----------
    ranges
        In the order in which they come out.
    whole
        What there are values in.
    """
    shown = {some: (max(some[0], whole[0]), min(some[1], whole[1])) for some in ranges}
    needed: list[Range] = []
    for some in sorted(shown, key=lambda one: (shown[one][0] - shown[one][1], one[1] - one[0])):
        least, most = shown[some]
        if not any(
            low <= least and most <= high and high - low <= _NEARLY * (some[1] - some[0])
            for low, high in needed
        ):
            needed.append(some)
    return [some for some in shown if some in needed]


def rgb(pixels: Samples) -> Bytes:
    """Give RGB for YBR_FULL of 8 bits (PS3.3, C.7.6.3.1.2), in whole numbers of 1/65536."""
    light, blue, red = (pixels[..., sample].astype(np.int64) for sample in range(_COLOURS))
    blue, red, half = blue - 128, red - 128, 1 << 15
    samples = (
        (light << 16) + 91_881 * red,
        (light << 16) - 22_554 * blue - 46_802 * red,
        (light << 16) + 116_130 * blue,
    )
    found: Bytes = np.clip(np.stack(samples, axis=-1) + half >> 16, 0, _BYTE).astype(np.uint8)
    return found


def around(values: NDArray[np.int64], reach: int = _AROUND) -> NDArray[np.int64]:
    """Give, for each pixel, the sum of the square that reaches so far to each side."""
    return _beside(_beside(values, reach).T, reach).T


def _beside(values: NDArray[np.int64], reach: int) -> NDArray[np.int64]:
    """Give, for each pixel, the sum of those that lie so far above and below it."""
    rows = len(values)
    total = np.zeros((rows + 2 * reach + 1, values.shape[1]), np.int64)
    np.cumsum(values, axis=0, out=total[reach + 1 : reach + 1 + rows])
    total[reach + 1 + rows :] = total[reach + rows]
    return total[2 * reach + 1 :] - total[:rows]


def _most(values: Samples) -> Range:
    low, high = np.percentile(values, _MOST)
    return float(low), float(high)


def _planes(view: NDArray[_Value]) -> NDArray[_Value]:
    """Give a view with an axis of colours, if only of one."""
    return view[..., None] if view.ndim == 2 else view  # noqa: PLR2004 - without colours


def _decimals(header: Header, tag: int) -> list[float]:
    texts = header.text(tag).split("\\")
    return [float(text) for text in map(str.strip, texts) if _NUMBER.fullmatch(text)]
