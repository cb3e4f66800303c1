"""All that bytes may hold in another spelling: deflated, base64, swapped, backwards, escaped."""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import zlib
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

from tests.canaries.planting import ESCAPES

LIMIT = 1 << 26
"""Bytes that something may inflate to."""
DEPTH = 3
"""Base64 inside of deflate inside of base64 is looked at, deeper is not."""

DEFLATED = b"1.2.840.10008.1.2.1.99"

_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}(?:[\r\n]+[A-Za-z0-9+/_-]+)*={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}[\s<>]?){6,}")
_WRITTEN = re.compile(rb"&#?\w{2,8};|%[0-9A-Fa-f]{2}|=[0-9A-F]{2}|\\[0-7]{3}")
_OCTAL = re.compile(rb"\\([0-7]{3})")


def views(content: bytes, depth: int = DEPTH) -> Iterator[tuple[str, bytes]]:
    """Give every reading of the bytes, with its name."""
    yield "raw", content
    if _WRITTEN.search(content):
        yield "unescaped", _unescaped(content)
    if ESCAPES.search(content):
        yield "without escapes", ESCAPES.sub(b"", content)
    yield "backwards", content[::-1]
    yield "swapped", _swapped(content)
    yield "swapped, odd", _swapped(content[1:])
    if depth:
        for name, inner in unpacked(content):
            for spelled, view in views(inner, depth - 1):
                yield f"{name}, {spelled}", view


def unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Give what is packed inside."""
    if content[128:132] == b"DICM" and DEFLATED in content[:1024]:
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        yield "data set", machine.decompress(content[_data_set(content) :], LIMIT)
        yield "behind the data set", machine.unused_data
        return
    yield from (("inflated", inner) for inner in _inflated(content))
    texts = [inner for run in _BASE64.findall(content) for inner in _unbased(run)]
    if texts:
        yield "base64", b"\n".join(texts)
    digits = b"\n".join(_unhexed(run) for run in _HEX.findall(content))
    if digits:
        yield "hexadecimal", digits


def _unescaped(content: bytes) -> bytes:
    """Give what XML, URLs, mails and PDF strings write by a code."""
    text = html.unescape(content.decode("latin-1")).encode("utf-8")
    return _OCTAL.sub(
        lambda found: bytes([int(found[1], 8) & 255]), quopri.decodestring(unquote_to_bytes(text))
    )


def _data_set(content: bytes) -> int:
    """Tell where the data set begins: behind File Meta Information Group Length and what it counts."""
    return 144 + int.from_bytes(content[140:144], "little")


def _swapped(content: bytes) -> bytes:
    swapped = bytearray(content[: len(content) & ~1])
    swapped[::2], swapped[1::2] = swapped[1::2], swapped[::2]
    return bytes(swapped)


def _inflated(content: bytes) -> Iterator[bytes]:
    for found in _ZLIB.finditer(content):
        machine = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            inner = machine.decompress(content[found.start() :], LIMIT)
        except zlib.error:
            continue
        if len(inner) >= 8:
            yield inner


def _unbased(run: bytes) -> Iterator[bytes]:
    plain = re.sub(rb"[\r\n=]", b"", run).translate(bytes.maketrans(b"-_", b"+/"))
    # Where the text before it ended is not known: one of four alignments is the right one.
    for start in range(4):
        part = plain[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        try:
            yield base64.b64decode(part + b"=" * (-len(part) % 4))
        except binascii.Error:
            continue


def _unhexed(run: bytes) -> bytes:
    digits = re.sub(rb"[\s<>]", b"", run)
    return binascii.unhexlify(digits[: len(digits) & ~1])
