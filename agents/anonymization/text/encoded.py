"""What a text says to whoever decodes it: escapes, base64, numbers of characters, look-alikes. Pure.

Once or twice: what travels through two systems is escaped by each. A cipher, however simple, is no encoding.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
import urllib.parse
from collections.abc import Iterator

_ESCAPED = re.compile(
    r"&(?:#[xX]?[0-9A-Fa-f]{1,8};?|\w{1,10};)|%[0-9A-Fa-f]{2}|=[0-9A-Fa-f]{2}|"
    r"\\(?:[0-7]{3}|[xu][0-9A-Fa-f]{2})"
)
_CODES = re.compile(r"\\([0-7]{3}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})")
_UTF_7 = re.compile(r"\+[A-Za-z0-9/]{3,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}")
_CODED = re.compile(r"[a-z0-9][A-Z]|[A-Za-z][0-9][A-Za-z]")
"""Words hardly ever change like this, and what is encoded does."""
_STANDARD = str.maketrans("-_", "+/")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f](?:[ :,;-]?[0-9A-Fa-f]){9,}")
_NO_DIGIT = re.compile("[ :,;-]")
_PREFIXED = re.compile(r"(?:(?:0[xX]|[uU]\+00|[$#])[0-9A-Fa-f]{2}[ ,;:|-]{0,2}){4,}")
_DIGITS = re.compile(r"(?:0[xX]|[uU]\+00|[$#])([0-9A-Fa-f]{2})")
_DECIMAL = re.compile(r"(?<!\d)\d{2,3}(?:[ ,;]{1,2}\d{2,3}){3,}(?!\d)")
_NUMBER = re.compile(r"\d+")
_BYTE = 0xFF
_PRINTED = re.compile(rb"[\x20-\x7e]{4,}")
_ALIKE = str.maketrans(
    "\u0430\u0432\u0435\u0456\u0458\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u03b1\u03b5\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7"
    "\u0410\u0412\u0415\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0396",
    "abeijkmhopctyxsaeikvoptuxABEIJKMHOPCTYXSABEHIKMNOPTYXZ",
)
"""Cyrillic and Greek letters to the Latin ones that they look like."""


def readings(text: str) -> Iterator[str]:
    """Give what the text says decoded, in each way in which it may be encoded, and that decoded again."""
    for read in _read(text):
        yield read
        yield from _read(read)


def escapes_read(text: str) -> Iterator[str]:
    """Give the text with its escapes read, once and twice: those of XML and URLs, of mails, of programs."""
    for read in _unescaped(text):
        yield read
        if read != text:
            yield from _unescaped(read)


def repaired(text: str) -> Iterator[str]:
    """Give a text that was UTF-8 before somebody took it for something else: "MÃ¼ller"."""
    if text.isascii():
        return
    for taken in ("latin-1", "cp1252"):
        try:
            made = text.encode(taken).decode("utf-8")
        except UnicodeError:
            continue
        yield made


def _read(text: str) -> Iterator[str]:
    if not text.isascii():
        alike = text.translate(_ALIKE)
        if alike != text:
            yield alike
        yield from repaired(text)
    yield from _unescaped(text)
    for run in _BASE64.findall(text):
        if _CODED.search(run):
            yield from _printed(*_decoded(run.translate(_STANDARD)))
    yield from _printed(*_numbered(text))


def _unescaped(text: str) -> Iterator[str]:
    if _ESCAPED.search(text):
        yield html.unescape(urllib.parse.unquote(text))
        yield quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace")
        yield _CODES.sub(lambda code: chr(int(code[1].lstrip("xu"), 8 if code[1].isdigit() else 16)), text)
    if _UTF_7.search(text):
        yield text.encode("ascii", "replace").decode("utf-7", "replace")


def _numbered(text: str) -> Iterator[bytes]:
    """Give the bytes that hexadecimal digits, and decimal numbers in a row, stand for."""
    for run in _HEXADECIMAL.findall(text):
        digits = _NO_DIGIT.sub("", run)
        yield binascii.unhexlify(digits[: len(digits) & ~1])
        yield binascii.unhexlify(digits[1 : 1 + (len(digits) - 1 & ~1)])
    for run in _PREFIXED.findall(text):
        yield binascii.unhexlify("".join(_DIGITS.findall(run)))
    for run in _DECIMAL.findall(text):
        numbers = [int(number) for number in _NUMBER.findall(run)]
        if max(numbers) <= _BYTE:
            yield bytes(numbers)


def _decoded(run: str) -> Iterator[bytes]:
    """Decode from each place where base64 may begin: what stands before it can't be told from it."""
    for start in range(4):
        part = run[start:]
        part = part[: len(part) - (len(part) % 4 == 1)]
        yield base64.b64decode(part + "=" * (-len(part) % 4))


def _printed(*contents: bytes) -> Iterator[str]:
    for content in contents:
        # UTF-16, as programs encode it
        for form in {content, content.replace(b"\0", b"")}:
            for found in _PRINTED.findall(form):
                yield found.decode("ascii")
        if not content.isascii():
            try:
                yield content.decode("utf-8")
            except UnicodeDecodeError:
                continue
