# ruff: noqa: RUF001 - letters of other scripts

from __future__ import annotations

import os
import resource
import subprocess
import sys
import textwrap
import time
import zlib
from pathlib import Path

import pypdfium2
import pytest

from agents.anonymization.outcome import Refusal
from agents.anonymization.text import pdf
from agents.anonymization.text.documents import clean_document, tools_for
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.pdf_writing import write_pdf

ROOT = Path(__file__).parents[5]
KNOWN = KnownValues.of_dataset(
    {0x00080005: b"ISO_IR 192", 0x00100010: "Müller^Erika".encode(), 0x00100030: b"19700131"}
)
NOTE = "Text of a document. Layout, pictures and what identifies were removed."
CATALOG = b"<< /Type /Catalog /Pages 2 0 R %b >>"
PAGES = b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> "
    b"/Contents 5 0 R %b >>"
)


def file_of(objects, info=b""):
    out = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        info,
        start,
    )


def stream(content, head=b""):
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), head, content)


def simple(content, *more, catalog=b"", page=b"", info=b""):
    return file_of([CATALOG % catalog, PAGES, FONT, PAGE % page, content, *more], info)


def shown(text, size=12):
    lines = b"".join(b"(%b) Tj T*\n" % line.encode("cp1252") for line in text.split("\n"))
    return stream(b"BT /F %d Tf 14 TL 50 700 Td\n%bET" % (size, lines))


def texts(content):
    document = pypdfium2.PdfDocument(content)
    return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]


def cleaned(content):
    return clean_document(content, "application/pdf", KNOWN)


def refused(content):
    with pytest.raises(Refusal) as told:
        cleaned(content)
    assert told.value.reason == "encapsulated-document"
    return told.value.message


def test_the_text_stays_without_what_identifies():
    made = cleaned(
        simple(shown("Report on Erika Müller, born 31.01.1970\nLiver (5 mm cyst) normal.\nDr. Huber"))
    )
    (page,) = texts(made)
    assert page == f"{NOTE}\nReport on [removed]\nLiver (5 mm cyst) normal.\n[removed]"


def test_nothing_else_of_the_file_stays():
    secret = b"(Erika M)"
    content = simple(
        shown("Liver normal."),
        stream(b"Erika", b"/Type /EmbeddedFile"),
        stream(b"<x:xmpmeta>Erika</x:xmpmeta>", b"/Type /Metadata /Subtype /XML"),
        b"<< /Title %b /Author %b >>" % (secret, secret),
        b"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents %b >>" % secret,
        catalog=b"/Metadata 7 0 R /Names << /EmbeddedFiles << /Names [%b << /Type /Filespec /F %b "
        b"/EF << /F 6 0 R >> >>] >> /JavaScript << /Names [(a) << /S /JavaScript /JS %b >>] >> >> /Lang %b"
        b"/OpenAction << /S /URI /URI %b >> " % ((secret,) * 5),
        page=b"/Annots [9 0 R]",
        info=b"/Info 8 0 R /ID [<4572696b61> <4572696b61>]",
    )
    # what an earlier version said is still in the file
    content += b"10 0 obj\n(Erika was here)\nendobj\n"
    made = cleaned(content)
    assert b"Erika" not in made
    assert b"4572696b61" not in made
    assert not any(
        word in made for word in (b"/Info", b"/ID", b"/Metadata", b"/Annot", b"/Names", b"/JS", b"Filter")
    )
    assert texts(made) == [f"{NOTE}\nLiver normal."]


def test_a_word_parted_at_the_end_of_a_line_is_one():
    (page,) = texts(cleaned(simple(shown("Liver nor-\nmal, as Mül-\nler said"))))
    assert page.endswith("Liver normal, as [removed] said")


def test_pages_without_text_are_told():
    two = file_of(
        [
            CATALOG % b"",
            b"<< /Type /Pages /Kids [4 0 R 6 0 R] /Count 2 >>",
            FONT,
            PAGE % b"",
            shown("Liver normal."),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
        ]
    )
    pages = texts(cleaned(two))
    assert pages[0].endswith("Liver normal.")
    assert pages[1].endswith("[a page without text, or one that identifies, was removed]")


def test_what_is_written_is_read_back_and_the_same_each_time():
    lines = "Größe ≤ 5 µm — “quoted” (a\\b) α-Fetoprotein, Čapek, naïve • 3 × 4"
    made = write_pdf([lines, "x" * 500, "\n".join(str(at) for at in range(200))], "note")
    assert made == write_pdf([lines, "x" * 500, "\n".join(str(at) for at in range(200))], "note")
    pages = texts(made)
    assert pages[0] == "note\nGröße <= 5 µm — “quoted” (a\\b) alpha-Fetoprotein, Capek, naïve • 3 × 4"
    assert pages[1].count("x") == 500
    assert len(pages) == 5
    assert pages[4].endswith("199")


def test_letters_that_cannot_be_written_keep_it_in():
    with pytest.raises(Refusal):
        write_pdf(["Люк"], "note")
    with pytest.raises(Refusal):
        write_pdf(["山田"], "note")


def bomb(size, times):
    data = b"BT /F 9 Tf (x) Tj ET\n" + b" " * size
    for _ in range(times):
        data = zlib.compress(data, 9)
    return simple(stream(data, b"/Filter [%b]" % (b"/FlateDecode " * times)))


def repeated(pages, content):
    kids = b"<< /Type /Pages /Kids [%b] /Count %d >>" % (b"4 0 R " * pages, pages)
    content = stream(zlib.compress(content), b"/Filter /FlateDecode")
    return file_of([CATALOG % b"", kids, FONT, PAGE % b"", content])


FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /X 6 0 R >> >>"
HOSTILE = {
    "empty": lambda: b"",
    "garbage": lambda: os.urandom(2000),
    "head alone": lambda: b"%PDF-1.7",
    "a scan": lambda: simple(stream(b"0 0 m 100 100 l S")),
    "no page": lambda: file_of([CATALOG % b"", b"<< /Type /Pages /Kids [] /Count 0 >>"]),
    "pages in a circle": lambda: file_of([CATALOG % b"", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"]),
    "forms in a circle": lambda: simple(
        stream(b"/X Do"), stream(b"/X Do /X Do", FORM), page=b"/Resources << /XObject << /X 6 0 R >> >>"
    ),
    "too many pages": lambda: file_of(
        [CATALOG % b"", b"<< /Type /Pages /Kids [%b] /Count 5000 >>" % (b"4 0 R " * 5000), FONT, PAGE % b""]
    ),
    "much text": lambda: repeated(100, b"BT /F 9 Tf " + b"(abcabc) Tj " * 1_000 + b"ET"),
    "much work": lambda: repeated(300, b"q Q " * 500_000),
    "bomb": lambda: bomb(1 << 28, 2),
    "encrypted": lambda: simple(
        shown("x"),
        info=b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O (%b) /U (%b) >>" % (b"o" * 32, b"u" * 32),
    ),
    "only names": lambda: simple(shown("Erika Müller")),
}


TOO_LONG = "The document has more pages or text than can be judged."
NO_TEXT = "The document has no text that can be kept: a scan, perhaps."
MESSAGES = {
    "too many pages": TOO_LONG,
    "much text": TOO_LONG,
    "a scan": NO_TEXT,
    "only names": NO_TEXT,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_what_cannot_be_read_or_kept_stays_in_soon(name):
    content = HOSTILE[name]()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.process_time()
    assert refused(content) == MESSAGES.get(name, "The document is no PDF that can be read.")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert spent + time.process_time() - began < 3


@pytest.mark.parametrize("name", ["bomb", "much text", "garbage"])
def test_hostile_documents_take_little_memory(name, tmp_path):
    """Read in a process that a small one starts, so that what it had is its own."""
    (tmp_path / "hostile.pdf").write_bytes(HOSTILE[name]())
    script = """
        import resource, subprocess, sys
        command = [sys.executable, "-m", "agents.anonymization.text.pdf_reading", str(128 << 20)]
        with open(sys.argv[1], "rb") as content:
            subprocess.run(command, stdin=content, capture_output=True, check=False)
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "hostile.pdf")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    assert 5 < int(run.stdout) < 128


def test_a_reader_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(pdf, "_SECONDS", 0.01)
    assert refused(simple(shown("Liver normal."))) == "The document takes too long to read."


def test_a_document_too_large_is_not_read(monkeypatch):
    monkeypatch.setattr(pdf, "_BYTES", 10)
    assert refused(simple(shown("Liver normal."))) == "The document is larger than can be judged."


def test_the_reader_is_named_with_its_version():
    (tool,) = tools_for("application/PDF")
    assert tool.startswith("pypdfium2 5")
    assert tools_for("text/xml") == ()


def test_other_kinds_stay_in():
    with pytest.raises(Refusal):
        clean_document(b"x", "application/msword", KNOWN)
    with pytest.raises(Refusal):
        clean_document(b"x", "", KNOWN)
