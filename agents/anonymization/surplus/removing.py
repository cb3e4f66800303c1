"""Pixel Data made to hold an image and nothing else, in its place and length. Pure.

Compressed images keep every byte that decodes: comments and application data, what stands behind an image's
end, and offset tables that are none, become zeros; of a JP2 file its codestream stays. Of native pixels bits
that belong to no value become zeros. What may be hidden in the values of an image itself is not looked for.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator

from agents.anonymization.surplus import jp2, jpeg, jpeg_2000, run_lengths
from agents.anonymization.surplus.bits import without_unused
from agents.anonymization.surplus.fragments import Fragments, by_frames
from agents.anonymization.surplus.image import Image
from agents.anonymization.surplus.spans import Span, broken

OFFSETS, LENGTHS, TOTAL = 0x7FE00001, 0x7FE00002, 0x7FE00003
"""Extended Offset Table, its lengths, Encapsulated Pixel Data Value Total Length."""
_RUN_LENGTHS = "1.2.840.10008.1.2.5"
_EMPTY = re.compile(rb"[\x00\x80]*|.", re.DOTALL)
"""Padding; of a single byte any."""


def image_alone(pixels: memoryview, image: Image, *, encapsulated: bool) -> bytes | None:
    """Give Pixel Data without what is no part of its image; None: there is nothing of the kind.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it can't be told what is part of it.
    """
    if not encapsulated:
        return without_unused(pixels, image)
    fragments = by_frames(pixels, image.frames)
    changes = [*_corrected(pixels, fragments)]
    for frame in fragments.frames:
        content = whole = b"".join(pixels[begin:end] for begin, end in frame)
        if content.startswith(jp2.START):
            content = jp2.codestream(content).ljust(len(whole), b"\0")
        spans = [span for span in _beside(content, image) if not _EMPTY.fullmatch(content, *span)]
        if spans or content is not whole:
            changes += _spread(_emptied(content, spans, image), frame)
    if not changes:
        return None
    made = bytearray(pixels)
    for begin, value in changes:
        made[begin : begin + len(value)] = value
    return bytes(made)


def check_tables(
    value: Callable[[int], bytes], pixels: memoryview, image: Image, *, encapsulated: bool
) -> None:
    """Raise `Refusal` when an extended offset table says anything but where the frames are."""
    offsets, lengths, total = value(OFFSETS), value(LENGTHS), value(TOTAL)
    if not (offsets or lengths or total):
        return
    if not encapsulated:
        raise broken()
    fragments = by_frames(pixels, image.frames)
    if offsets or lengths:
        if offsets != _numbers(fragments.offsets) or len(lengths) != len(offsets):
            raise broken()
        said = struct.unpack(f"<{len(lengths) // 8}Q", lengths)
        if any(have - one not in (0, 1) for have, one in zip(fragments.lengths, said, strict=True)):
            raise broken()
    if total and total not in {_numbers([sum(fragments.lengths) - padded]) for padded in (0, 1)}:
        raise broken()


def _numbers(values: list[int]) -> bytes:
    return struct.pack(f"<{len(values)}Q", *values)


def _corrected(pixels: memoryview, fragments: Fragments) -> Iterator[tuple[int, bytes]]:
    """Give a Basic Offset Table that says where the frames are, unless it does."""
    begin, end = fragments.table
    if begin == end:
        return
    if end - begin != 4 * len(fragments.frames):
        raise broken()
    right = struct.pack(f"<{len(fragments.frames)}L", *(offset & 0xFFFFFFFF for offset in fragments.offsets))
    if pixels[begin:end] != right:
        yield begin, right


def _beside(content: bytes, image: Image) -> Iterator[Span]:
    if content.startswith(jpeg_2000.START):
        return jpeg_2000.beside(content)
    if content.startswith(jpeg.START):
        return jpeg.beside(content)
    plane = image.plane_bytes()
    if plane is None or image.samples is None or image.bits_allocated is None:
        raise broken()
    match image.syntax:
        case "1.2.840.10008.1.2.5":  # RLE
            each = image.bits_allocated // 8
            return run_lengths.beside(content, plane // max(each, 1), image.samples * each)
        case "1.2.840.10008.1.2.1.98":  # uncompressed, encapsulated
            return iter([(plane * image.samples, len(content))])
        case "1.2.840.10008.1.2.8.1":  # each frame deflated
            return iter([(_inflated_end(content, plane * image.samples), len(content))])
        case _:
            raise broken()


def _inflated_end(content: bytes, size: int) -> int:
    """Tell where a deflated frame of so many bytes ends."""
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        machine.decompress(content, size + 2)
    except zlib.error as error:
        raise broken() from error
    if not machine.eof:
        raise broken()
    return len(content) - len(machine.unused_data)


def _emptied(content: bytes, spans: list[Span], image: Image) -> bytes:
    made = bytearray(content)
    nothing = b"\x80" if image.syntax == _RUN_LENGTHS else b"\0"
    for begin, end in spans:
        made[begin:end] = nothing * (end - begin)
    return bytes(made)


def _spread(content: bytes, frame: list[Span]) -> Iterator[tuple[int, bytes]]:
    """Give what stands in each fragment of a frame."""
    at = 0
    for begin, end in frame:
        yield begin, content[at : at + end - begin]
        at += end - begin
