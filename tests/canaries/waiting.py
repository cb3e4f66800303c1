"""Traps that get through today, by the reason; each leaves this list with what closes it."""

from __future__ import annotations

WAITING: dict[str, tuple[str, ...]] = {
    "What stands between, behind and inside of compressed images is not read, or kept if it names nobody.": (
        "fragments: jpeg, comment, unknown",
        "fragments: jpeg-ls, comment, unknown",
        "fragments: jpeg-lossless, comment, unknown",
        "fragments: jpeg, EXIF, unknown",
        "fragments: jpeg-ls, application data, unknown",
        "fragments: jpeg, comment before the scan, unknown",
        "fragments: jpeg-ls, comment before the scan, unknown",
        "fragments: jpeg, comment after the scan, known",
        "fragments: jpeg, comment after the scan, unknown",
        "fragments: jpeg-ls, comment after the scan, known",
        "fragments: jpeg-ls, comment after the scan, unknown",
        "fragments: jpeg-2000, comment of the codestream, unknown",
        "fragments: jpeg-2000, comment of a tile, known",
        "fragments: jpeg-2000, comment of a tile, unknown",
        "fragments: rle, behind the image, known",
        "fragments: rle, behind the image, unknown",
        "fragments: jpeg-ls, behind the image, known",
        "fragments: jpeg-ls, behind the image, unknown",
        "fragments: jpeg-2000, behind the image, known",
        "fragments: jpeg-2000, behind the image, unknown",
        "fragments: jpeg-2000-lossy, behind the image, known",
        "fragments: jpeg-2000-lossy, behind the image, unknown",
        "fragments: jpeg, behind the image, known",
        "fragments: jpeg, behind the image, unknown",
        "fragments: jpeg-lossless, behind the image, known",
        "fragments: jpeg-lossless, behind the image, unknown",
        "fragments: rle, a fragment more, known",
        "fragments: rle, a fragment more, unknown",
        "fragments: jpeg-ls, a fragment more, known",
        "fragments: jpeg-ls, a fragment more, unknown",
        "fragments: jpeg-2000, a fragment more, known",
        "fragments: jpeg-2000, a fragment more, unknown",
        "fragments: jpeg-2000-lossy, a fragment more, known",
        "fragments: jpeg-2000-lossy, a fragment more, unknown",
        "fragments: jpeg, a fragment more, known",
        "fragments: jpeg, a fragment more, unknown",
        "fragments: jpeg-lossless, a fragment more, known",
        "fragments: jpeg-lossless, a fragment more, unknown",
        "fragments: jpeg, a fragment before, known",
        "fragments: jpeg, a fragment before, unknown",
        "fragments: jpeg-2000, a fragment before, known",
        "fragments: jpeg-2000, a fragment before, unknown",
        "fragments: jpeg, a second image, unknown",
        "fragments: a text as offset table",
        "fragments: an extended offset table of letters",
    ),
    "Bits of a pixel that are no part of its value are kept.": (
        "pixels: a name in the unused bits",
        "pixels: a name in the highest bit",
    ),
    "An id inside of other digits, three digits that are one, base64, and UIDs are not found in texts.": (
        "text: digits around",
        "text: base64",
        "text: short patient id of digits",
        "text: uids in text",
    ),
}
ALL_WAITING = frozenset(name for names in WAITING.values() for name in names)

WAITING_WHEN_CLEANED = frozenset(["text: unlisted attributes that identify"])
"""When descriptors are cleaned: what identifies by its attribute is cleaned like any text."""
