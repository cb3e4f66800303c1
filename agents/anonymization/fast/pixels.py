"""Pixels that stay where they are: where they lie, and whether more lies there than an image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from agents.anonymization.admission import check_pixels
from agents.anonymization.fast.scan import ITEM, ITEM_HEAD, SEQUENCE_END, Surprise
from agents.anonymization.fast.sources import Source
from agents.anonymization.surplus.bits import unused
from agents.anonymization.surplus.image import Image
from agents.anonymization.surplus.removing import image_alone
from agents.anonymization.values import Known
from streams.copying import CHUNK, Span

DELIMITER = SEQUENCE_END + bytes(4)
"""Ends fragments."""
_HEAD = 8
"""Bytes in front of a fragment."""
_LARGEST = 1 << 26
"""Most bytes of compressed pixels that are looked into."""


class Pixels(NamedTuple):
    """Where the value of Pixel Data lies, and whether it consists of fragments, heads and all."""

    span: Span
    encapsulated: bool


def find_fragments(source: Source, offset: int, at_most: int) -> list[Span]:
    """Walk fragments from one head to the next, to their delimiter.

    Raises
    ------
    Surprise
        When they end otherwise, or there are more than may be.
    """
    found: list[Span] = []
    position = offset
    while len(found) < at_most:
        head = source.read(position, _HEAD)
        if len(head) < _HEAD:
            break
        mark, length = ITEM_HEAD(head, 0)
        if mark == SEQUENCE_END:
            return found
        if mark != ITEM:
            break
        found.append(Span(position, _HEAD + length))
        position += _HEAD + length
    raise Surprise


def check(source: Source, pixels: Pixels, image: Image, expected: int | None, known: Known) -> None:
    """Look for what does not belong into pixels, reading no more of them than that takes.

    Parameters
    ----------
    image
        What the object says of its image.
    expected
        Bytes that the image's own description asks for; None: it has none.
    known
        What must not stand in compressed pixels.

    Raises
    ------
    Surprise, agents.anonymization.outcome.Refusal
        When there is more than an image.
    """
    offset, length = pixels.span.offset, pixels.span.length
    if pixels.encapsulated:
        if length > _LARGEST:
            raise Surprise
        content = memoryview(source.read(offset, length))
        if image_alone(content, image, encapsulated=True) is not None:
            raise Surprise
        check_pixels(content, expected, encapsulated=True, names=known.occur_in)
        return
    if expected is None and length:
        raise Surprise
    if unused(image):
        for chunk in _chunks(source, offset, offset + length):
            if image_alone(chunk, image, encapsulated=False) is not None:
                raise Surprise
    for chunk in _chunks(source, offset + (expected or 0), offset + length):
        check_pixels(chunk, 0, encapsulated=False, names=known.occur_in)


def _chunks(source: Source, begin: int, end: int) -> Iterator[memoryview]:
    for offset in range(begin, end, CHUNK):
        length = min(CHUNK, end - offset)
        chunk = memoryview(source.read(offset, length))
        if len(chunk) < length:
            raise Surprise
        yield chunk
