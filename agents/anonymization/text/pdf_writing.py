"""A plain PDF of text: Courier, A4, nothing that varies (ISO 32000-1). Pure."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from agents.anonymization.outcome import Refusal

_COLUMNS, _LINES = 92, 68
_SIZE, _LEADING = 9, 11
_LEFT, _TOP = 48, 790
_SPELT = str.maketrans(
    dict(
        pair.split(" ", 1)
        for pair in (
            *("\u2264 <=", "\u2265 >=", "\u2248 ~", "\u2260 !=", "\u2212 -", "\u2192 ->", "\u2190 <-"),
            *(
                "\u2191 up",
                "\u2193 down",
                "\u221e infinite",
                "\u221a root",
                "\u2205 0",
                "\u2126 Ohm",
                "\u03a9 Ohm",
            ),
            *("\u03b1 alpha", "\u03b2 beta", "\u03b3 gamma", "\u03b4 delta", "\u03bb lambda", "\u03c3 sigma"),
            *(
                "\u0394 Delta",
                "\u03bc \u00b5",
                "\u00ad ",
                "\t     ",
                "\u0142 l",
                "\u0141 L",
                "\u0111 d",
                "\u0110 D",
            ),
            *("\u0131 i", "\u0127 h", "\u2010 -", "\u2011 -", "\u2012 -", "\u2015 -"),
        )
    )
)
"""What Courier's encoding lacks, and how it is written."""


def write_pdf(pages: Sequence[str], note: str) -> bytes:
    """Give a PDF with the text of each page, wrapped, and `note` at the head of each.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When there are letters that Courier doesn't have.
    """
    sheets = [sheet for page in pages for sheet in _sheets(page)]
    kids = b" ".join(b"%d 0 R" % (4 + 2 * at) for at in range(len(sheets)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(sheets)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
    ]
    for at, sheet in enumerate(sheets):
        content = _content([note, "", *sheet])
        objects += (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> "
            b"/Contents %d 0 R >>" % (5 + 2 * at),
            b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content),
        )
    return _file(objects)


def _sheets(page: str) -> Iterator[list[str]]:
    lines = [
        wrapped
        for line in page.split("\n")
        for wrapped in textwrap.wrap(line.translate(_SPELT), _COLUMNS, replace_whitespace=False) or [""]
    ]
    for at in range(0, len(lines), _LINES):
        yield lines[at : at + _LINES]


def _content(lines: Iterable[str]) -> bytes:
    shown = b"".join(b"(%b) Tj T*\n" % _string(line) for line in lines)
    return b"BT /F %d Tf %d TL %d %d Td\n%bET" % (_SIZE, _LEADING, _LEFT, _TOP, shown)


def _string(line: str) -> bytes:
    written = b"".join(map(_character, line))
    return written.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")


def _character(character: str) -> bytes:
    for form in (character, unicodedata.normalize("NFKD", character)):
        plain = "".join(part for part in form if not unicodedata.combining(part))
        try:
            return (form if len(form) == 1 else plain).encode("cp1252")
        except UnicodeEncodeError:
            continue
    if unicodedata.category(character)[0] in "LNS":
        raise Refusal("encapsulated-document", "The document has letters that can't be written anew.")
    return b" "


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
