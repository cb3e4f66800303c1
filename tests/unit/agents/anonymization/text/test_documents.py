"""Documents inside of objects: what becomes of the whole."""

from __future__ import annotations

from io import BytesIO

import pydicom
import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized
from agents.anonymization.policy.document import Policy
from agents.anonymization.text.documents import clean_document
from agents.anonymization.text.pdf_writing import write_pdf
from agents.anonymization.tools import Tools

POLICY = Policy(name="tried", version=1, options=frozenset(["clean_structured_content"]))
TOOLS = Tools(clean_document=clean_document)
STL = (
    b"solid Erika\nfacet normal 0 0 1\nouter loop\n"
    + b"vertex 0 0 1\n" * 3
    + b"endloop\nendfacet\nendsolid\n"
)
CDA = (
    b'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Erika</title><component><structuredBody><component>'
    b"<section><title>Head</title><text>seen by Erika Mustermann</text></section>"
    b"</component></structuredBody></component></ClinicalDocument>"
)


def holding(ct, content, media_type, **changes):
    data = ct(MIMETypeOfEncapsulatedDocument=media_type, **changes)
    data.EncapsulatedDocument = content
    data.add_new(0x00420015, "UL", len(content))
    return data


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big"])
def test_a_pdf_comes_out_as_its_text_and_says_who_read_it(ct, encode, key, syntax):
    content = write_pdf(["Mustermann, Erika: liver normal."], "note")
    source = encode(holding(ct, content, "application/pdf"), syntax)
    result = anonymize(source, key=key, policy=POLICY, tools=TOOLS)
    assert isinstance(result, Anonymized), result
    out = pydicom.dcmread(BytesIO(result.content))
    assert b"liver normal" in out.EncapsulatedDocument
    assert b"rika" not in result.content
    assert result.tools[0].startswith("pypdfium2 ")
    assert result.tools[0] in out.DeidentificationMethod
    assert out[0x00420015].value == len(out.EncapsulatedDocument.rstrip(b"\0"))
    assert result.content == anonymize(source, key=key, policy=POLICY, tools=TOOLS).content


def test_a_clinical_document_stays_one(ct, encode, key):
    result = anonymize(encode(holding(ct, CDA, "text/XML")), key=key, policy=POLICY, tools=TOOLS)
    out = pydicom.dcmread(BytesIO(result.content))
    assert b"seen by [removed]" in out.EncapsulatedDocument
    assert b"rika" not in result.content
    assert result.tools == ()


@pytest.mark.parametrize(
    "case",
    [
        (b"no pdf", "application/pdf", "encapsulated-document"),
        (b"<a/>", "text/XML", "encapsulated-document"),
        (b"anything", "text/plain", "encapsulated-document"),
        (STL, "model/stl", "recognizable-features"),
    ],
    ids=lambda case: case[1],
)
def test_what_cannot_be_judged_stays_in(ct, encode, key, case):
    content, media_type, reason = case
    result = anonymize(encode(holding(ct, content, media_type)), key=key, policy=POLICY, tools=TOOLS)
    assert result.reason == reason


def test_a_surface_that_declares_what_it_shows_comes_out(ct, encode, key):
    data = holding(ct, STL, "model/stl", BurnedInAnnotation="NO", RecognizableVisualFeatures="NO")
    result = anonymize(encode(data), key=key, policy=POLICY, tools=TOOLS)
    out = pydicom.dcmread(BytesIO(result.content))
    assert out.EncapsulatedDocument.startswith(b"solid\nfacet normal 0 0 1\n")
