"""Encapsulated PDF: its text, cleaned, in a new PDF that has nothing else of the old one.

A PDF shows what it likes: text as curves or pictures, letters that are not what they look like, earlier
versions, attachments, forms, scripts. Taking names out of such a file can't be shown to be complete, so
nothing of the file stays: what can be read as text is cleaned, and written anew, plainly. Layout, pictures,
metadata and everything else go; every page of the result says so. A document without text, a scan, stays in.

Starts a process that reads (`pdf_reading`); else pure, and the same for the same text that was read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from agents.anonymization.outcome import Refusal
from agents.anonymization.text import pdf_reading
from agents.anonymization.text.cleaning import Cleaner
from agents.anonymization.text.pdf_writing import write_pdf

_BYTES = 64 * 1024 * 1024
_MEMORY = 128 * 1024 * 1024
"""Bytes of address space of the reading process, beside the document: it needs 20 MB of it in memory."""
_SECONDS = 30
"""To wait for the reading process, whose processor time is limited to less."""
_NOTE = "Text of a document. Layout, pictures and what identifies were removed."
_NO_TEXT = "[a page without text, or one that identifies, was removed]"


def clean_pdf(content: bytes, cleaner: Cleaner) -> bytes:
    """Give a PDF that has the document's text without what identifies, page by page.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When the document can't be read, has no text, or its letters can't be written.
    """
    pages = [_cleaned(page, cleaner) for page in _read(content)]
    if not any(pages):
        raise Refusal("encapsulated-document", "The document has no text that can be kept: a scan, perhaps.")
    return write_pdf([page or _NO_TEXT for page in pages], _NOTE)


def _cleaned(page: str, cleaner: Cleaner) -> str | None:
    # pdfium puts U+FFFE in the place of a hyphen at the end of a line: without it the word is one again
    text = "".join(character for character in page if character.isprintable() or character in "\n\t")
    return cleaner.text(text) if text.strip() else None


def _read(content: bytes) -> list[str]:
    if len(content) > _BYTES:
        raise Refusal("encapsulated-document", "The document is larger than can be judged.")
    memory = _MEMORY + 2 * len(content)
    command = [sys.executable, "-m", pdf_reading.__name__, str(memory)]
    environment = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "LANG": "C.UTF-8",
    }
    try:
        ended = subprocess.run(  # noqa: S603 - our own module, and no shell
            command, input=content, capture_output=True, timeout=_SECONDS, env=environment, check=False
        )
        pages: list[str] = json.loads(ended.stdout) if ended.returncode == 0 else []
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise Refusal("encapsulated-document", "The document takes too long to read.") from error
    if ended.returncode == pdf_reading.TOO_LONG:
        raise Refusal("encapsulated-document", "The document has more pages or text than can be judged.")
    if ended.returncode != 0:
        raise Refusal("encapsulated-document", "The document is no PDF that can be read.")
    return pages
