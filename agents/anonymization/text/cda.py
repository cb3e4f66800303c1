"""Clinical documents (HL7 CDA, release 2) without those whom they name. Pure.

What may stay is listed: elements, attributes, namespaces; everything else goes. Of the header stays what kind
of document it is; people, organizations, ids and times become ``nullFlavor="MSK"``, masked, where CDA demands
an element, and go elsewhere. Narrative text is cleaned block by block (`narrative`), structured entries keep
codes and numbers. Images and other media inside a document go.
"""

from __future__ import annotations

import re

from agents.anonymization.outcome import Refusal
from agents.anonymization.text.cleaning import Cleaner
from agents.anonymization.text.markup import Node, read_xml, write_xml
from agents.anonymization.text.narrative import clean_narrative

_NAMESPACES = frozenset(
    ("urn:hl7-org:v3", "urn:hl7-org:sdtc", "urn:hl7-org:v3/voc", "http://www.w3.org/2001/XMLSchema-instance")
)
_HEADER = frozenset(
    ("realmCode", "typeId", "templateId", "code", "title", "confidentialityCode", "languageCode", "component")
)
_MASKED = frozenset(("id", "effectiveTime"))
"""Demanded by CDA, and masked."""
_PARTICIPANTS = {
    "recordTarget": ("patientRole", "id"),
    "author": ("assignedAuthor", "id"),
    "custodian": ("assignedCustodian", "representedCustodianOrganization", "id"),
}
"""Demanded by CDA: what has to stand in them."""

_BODY = frozenset(
    (
        *(
            "structuredBody",
            "component",
            "section",
            "entry",
            "entryRelationship",
            "organizer",
            "act",
            "observation",
        ),
        *("procedure", "encounter", "substanceAdministration", "supply", "templateId", "code", "translation"),
        *("qualifier", "originalText", "title", "confidentialityCode", "languageCode", "statusCode"),
        *(
            "priorityCode",
            "interpretationCode",
            "methodCode",
            "targetSiteCode",
            "approachSiteCode",
            "routeCode",
        ),
        *(
            "doseQuantity",
            "rateQuantity",
            "repeatNumber",
            "quantity",
            "value",
            "low",
            "high",
            "center",
            "width",
        ),
        *("numerator", "denominator", "sequenceNumber", "referenceRange", "observationRange", "consumable"),
        *("manufacturedProduct", "manufacturedMaterial", "uncertaintyCode", "administrationUnitCode"),
        *("independentInd", "negationInd", "realmCode", "typeId"),
    )
)
_CODED_NAMES = frozenset(("qualifier",))
"""Elements in which ``name`` is a code and nobody's."""
_TEXTS = frozenset(("title", "originalText"))
_ATTRIBUTES = frozenset(
    (
        *(
            "nullFlavor",
            "classCode",
            "moodCode",
            "typeCode",
            "unit",
            "operator",
            "inclusive",
            "xsi:type",
            "type",
        ),
        *("contextConductionInd", "inversionInd", "negationInd", "determinerCode", "ID", "code", "value"),
        *(
            "codeSystem",
            "root",
            "extension",
            "codeSystemName",
            "codeSystemVersion",
            "displayName",
            "mediaType",
        ),
        *("sdtc:valueSet", "valueSet", "language", "xml:lang", "styleCode", "independentInd"),
    )
)
_TREES = frozenset(("root", "codeSystem", "valueSet", "sdtc:valueSet"))
_DISPLAYED = frozenset(("displayName", "codeSystemName", "codeSystemVersion"))
_HOLDERS = frozenset(("section", "component", "entry", "entryRelationship", "structuredBody", "consumable"))
"""Elements that say nothing when they are empty."""
_TIMES = frozenset(("TS", "IVL_TS", "PIVL_TS", "SXCM_TS", "EIVL_TS"))
_TREE = re.compile(
    r"2\.16\.840\.1\.113883\.(?:[1256]|10|11)(?:\.\d{1,10}){1,12}|1\.2\.840\.10008(?:\.\d{1,10}){1,12}|"
    r"1\.3\.6\.1\.4\.1\.19376(?:\.\d{1,10}){1,14}|1\.2\.276\.0\.76(?:\.\d{1,10}){1,12}|2\.16\.840\.1\.113883\.1\.3"
)
"""Identifiers of standards: HL7, DICOM, IHE, HL7 Germany. Others can name an institution."""
_ENUMERATED = re.compile(r"[A-Za-z0-9_:.^ +/%*\[\]{}()'-]{0,64}")
_NUMBER = re.compile(r"[+-]?\d{0,9}(?:\.\d{1,9})?")
_LONGEST_NUMBER = 5
"""Characters; a longer number may be an id."""
_CODE = re.compile(r"[A-Za-z0-9.-]{1,18}")
_EXTENSION = re.compile(r"POCD_HD\d{6}|\d{4}-\d\d-\d\d")
"""Of templates: the schema, and a template's version."""
_SECTIONS_ABOUT_PEOPLE = frozenset(("48768-6", "42348-3", "81338-6", "85847-2"))
"""LOINC: payers, advance directives, patient goals' and care team's people."""
_XMLNS = "xmlns"


def clean_cda(content: bytes, cleaner: Cleaner) -> bytes:
    """Give a document without what identifies.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When it is no CDA document, its body is no structured one, or nothing can be told apart in it.
    """
    root = read_xml(content)
    if root.local != "ClinicalDocument" or root.child("component") is None:
        raise Refusal("encapsulated-document", "The document is no clinical document with a body.")
    made = _Document(cleaner, root).cleaned()
    left = " \n".join(made.texts())
    if any(True for _ in cleaner.known_in(left)):
        raise Refusal("encapsulated-document", "The document still had a name after it was cleaned.")
    return write_xml(made)


class _Document:
    """One document on its way."""

    def __init__(self, cleaner: Cleaner, root: Node) -> None:
        self._cleaner = cleaner
        self._root = root
        self._prefixes = {"xml", ""}
        self._declared: dict[str, str] = {}
        for name, value in root.attributes.items():
            prefix = name.removeprefix(_XMLNS).removeprefix(":")
            if name.startswith(_XMLNS) and value in _NAMESPACES and re.fullmatch(r"[A-Za-z]{0,8}", prefix):
                self._declared[name] = value
                self._prefixes.add(prefix)

    def cleaned(self) -> Node:
        root = self._root
        if root.prefix not in self._prefixes or not self._declared:
            raise Refusal(
                "encapsulated-document", "The document's elements are of no namespace that is known."
            )
        made = Node(root.name, {**self._declared, **self._attributes(root)})
        for child in root.children():
            if child.prefix not in self._prefixes:
                continue
            if child.local in _MASKED:
                made.parts.append(_masked(child))
            elif child.local in _PARTICIPANTS:
                made.parts.append(_participant(child, _PARTICIPANTS[child.local]))
            elif child.local == "component":
                made.parts.append(self._body(child))
            elif child.local in _HEADER:
                self._append(made, child)
        return made

    def _body(self, component: Node) -> Node:
        body = component.child("structuredBody")
        if body is None:
            raise Refusal("encapsulated-document", "The document's body is one of another kind.")
        made = Node(component.name, self._attributes(component))
        self._append(made, body)
        if not any(made.children()):
            raise Refusal("encapsulated-document", "Nothing of the document can be kept.")
        return made

    def _append(self, made: Node, node: Node) -> None:
        kept = self._element(node, made.local)
        if kept is not None:
            made.parts.append(kept)

    def _element(self, node: Node, parent: str) -> Node | None:
        """Give an element with what is kept below it; None: it goes."""
        if not self._may_stay(node, parent):
            return None
        local = node.local
        if local == "text":
            return clean_narrative(node, self._cleaner)
        made = Node(node.name, self._attributes(node))
        if local in _TEXTS:
            self._add_text(made, node)
            return made if made.parts else None
        if _type_of(node) in _TIMES:
            made.attributes["nullFlavor"] = "MSK"
            return made
        for child in node.children():
            self._append(made, child)
        if local == "value" and not made.parts:
            self._add_text(made, node)
        return None if local in _HOLDERS and not any(made.children()) else made

    def _may_stay(self, node: Node, parent: str) -> bool:
        local = node.local
        if node.prefix not in self._prefixes or any(name.startswith(_XMLNS) for name in node.attributes):
            return False
        if local == "section":
            code = node.child("code")
            return code is None or code.attributes.get("code", "") not in _SECTIONS_ABOUT_PEOPLE
        return (
            local in _BODY
            or (local == "text" and parent == "section")
            or (local == "name" and parent in _CODED_NAMES)
        )

    def _add_text(self, made: Node, node: Node) -> None:
        """Add the text of a value of type ST or ED."""
        text = "".join(part for part in node.parts if isinstance(part, str)).strip()
        cleaned = (
            self._cleaner.text(text) if text and node.attributes.get("representation") != "B64" else None
        )
        if cleaned:
            made.parts.append(cleaned)
        elif text:
            made.attributes["nullFlavor"] = "MSK"

    def _attributes(self, node: Node) -> dict[str, str]:
        standard = _TREE.fullmatch(node.attributes.get("codeSystem", "")) is not None
        return {
            name: value
            for name, value in node.attributes.items()
            if name in _ATTRIBUTES
            and name.rpartition(":")[0] in self._prefixes
            and self._fits(name, value, standard=standard)
        }

    def _fits(self, name: str, value: str, *, standard: bool) -> bool:
        """Tell whether a value may stay; `standard`: its element's code is of a standard's code system."""
        if name in _TREES:
            return _TREE.fullmatch(value) is not None
        if name == "extension":
            return _EXTENSION.fullmatch(value) is not None
        if name == "code" and standard:
            return _CODE.fullmatch(value) is not None and not any(True for _ in self._cleaner.known_in(value))
        if name == "value" and _NUMBER.fullmatch(value):
            return len(value) <= _LONGEST_NUMBER
        fits = name in _DISPLAYED or _ENUMERATED.fullmatch(value) is not None
        return fits and (not value.strip() or self._cleaner.text(value) == value)


def _type_of(node: Node) -> str:
    return node.attributes.get("xsi:type", "").rpartition(":")[2]


def _masked(node: Node) -> Node:
    return Node(node.name, {"nullFlavor": "MSK"})


def _participant(node: Node, inside: tuple[str, ...]) -> Node:
    """Give a participant of whom nothing is said but that there is one."""
    prefix = f"{node.prefix}:" if node.prefix else ""
    made = Node(prefix + inside[-1], {"nullFlavor": "MSK"})
    for name in reversed(inside[:-1]):
        made = Node(prefix + name, {}, [made])
    time = [Node(f"{prefix}time", {"nullFlavor": "MSK"})] if node.local == "author" else []
    return Node(node.name, {}, [*time, made])
