"""Bombs, cycles of references, documents that mean harm."""

from __future__ import annotations

import struct
from collections.abc import Callable

from pydicom.dataset import Dataset

from tests.canaries.spoiling import (
    DEFLATE_END,
    ITEM,
    OPEN,
    PIXELS,
    deflated,
    deflated_zeros,
    fragments,
    long,
    nested,
    small,
)
from tests.canaries.writing import written


def huge_jpeg(image: bytes, marker: bytes) -> bytes:
    """Let a JPEG say that it has 65,535 rows and columns."""
    at = image.index(marker) + 5
    return image[:at] + b"\xff\xff\xff\xff" + image[at + 4 :]


def huge_jpeg_2000(image: bytes) -> bytes:
    """Let a codestream say that it has 2**31 - 1 columns and rows, in as many tiles as there may be."""
    return image[:8] + struct.pack(">IIIIIIII", *(0x7FFFFFFF,) * 2, 0, 0, 64, 64, 0, 0) + image[40:]


def rle_bomb() -> bytes:
    """Give a frame of one segment that is nothing but repeats, 128 bytes from two."""
    return struct.pack("<16I", 1, 64, *(0,) * 14) + b"\x81\0" * 500_000


BOMBS: dict[str, Callable[[], bytes]] = {
    "deflate 100 MB": lambda: deflated(long(PIXELS, "OW", b"", 100 << 20), 100),
    "deflate 500 MB": lambda: deflated(long(PIXELS, "OW", b"", 500 << 20), 500),
    "deflated empty elements": lambda: deflated(
        b"".join(struct.pack("<HH2sH", 0x7001 + 2 * (n >> 16), n & 0xFFFF, b"LO", 0) for n in range(200_000))
    ),
    "deflated empty items": lambda: deflated(
        b"\x01\x70\x10\x10SQ\0\0" + OPEN + (ITEM + bytes(4)) * 1_800_000
    ),
    "deflated nesting": lambda: deflated(nested(100_000, b"\x01\x70\x10\x10")),
    "RLE of 65,535 rows": lambda: fragments("rle", lambda _: rle_bomb(), Rows=65535, Columns=65535),
    "JPEG of 65,535 rows": lambda: fragments(
        "jpeg", lambda image: huge_jpeg(image, b"\xff\xc0"), Rows=65535, Columns=65535
    ),
    "JPEG-LS of 65,535 rows": lambda: fragments("jpeg-ls", lambda image: huge_jpeg(image, b"\xff\xf7")),
    "JPEG 2000 of 2**31 rows": lambda: fragments("jpeg-2000", huge_jpeg_2000),
    "JPEG of 250,000 segments": lambda: fragments(
        "jpeg", lambda image: image[:2] + b"\xff\xe0\0\2" * 250_000 + image[2:]
    ),
    "250,000 fragments": lambda: fragments("rle", lambda image: image + (ITEM + bytes(4)) * 250_000),
}


def _encapsulated(content: bytes) -> bytes:
    """Give an encapsulated document's object with another document."""
    data = small("pdf")
    data.EncapsulatedDocument = content
    return written(data)


PDF_CYCLE = (
    b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
    b"2 0 obj\n<< /Type /Pages /Kids [2 0 R 2 0 R] /Parent 2 0 R /Count 99999999 >>\nendobj\n"
    b"trailer\n<< /Root 1 0 R /Size 3 /Prev 9 >>\nstartxref\n9\n%%EOF\n"
)
ENTITIES = (
    b'<?xml version="1.0"?><!DOCTYPE c [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + level, b"&%c;" % (97 + level) * 10) for level in range(9))
    + b']><ClinicalDocument xmlns="urn:hl7-org:v3"><title>&j;</title></ClinicalDocument>'
)
EXTERNAL = (
    b'<?xml version="1.0"?><!DOCTYPE c [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    b'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>&e;</title></ClinicalDocument>'
)


def referring_to_itself() -> bytes:
    """Write an image that is its own source and reference, a thousand times."""
    data = small()
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
        data.SOPClassUID,
        data.SOPInstanceUID,
    )
    data.ReferencedImageSequence = [reference] * 1000
    data.SourceImageSequence = [reference] * 1000
    return written(data)


def referring_to_ancestors() -> bytes:
    """Write a report whose items refer to what holds them (PS3.3, C.17.3.2.5)."""
    data = small("sr")
    inner = data.ContentSequence[-1]
    for number in range(200):
        reference = Dataset()
        reference.RelationshipType = "INFERRED FROM"
        reference.ReferencedContentItemIdentifier = [1, len(data.ContentSequence), 1 + number % 3]
        inner.ContentSequence.append(reference)
    return written(data)


def pdf_bomb() -> bytes:
    """Give a PDF with a page that inflates to 300 MB."""
    # The sum behind it is that of zeros: the low half stays one, the high one counts them
    page = b"\x78\x9c" + deflated_zeros(300) + DEFLATE_END + struct.pack(">HH", (300 << 20) % 65521, 1)
    return (
        b"%%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n"
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n"
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R >>\nendobj\n"
        b"4 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream\nendobj\n"
        b"trailer\n<< /Root 1 0 R /Size 5 >>\n%%%%EOF\n" % (len(page), page)
    )


def _clinical(content: bytes) -> bytes:
    data = small("cda")
    data.EncapsulatedDocument = content + b" " * (len(content) % 2)
    return written(data)


CYCLES: dict[str, Callable[[], bytes]] = {
    "an image of itself": referring_to_itself,
    "a report of itself": referring_to_ancestors,
    "pages of themselves": lambda: _encapsulated(PDF_CYCLE),
    "a deflated page of 300 MB": lambda: _encapsulated(pdf_bomb()),
    "entities of entities": lambda: _clinical(ENTITIES),
    "an entity of another file": lambda: _clinical(EXTERNAL),
    "elements 100,000 deep": lambda: _clinical(b"<a>" * 100_000),
}
