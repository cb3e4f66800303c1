"""Documents inside of objects that say who a patient is wherever such a document can: SR, PDF, CDA."""

from __future__ import annotations

import zlib

from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.canaries.person import Person
from tests.canaries.words import Words


def _coded(value: str, scheme: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])


def _content(relation: str, kind: str, concept: tuple[str, str, str], **values: object) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    item.ConceptNameCodeSequence = _coded(*concept)
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def content_tree(words: Words, person: Person) -> tuple[Dataset, Dataset]:
    """Give the root of a content tree that names its patient in all kinds of items, and the image in it."""
    day = f"{person.seen:%Y%m%d}"
    report = [
        _content("CONTAINS", "TEXT", ("121071", "DCM", "Finding"), TextValue=text)
        for text in person.sentences()
    ]
    observer = [
        _content(
            "HAS OBS CONTEXT", "PNAME", ("121008", "DCM", "Person Observer Name"), PersonName=person.physician
        ),
        _content("HAS OBS CONTEXT", "PNAME", ("121029", "DCM", "Subject Name"), PersonName=person.name),
        _content("HAS OBS CONTEXT", "TEXT", ("121030", "DCM", "Subject ID"), TextValue=person.patient_id),
        _content(
            "HAS OBS CONTEXT", "DATE", ("121031", "DCM", "Subject Birth Date"), Date=f"{person.born:%Y%m%d}"
        ),
        _content("HAS OBS CONTEXT", "UIDREF", ("121018", "DCM", "Procedure Study UID"), UID=words.uid()),
        _content("HAS OBS CONTEXT", "DATETIME", ("121125", "DCM", "Time"), DateTime=f"{day}101112"),
        _content("HAS OBS CONTEXT", "TIME", ("121126", "DCM", "Time of day"), Time=words.time()),
    ]
    number = Dataset()
    number.NumericValue, number.MeasurementUnitsCodeSequence = "12.5", _coded("mm", "UCUM", "millimeter")
    image = Dataset()
    image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID = uid.CTImageStorage, words.uid()
    measured = [
        _content("CONTAINS", "NUM", ("121206", "DCM", "Distance"), MeasuredValueSequence=Sequence([number])),
        _content(
            "CONTAINS",
            "CODE",
            ("121071", "DCM", "Finding"),
            ConceptCodeSequence=_coded(words.word(), "99CLINIC", f"Finding of {person.family}"),
        ),
        _content("CONTAINS", "IMAGE", ("111030", "DCM", "Image"), ReferencedSOPSequence=Sequence([image])),
    ]
    inner = _content("CONTAINS", "CONTAINER", ("121070", "DCM", "Findings"), ContinuityOfContent="SEPARATE")
    inner.ContentSequence = Sequence([*report, *measured])
    root = Dataset()
    root.ValueType, root.ContinuityOfContent = "CONTAINER", "SEPARATE"
    root.ConceptNameCodeSequence = _coded("18747-6", "LN", "CT Report")
    root.ContentSequence = Sequence([*observer, inner])
    return root, image


def pdf(words: Words, person: Person) -> bytes:
    """Give a PDF that names its patient in its page, clear and deflated, and in all that is around it."""
    text = "\n".join(
        f"BT /F1 10 Tf 20 {780 - 14 * row} Td ({_literal(line)}) Tj ET"
        for row, line in enumerate(person.sentences())
    )
    spread = " ".join(f"({letter}) -20" for letter in person.family)
    digits = person.patient_id.encode().hex()
    page = f"{text}\nBT /F1 10 Tf 20 20 Td [{spread}] TJ ET\nBT 20 40 Td <{digits}> Tj ET"
    xmp = (
        "<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'><dc:title>"
        f"{person.given} {person.family}</dc:title></x:xmpmeta>"
    )
    attached = zlib.compress(f"{person.family};{person.given};{person.born:%d.%m.%Y}".encode())
    files = "/Names << /EmbeddedFiles << /Names [(a) 8 0 R] >> >>"
    shown = "/Contents [4 0 R 11 0 R]"
    fonts = "/Resources << /Font << /F1 5 0 R >> >>"
    note, who = _literal(person.name), f"/Author ({person.physician}) /Subject ({person.patient_id})"
    made = f"/CreationDate (D:{person.seen:%Y%m%d}101112) /Keywords ({words.word()})"
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R {files} /AcroForm << /Fields [10 0 R] >> >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {shown} /Annots [7 0 R 10 0 R] {fonts} >>",
        _stream("", zlib.compress(page.encode()), " /Filter /FlateDecode"),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        _stream("/Type /Metadata /Subtype /XML", xmp.encode()),
        f"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents ({note}) /T ({person.operator}) >>",
        f"<< /Type /Filespec /F ({person.family}.csv) /EF << /F 9 0 R >> >>",
        _stream("/Type /EmbeddedFile", attached, " /Filter /FlateDecode"),
        f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V ({person.family}) /Rect [0 20 99 40] >>",
        _stream("", f"BT /F1 9 Tf 20 60 Td ({person.accession}) Tj ET".encode()),
        f"<< /Title (Report on {person.family}) {who} {made} >>",
    ]
    return _assembled(objects)


def _literal(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _stream(entries: str, content: bytes, more: str = "") -> bytes:
    return f"<< {entries}{more} /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"


def _assembled(objects: list[str | bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        body = content if isinstance(content, bytes) else content.encode("latin-1")
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


def cda(words: Words, person: Person) -> bytes:
    """Give a clinical document that names its patient in header, narrative, comments and attributes."""
    told = "".join(f"<paragraph>{line.replace('&', '&amp;')}</paragraph>" for line in person.sentences())
    escaped = "".join(f"&#{ord(letter)};" for letter in person.family)
    day = f"{person.born:%Y%m%d}"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<?stylesheet owner="{person.institution}"?>
<!-- {person.given} {person.family} -->
<ClinicalDocument xmlns="urn:hl7-org:v3">
<typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
<id root="{words.uid()}" extension="{person.accession}"/>
<code code="18747-6" codeSystem="2.16.840.1.113883.6.1"/>
<title>Report on {person.family}</title>
<effectiveTime value="{person.seen:%Y%m%d}101112"/>
<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
<recordTarget><patientRole><id extension="{person.patient_id}" root="{words.uid()}"/>
<addr><streetAddressLine>{person.street}</streetAddressLine><city>{person.city}</city></addr>
<telecom value="tel:{person.phone.replace(" ", "")}"/><telecom value="mailto:{person.mail}"/>
<patient><name><given>{person.given}</given><family>{person.family}</family></name><birthTime value="{day}"/>
</patient></patientRole></recordTarget>
<author><time value="{person.seen:%Y%m%d}"/><assignedAuthor><id root="{words.uid()}"/><assignedPerson>
<name>{person.physician}</name></assignedPerson></assignedAuthor></author>
<custodian><assignedCustodian><representedCustodianOrganization><name>{person.institution}</name>
</representedCustodianOrganization></assignedCustodian></custodian>
<component><structuredBody><component><section><title>{escaped}</title><text>{told}
<![CDATA[{person.given} {person.family}]]></text></section></component></structuredBody></component>
</ClinicalDocument>
""".encode()
