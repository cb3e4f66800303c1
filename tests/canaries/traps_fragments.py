"""Traps made of compressed pixels: comments, application data, what stands beside and behind the images."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pydicom.encaps import encapsulate

from tests.canaries.drawn import background, shown
from tests.canaries.traps import Setting, Trap, setting, trap
from tests.canaries.writing import ENCODERS, frames_of, written


def _image(made: Setting, syntax: str) -> bytes:
    """Give the compressed frame of the object, of eight bits."""
    shown(made.data, background(3)[:, :64, :64])
    made.data.Rows = made.data.Columns = 64
    return ENCODERS[syntax](frames_of(made.data)[0], 8, signed=False)


def _encapsulate(made: Setting, fragments: bytes) -> None:
    made.data.PixelData = fragments
    made.data["PixelData"].VR = "OB"
    made.data["PixelData"].is_undefined_length = True


def _segment(marker: int, text: str) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(text) + 2) + text.encode()


def _after(image: bytes, marker: bytes, what: bytes) -> bytes:
    at = image.index(marker) + len(marker)
    return image[:at] + what + image[at:]


def _before(image: bytes, marker: bytes, what: bytes) -> bytes:
    at = image.rindex(marker)
    return image[:at] + what + image[at:]


def _behind_size(image: bytes, what: bytes) -> bytes:
    """Put a marker segment behind SIZ, which comes first in a codestream."""
    at = 4 + int.from_bytes(image[4:6])
    return image[:at] + what + image[at:]


def _in_tile(image: bytes, segment: bytes) -> bytes:
    """Put a marker segment into the header of the first tile part, and count it in."""
    at = image.index(b"\xff\x90\0\x0a")
    length = int.from_bytes(image[at + 6 : at + 10])
    head = image[at : at + 6] + (length + len(segment)).to_bytes(4) + image[at + 10 : at + 12]
    return image[:at] + head + segment + image[at + 12 :]


FRAGMENTS: dict[str, tuple[tuple[str, ...], Callable[[bytes, str], list[bytes]]]] = {
    "comment": (
        ("jpeg", "jpeg-ls", "jpeg-lossless"),
        lambda image, text: [_after(image, b"\xff\xd8", _segment(0xFE, text))],
    ),
    "EXIF": (
        ("jpeg",),
        lambda image, text: [_after(image, b"\xff\xd8", _segment(0xE1, "Exif\0\0" + text))],
    ),
    "application data": (
        ("jpeg-ls",),
        lambda image, text: [_after(image, b"\xff\xd8", _segment(0xE8, text))],
    ),
    "comment before the scan": (
        ("jpeg", "jpeg-ls"),
        lambda image, text: [_before(image, b"\xff\xda", _segment(0xFE, text))],
    ),
    "comment after the scan": (
        ("jpeg", "jpeg-ls"),
        lambda image, text: [_before(image, b"\xff\xd9", _segment(0xFE, text))],
    ),
    "comment of the codestream": (
        ("jpeg-2000",),
        lambda image, text: [_behind_size(image, _segment(0x64, "\0\1" + text))],
    ),
    "comment of a tile": (
        ("jpeg-2000",),
        lambda image, text: [_in_tile(image, _segment(0x64, "\0\1" + text))],
    ),
    "behind the image": (tuple(ENCODERS), lambda image, text: [image + text.encode().ljust(32)]),
    "a fragment more": (tuple(ENCODERS), lambda image, text: [image, text.encode().ljust(32)]),
    "a fragment before": (("jpeg", "jpeg-2000"), lambda image, text: [text.encode().ljust(32), image]),
    "a second image": (
        ("jpeg",),
        lambda image, text: [image, _after(image, b"\xff\xd8", _segment(0xFE, text))],
    ),
}


def _fragments(name: str, syntax: str, *, known: bool) -> None:
    def make() -> Trap:
        made = setting()
        word = made.person.family if known else made.words.word()
        parts = FRAGMENTS[name][1](_image(made, syntax), f"of {word} 1 ")
        _encapsulate(made, encapsulate([part + b"\0" * (len(part) % 2) for part in parts], has_bot=False))
        return made.trap(written(made.data, syntax), word=word)

    trap(f"fragments: {syntax}, {name}, {'known' if known else 'unknown'}")(make)


for _name, (_syntaxes, _) in FRAGMENTS.items():
    for _syntax in _syntaxes:
        _fragments(_name, _syntax, known=True)
        _fragments(_name, _syntax, known=False)


@trap("fragments: a text as offset table")
def offsets() -> Trap:
    made = setting()
    image = _image(made, "jpeg-ls")
    word = made.words.word()
    text = f"of {word} 1 ".encode().ljust(16)
    content = encapsulate([image + b"\0" * (len(image) % 2)], has_bot=False)
    _encapsulate(made, content[:4] + struct.pack("<I", len(text)) + text + content[8:])
    return made.trap(written(made.data, "jpeg-ls"), word=word)


@trap("fragments: an extended offset table of letters")
def extended_offsets() -> Trap:
    made = setting()
    image = _image(made, "jpeg-ls")
    word = made.words.word()
    _encapsulate(made, encapsulate([image + b"\0" * (len(image) % 2)], has_bot=False))
    made.data.add_new(0x7FE00001, "OV", f"of {word} 1 ".encode().ljust(16))
    made.data.add_new(0x7FE00002, "OV", bytes(16))
    return made.trap(written(made.data, "jpeg-ls"), word=word)
