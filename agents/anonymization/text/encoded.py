"""What a text says to whoever decodes it: escapes, base64, hexadecimal digits, look-alikes. Pure."""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import urllib.parse
from collections.abc import Iterator

_ESCAPED = re.compile(r"&#?\w{1,10};|%[0-9A-Fa-f]{2}|=[0-9A-Fa-f]{2}|\\(?:[0-7]{3}|[xu][0-9A-Fa-f]{2})")
_CODES = re.compile(r"\\([0-7]{3}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_CODED = re.compile(r"[a-z0-9][A-Z]|[A-Za-z][0-9][A-Za-z]")
"""Words hardly ever change like this, and what is encoded does."""
_STANDARD = str.maketrans("-_", "+/")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f](?:[ :-]?[0-9A-Fa-f]){9,}")
_PRINTED = re.compile(rb"[\x20-\x7e]{4,}")
_ALIKE = str.maketrans(
    "\u0430\u0432\u0435\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
    "\u0410\u0412\u0415\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0396",
    "abeijkmhopctyxsaeikvoptuxABEIJKMHOPCTYXSABEHIKMNOPTYXZ",
)
"""Cyrillic and Greek letters to the Latin ones that they look like."""


def readings(text: str) -> Iterator[str]:
    """Give what the text says decoded once, in each way in which it may be encoded."""
    if not text.isascii():
        alike = text.translate(_ALIKE)
        if alike != text:
            yield alike
    yield from escapes_read(text)
    for run in _BASE64.findall(text):
        if _CODED.search(run):
            yield from _printed(*_decoded(run.translate(_STANDARD)))
    for run in _HEXADECIMAL.findall(text):
        digits = re.sub("[ :-]", "", run)
        pairs = digits[: len(digits) & ~1], digits[1 : 1 + (len(digits) - 1 & ~1)]
        yield from _printed(*map(binascii.unhexlify, pairs))


def escapes_read(text: str) -> Iterator[str]:
    """Give the text with its escapes read: those of XML and URLs, of mails, of programs."""
    if _ESCAPED.search(text):
        yield html.unescape(urllib.parse.unquote(text))
        yield quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
        yield _CODES.sub(lambda code: chr(int(code[1].lstrip("xu"), 8 if code[1].isdigit() else 16)), text)


def _decoded(run: str) -> Iterator[bytes]:
    """Decode from each place where base64 may begin: what stands before it can't be told from it."""
    for start in range(4):
        part = run[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        yield base64.b64decode(part + "=" * (-len(part) % 4))


def _printed(*contents: bytes) -> Iterator[str]:
    for content in contents:
        for found in _PRINTED.findall(content):
            yield found.decode("ascii")
        if not content.isascii():
            try:
                yield content.decode("utf-8")
            except UnicodeDecodeError:
                continue
