"""``python -m agents.anonymization.text.pdf_reading BYTES``: the text of a PDF from standard input, as JSON.

A process of its own, because what reads PDF is a large library in C++ and what it reads comes from anywhere:
limits on memory and processor time are set before the first byte is read, and a crash ends nothing else.
Scripts and forms don't run: pdfium has neither here. Prints nothing about the document but its text.
"""

from __future__ import annotations

import ctypes
import json
import resource
import signal
import sys

PAGES = 300
CHARACTERS = 400_000
SECONDS = 2
"""Of processor time."""
UNREADABLE, TOO_LONG = 3, 4
"""Exit statuses."""
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Read, print, and give the exit status."""
    _confine(int(sys.argv[1]))
    import pypdfium2  # type: ignore[import-untyped]  # noqa: PLC0415 - limits hold before it is loaded

    content = sys.stdin.buffer.read()
    try:
        document = pypdfium2.PdfDocument(content)
        if len(document) > PAGES:
            return TOO_LONG
        pages: list[str] = []
        left = CHARACTERS
        for number in range(len(document)):
            page = document[number]
            text_page = page.get_textpage()
            left -= text_page.count_chars()
            if left < 0:
                return TOO_LONG
            pages.append(text_page.get_text_range())
            text_page.close()
            page.close()
    except (pypdfium2.PdfiumError, ValueError, MemoryError):
        return UNREADABLE
    sys.stdout.write(json.dumps(pages))
    return 0


def _confine(memory: int) -> None:
    for kind, value in (
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (allowed, allowed))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
