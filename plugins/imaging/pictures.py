"""Pictures of a volume for cards: key slice, projection, scrub strip. Pure: arrays in, WebP bytes out.

Always the whole slice in its true proportions (mm), on black; radiological convention: the patient's right
is on the left of the picture, head up.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from plugins.imaging.intensity import Window, entropy
from plugins.imaging.orientation import slice_axis, towards_patient
from plugins.imaging.types import Volume, Voxels

KEY_PIXELS = 320
STRIP_FRAMES = 24
STRIP_PIXELS = 160
QUALITY = 82
STRIP_QUALITY = 70

Grey = NDArray[np.uint8]


def webp(picture: NDArray[np.uint8], quality: int = QUALITY) -> bytes:
    """Encode (rows, columns) grey or (rows, columns, 3) RGB."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def fitted(picture: NDArray[np.uint8], spacing: tuple[float, float], pixels: int) -> NDArray[np.uint8]:
    """Scale so that the longer side has `pixels` and both directions the same mm a pixel.

    Parameters
    ----------
    picture
        (rows, columns) or (rows, columns, 3).
    spacing
        Between rows and between columns, mm.
    pixels
        Length of the longer side.
    """
    height, width = picture.shape[0] * spacing[0], picture.shape[1] * spacing[1]
    scale = pixels / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shrunk = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.asarray(shrunk)


def key_slice(volume: Volume, window: Window) -> tuple[bytes, int]:
    """Draw the most entropic of the acquired slices, and say which it is, counted towards L, P or S."""
    turned, spacing = towards_patient(volume)
    axis = slice_axis(volume)
    index = most_entropic(turned, axis, window)
    picture = _upright(window.grey(np.take(turned, index, axis=axis)), axis)
    return webp(fitted(picture, _in_plane(spacing, axis), KEY_PIXELS)), index


def most_entropic(turned: Voxels, axis: int, window: Window) -> int:
    """Find the slice whose grey levels say most, judged at 128 pixels or more a side; ties: the first."""
    moved = np.moveaxis(turned, axis, 0)
    step = max(1, min(moved.shape[1:]) // 128)
    scores = [entropy(window.grey(plane[::step, ::step])) for plane in moved]
    return int(np.argmax(scores))


def projection(volume: Volume, window: Window) -> bytes:
    """Draw the maximum intensity projection from the front (minimum, if high values are dark)."""
    turned, spacing = towards_patient(volume)
    depth = turned.min(axis=1) if window.black > window.white else turned.max(axis=1)
    picture = _upright(_for_maxima(window, depth).grey(depth), 1)
    return webp(fitted(picture, _in_plane(spacing, 1), KEY_PIXELS))


def strip(volume: Volume, window: Window) -> bytes:
    """Draw `STRIP_FRAMES` slices of equal distance, side by side, all of one size, first to last."""
    turned, spacing = towards_patient(volume)
    axis = slice_axis(volume)
    count = turned.shape[axis]
    margin = math.floor(count * 0.04)  # the outermost slices are mostly air
    indices = np.rint(np.linspace(margin, count - 1 - margin, STRIP_FRAMES)).astype(int)
    frames = [
        fitted(
            _upright(window.grey(np.take(turned, int(index), axis=axis)), axis),
            _in_plane(spacing, axis),
            STRIP_PIXELS,
        )
        for index in indices
    ]
    return webp(np.concatenate(frames, axis=1), STRIP_QUALITY)


def flat_picture(image: NDArray[Any], spacing: tuple[float, float], *, inverted: bool) -> bytes:
    """Draw a single image that is no part of a volume: grey by percentiles, or RGB as it is."""
    if image.ndim == 3:  # noqa: PLR2004 - rows, columns, RGB
        return webp(fitted(image.astype(np.uint8), spacing, KEY_PIXELS))
    black, white = (float(value) for value in np.percentile(image, [0.5, 99.5]))
    white = max(white, black + 1.0)
    window = Window(black=white, white=black) if inverted else Window(black=black, white=white)
    return webp(fitted(window.grey(image), spacing, KEY_PIXELS))


def _for_maxima(window: Window, depth: NDArray[Any]) -> Window:
    """Widen a slice's window for maxima, which are brighter, so that they neither saturate nor look flat."""
    if window.black > window.white:
        return window
    seen = depth[depth > window.black + 0.25 * (window.white - window.black)]
    if seen.size == 0:
        return window
    low, high = (float(value) for value in np.percentile(seen, [2, 99.7]))
    black = window.black + 0.6 * max(0.0, low - window.black)
    width = window.white - window.black
    return Window(black=black, white=min(max(high, black + 0.5 * width), black + 1.75 * width))


def _upright(picture: Grey, axis: int) -> Grey:
    """Put the head up: planes that hold S as rows grow upwards."""
    return picture if axis == 0 else picture[::-1]


def _in_plane(spacing: tuple[float, float, float], axis: int) -> tuple[float, float]:
    rest = [value for index, value in enumerate(spacing) if index != axis]
    return rest[0], rest[1]
