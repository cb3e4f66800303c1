"""Known values of an object with few attributes, and what they find in a text."""

from __future__ import annotations

from agents.anonymization.text.folding import plain, visible
from agents.anonymization.text.known import KnownValues

UTF8 = b"ISO_IR 192"
NAME, ID, BIRTH, ACCESSION, CHARSET = 0x00100010, 0x00100020, 0x00100030, 0x00080050, 0x00080005
NAME_TO_USE = 0x00100012
INSTITUTION, ADDRESS, TELEPHONE, STUDY_ID = 0x00080080, 0x00101040, 0x00102154, 0x00200010


def known(**values):
    tags = {
        "name": NAME,
        "id": ID,
        "birth": BIRTH,
        "accession": ACCESSION,
        "institution": INSTITUTION,
        "address": ADDRESS,
        "telephone": TELEPHONE,
        "study_id": STUDY_ID,
    }
    return KnownValues.of_dataset(
        {CHARSET: UTF8} | {tags[key]: value.encode() for key, value in values.items()}
    )


def found(values, text):
    simple = plain(visible(text))
    in_spans = sorted({simple[start:end] for start, end in values.spans(simple)}, key=len)
    return in_spans[-1] if in_spans else None
