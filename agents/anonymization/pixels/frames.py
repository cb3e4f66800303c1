"""An object's frames, one at a time: as they are stored, and as pixels. Pure.

Stored frames are (rows, columns), (rows, columns, 3), (3, rows, columns) by plane, or (rows, columns / 2, 4)
where two pixels share their colour: changed in this form, everything that is not redacted stays bit by bit
what it was. Bits that the object does not count as stored are cleared: overlays used to hide there.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from pydicom.encaps import encapsulate, generate_frames

from agents.anonymization.codestream import is_bare
from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels import codec
from agents.anonymization.pixels.boxes import Box
from agents.anonymization.pixels.decoder import Decoder
from agents.anonymization.pixels.header import Header
from agents.anonymization.pixels.picture import Picture, Samples
from gateway.elements import PIXEL_DATA

_CHROMA = 128
"""A chrominance of none, in 8 bits."""


class Frames:
    """Gives frames by number, decoded when they are asked for.

    Parameters
    ----------
    header, picture
        The object.
    decoder
        Decodes what is compressed.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When the pixels can't be told apart into frames, now; when one can't be decoded, when it is asked for.

    Attributes
    ----------
    encoded
        Compressed frames; empty when the object has none.
    surplus
        Whether a frame that was given so far had something in bits that are not stored, or the pixels go on
        behind the last frame.
    """

    def __init__(self, header: Header, picture: Picture, decoder: Decoder) -> None:
        self._decoder = decoder
        self._syntax = header.syntax
        self._little = header.encoding.little
        self._picture = picture
        # PS3.5, A.3: in big endian, bytes are words' halves in OW, and themselves in OB
        self._swapped = not self._little and picture.width == 1 and header.vr(PIXEL_DATA) == "OW"
        pixels = header.pixels if header.pixels is not None else memoryview(b"")
        self._pixels = memoryview(_swapped(pixels)) if self._swapped else pixels
        self._last: tuple[int, Samples] | None = None
        self.surplus = False
        self.encoded: list[bytes] = []
        if picture.compressed:
            if self._syntax not in codec.DECODED:
                raise Refusal("undecodable-pixels", "The compressed pixels can't be decoded.")
            self.encoded = _fragments(self._pixels, picture.frames)
        else:
            size = picture.frame_bytes * picture.frames
            used = -(-size // 8) if picture.allocated == 1 else size
            self.surplus = any(self._pixels[used:])

    def __len__(self) -> int:
        return self._picture.frames

    def stored(self, number: int) -> Samples:
        """Give a frame as it is stored, in this machine's byte order; not to be written to."""
        if not self.encoded:
            return self._native(number)
        if self._last is None or self._last[0] != number:
            image = self.encoded[number]
            frame = codec.decode(image, self._syntax, self._picture, self._decoder)
            self._last = number, self._cleared(frame)
        return self._last[1]

    def _native(self, number: int) -> Samples:
        picture, size = self._picture, self._picture.frame_bytes
        if picture.allocated == 1:
            begin = number * size // 8
            bits = np.frombuffer(self._pixels[begin : begin - (-size // 8)], np.uint8)
            return np.unpackbits(bits, bitorder="little")[:size].reshape(picture.rows, picture.columns)
        kind = np.dtype(f"{'<' if self._little else '>'}{'i' if picture.signed else 'u'}{picture.width}")
        frame = np.frombuffer(self._pixels[number * size : (number + 1) * size], kind)
        return self._cleared(frame.reshape(_shape(picture)).astype(kind.newbyteorder("=")))

    def _cleared(self, frame: Samples) -> Samples:
        unused = 8 * self._picture.width - self._picture.stored
        if not unused:
            return frame
        clean = (frame << unused) >> unused
        if not np.array_equal(clean, frame):
            self.surplus = True
        return clean

    def _ordered(self, frame: Samples) -> Samples:
        return frame.astype(frame.dtype.newbyteorder("<" if self._little else ">"))

    @property
    def colours(self) -> str:
        """What samples of a frame are once each pixel has its own: a photometric interpretation."""
        if self.encoded:
            return codec.colours_of(self.encoded[0], self._syntax, self._picture)
        return "YBR_FULL" if self._picture.photometric == "YBR_FULL_422" else self._picture.photometric

    def bare(self) -> bool:
        """Tell whether the compressed frames are nothing but pictures."""
        return all(is_bare(image) for image in self.encoded)

    def written(self, frames: Iterable[Samples]) -> bytes:
        """Give native pixels for stored frames."""
        picture = self._picture
        if picture.allocated == 1:
            bits = np.concatenate([frame.ravel() for frame in frames])
            value = np.packbits(bits, bitorder="little").tobytes()
        else:
            value = b"".join(self._ordered(frame).tobytes() for frame in frames)
        value += bytes(len(value) % 2)
        return _swapped(value) if self._swapped else value


def pixels_of(frame: Samples, picture: Picture) -> Samples:
    """Give a stored frame by pixel: (rows, columns), or (rows, columns, 3)."""
    if picture.halved:
        light = frame[:, :, :2].reshape(picture.rows, picture.columns)
        colour = np.repeat(frame[:, :, 2:], 2, axis=1)
        return np.concatenate([light[..., None], colour], axis=2)
    return np.moveaxis(frame, 0, 2) if picture.by_plane and not picture.compressed else frame


def blackened(frame: Samples, boxes: Iterable[Box], picture: Picture, black: tuple[int, ...]) -> Samples:
    """Give a stored frame with boxes in black; `black` has a value for each sample."""
    changed = frame.copy()
    for left, top, right, bottom in boxes:
        if picture.halved:
            changed[top:bottom, left // 2 : -(-right // 2)] = (black[0], black[0], *black[1:])
        elif picture.by_plane and not picture.compressed:
            changed[:, top:bottom, left:right] = np.array(black)[:, None, None]
        else:
            changed[top:bottom, left:right] = black if picture.samples > 1 else black[0]
    return changed


def enclosed(images: list[bytes]) -> bytes:
    """Give compressed frames as items of Pixel Data, one for each, with their offsets."""
    return encapsulate(images, has_bot=True)


def _swapped(value: bytes | memoryview) -> bytes:
    """Give bytes with the two of each word in the other order."""
    return np.frombuffer(value, "<u2").byteswap().tobytes()


def _shape(picture: Picture) -> tuple[int, ...]:
    if picture.halved:
        return picture.rows, picture.columns // 2, 4
    if picture.samples == 1:
        return picture.rows, picture.columns
    if picture.by_plane:
        return picture.samples, picture.rows, picture.columns
    return picture.rows, picture.columns, picture.samples


def _fragments(pixels: memoryview, count: int) -> list[bytes]:
    try:
        images = []
        for image in generate_frames(bytes(pixels), number_of_frames=count):
            images.append(image)
            if len(images) > count:
                break
    except Exception as error:  # whatever pydicom stumbles over
        raise Refusal("undecodable-pixels", "The compressed pixels can't be told apart.") from error
    if len(images) != count:
        raise Refusal("undecodable-pixels", "The compressed pixels can't be told apart.")
    return images
