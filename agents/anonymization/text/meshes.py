"""Surfaces (STL, OBJ) and their materials (MTL): geometry and colours stay, words go. Pure.

What a surface shows is not looked at: a head's can show a face, and text can be raised on it. Whoever lets
such objects out has to know that (`documents.check_declared`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator

import numpy as np

from agents.anonymization.outcome import Refusal
from agents.anonymization.text.cleaning import Cleaner

_BINARY_BYTES = 512 * 1024 * 1024
_TEXT_BYTES = 64 * 1024 * 1024
_HEAD, _TRIANGLE = 84, 50
_LONGEST_LINE = 65_536

_REAL = rb"[+-]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,3})?"
_REALS = re.compile(rb"%b(?: %b){0,6}" % (_REAL, _REAL))
_INDICES = re.compile(rb"-?\d{1,10}(?:/-?\d{0,10}){0,2}(?: -?\d{1,10}(?:/-?\d{0,10}){0,2})*")
_NAME = re.compile(rb"[\w.+-]{1,64}")
_STL = re.compile(
    rb"facet normal %b|outer loop|vertex %b|endloop|endfacet" % ((rb" ".join([_REAL] * 3),) * 2)
)
_STL_NAMED = re.compile(rb"(solid|endsolid)(?: .*)?", re.IGNORECASE)


def clean_stl(content: bytes, _cleaner: Cleaner) -> bytes:
    """Give a surface without its header, names and attributes.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When there is anything in it that is no triangle.
    """
    count = struct.unpack_from("<I", content, _HEAD - 4)[0] if len(content) >= _HEAD else -1
    if len(content) > _BINARY_BYTES:
        raise Refusal("encapsulated-document", "The surface is larger than can be judged.")
    if len(content) == _HEAD + count * _TRIANGLE:
        triangles = np.frombuffer(content, np.dtype("V48,<u2"), offset=_HEAD).copy()
        triangles["f1"] = 0
        return bytes(_HEAD - 4) + struct.pack("<I", count) + triangles.tobytes()
    if b"\0" in content.rstrip(b"\0"):
        raise Refusal(
            "encapsulated-document", "The surface is neither text nor of the size that it declares."
        )
    made = _lines(content, _stl_line)
    if not made.startswith(b"solid\n") or not made.endswith(b"\nendsolid\n"):
        raise Refusal("encapsulated-document", "The surface has no beginning or no end.")
    return made


def clean_obj(content: bytes, cleaner: Cleaner) -> bytes:
    """Give a surface without comments, file names, and names of its parts; those of materials stay if clean.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When a line of geometry holds something else, or a material's name identifies.
    """
    parts: dict[bytes, int] = {}

    def line(words: bytes) -> bytes | None:
        keyword, _, rest = words.partition(b" ")
        match keyword:
            case b"v" | b"vt" | b"vn" | b"vp":
                return words if _REALS.fullmatch(rest) else _no_geometry()
            case b"f" | b"l" | b"p":
                return words if _INDICES.fullmatch(rest) else _no_geometry()
            case b"g" | b"o":
                return b"%b part-%d" % (keyword, parts.setdefault(rest, len(parts) + 1))
            case b"s":
                return words if re.fullmatch(rb"off|\d{1,5}", rest) else None
            case b"usemtl":
                return _material(keyword, rest, cleaner)
            case _:
                return None

    return _lines(content.replace(b"\\\n", b" ").replace(b"\\\r\n", b" "), line)


def clean_mtl(content: bytes, cleaner: Cleaner) -> bytes:
    """Give materials without comments and pictures.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When a material's name identifies.
    """

    def line(words: bytes) -> bytes | None:
        keyword, _, rest = words.partition(b" ")
        if keyword == b"newmtl":
            return _material(keyword, rest, cleaner)
        known = re.fullmatch(rb"K[adse]|N[is]|T[fr]|d|illum|sharpness|P[rmsc]", keyword)
        return words if known and _REALS.fullmatch(rest) else None

    return _lines(content, line)


def _stl_line(words: bytes) -> bytes | None:
    named = _STL_NAMED.fullmatch(words)
    if named:
        return named[1].lower()
    return words.lower() if _STL.fullmatch(words.lower()) else _no_geometry()


def _material(keyword: bytes, name: bytes, cleaner: Cleaner) -> bytes:
    """Keep a name as it is, so that surface and materials go on meaning the same."""
    if not _NAME.fullmatch(name) or cleaner.removals(name.decode("latin-1")) != []:
        raise Refusal("encapsulated-document", "The name of a material can't be judged, or identifies.")
    return keyword + b" " + name


def _no_geometry() -> bytes:
    raise Refusal("encapsulated-document", "The surface holds something that is no geometry.")


def _lines(content: bytes, judge: Callable[[bytes], bytes | None]) -> bytes:
    """Judge line by line, words one space apart; None: the line goes."""
    if len(content) > _TEXT_BYTES:
        raise Refusal("encapsulated-document", "The surface is larger than can be judged.")
    kept = [made for words in _words(content) if (made := judge(words)) is not None]
    if not kept:
        raise Refusal("encapsulated-document", "The document is no surface that can be read.")
    return b"\n".join(kept) + b"\n"


def _words(content: bytes) -> Iterator[bytes]:
    for line in content.rstrip(b"\0 ").splitlines():
        if len(line) > _LONGEST_LINE:
            raise Refusal("encapsulated-document", "A line of the surface is longer than can be judged.")
        words = b" ".join(line.split())
        if words:
            yield words
