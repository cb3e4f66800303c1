"""Encapsulated documents (DICOM PS3.3, A.45), cleaned by what kind they are.

What can't be judged stays in. A PDF comes out as its text alone; of a CDA document what is listed as harmless
stays; of surfaces geometry stays, whatever it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

from agents.anonymization.outcome import Refusal
from agents.anonymization.text.cda import clean_cda
from agents.anonymization.text.cleaning import Cleaner, cleaner_of
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.meshes import clean_mtl, clean_obj, clean_stl
from agents.anonymization.text.pdf import clean_pdf

_PDF = "application/pdf"
_SURFACES = frozenset(("model/stl", "model/obj", "application/sla"))
_BURNED_IN, _RECOGNIZABLE = 0x00280301, 0x00280302


def clean_document(content: bytes, media_type: str, known: KnownValues) -> bytes:
    """Give a document without what identifies.

    Parameters
    ----------
    content
        The document, without the padding of its element.
    media_type
        MIME Type of Encapsulated Document (0042,0012).
    known
        What the object and its study call people and places.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it can't be judged or cleaned; `reason` is ``encapsulated-document``.
    """
    clean = _KINDS.get(_plain(media_type))
    if clean is None:
        raise Refusal("encapsulated-document", "A document of a kind that can't be judged.")
    return clean(content, cleaner_of(known, b"ISO_IR 192"))


def tools_for(media_type: str) -> tuple[str, ...]:
    """Name what decides about a document beside our own code, with its version."""
    return (f"pypdfium2 {metadata.version('pypdfium2')}",) if _plain(media_type) == _PDF else ()


def check_declared(media_type: str, text: Callable[[int], str]) -> None:
    """Raise `Refusal` for a surface that doesn't say that it shows neither a face nor text.

    `text` gives the text of a top-level element of the object, empty when it is not there.
    """
    if _plain(media_type) not in _SURFACES:
        return
    if text(_BURNED_IN).upper() != "NO" or text(_RECOGNIZABLE).upper() != "NO":
        message = "A surface that does not say that it shows neither a face nor text."
        raise Refusal("recognizable-features", message)


def _plain(media_type: str) -> str:
    return media_type.partition(";")[0].strip("\0 ").lower()


_KINDS: dict[str, Callable[[bytes, Cleaner], bytes]] = {
    _PDF: clean_pdf,
    "text/xml": clean_cda,
    "application/xml": clean_cda,
    "application/hl7-sda+xml": clean_cda,
    "model/stl": clean_stl,
    "application/sla": clean_stl,
    "model/obj": clean_obj,
    "model/mtl": clean_mtl,
}
