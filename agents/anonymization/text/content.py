"""Content trees (DICOM PS3.3, C.17.3): items about who somebody is, references that run in a circle. Pure.

An item says what it is about by its concept. Of one that is about a person, an order or a place the value
goes, whatever it looks like: an id that stands nowhere else in the object is found by its concept alone. The
item stays, so that the tree keeps its shape and references by position go on meaning what they did.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping

from pydicom.dataset import Dataset

from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.rules import Action, Decision
from agents.anonymization.source import raw, take
from agents.anonymization.standard.codes import PolicyOption

CONTENT_SEQUENCE = 0x0040A730
ITEM_SEQUENCES = frozenset((CONTENT_SEQUENCE, 0x00400555, 0x00400440, 0x00400441, 0x0040A731))
"""Sequences of content items: content, acquisition context, protocol context and its modifiers."""

_CONCEPT_NAME, _REFERENCE = 0x0040A043, 0x0040DB73
_CODE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104
_VALUES: Mapping[int, Action] = {
    0x0040A120: Action.DUMMY,  # DateTime
    0x0040A121: Action.DUMMY,
    0x0040A122: Action.DUMMY,
    0x0040A123: Action.DUMMY,  # Person Name
    0x0040A124: Action.UID,
    0x0040A160: Action.DUMMY,  # Text Value
    0x0040A168: Action.DUMMY,  # Concept Code Sequence
    0x0040A300: Action.EMPTY,  # Measured Value Sequence: may be empty
    0x0040A30A: Action.DUMMY,  # Numeric Value
}

_PEOPLE = frozenset(
    (
        *(
            "113870",
            "113871",
            "113872",
            "113873",
            "121008",
            "121009",
        ),  # person, observer: name, id, organization
        *("121020", "121021", "121022", "113516"),  # placer, filler and accession number, prescription
        *("121028", "121029", "121030", "121031", "121036"),  # subject: UID, name, id, birth date, mother
        *("121081", "121114", "121152", "121435"),  # physician, performing and administering person
        *("121017", "121197", "121434", "122128"),  # locations
        *("121040", "121041", "110190", "110122"),  # specimen, issuer, login
    )
)
_DEVICES = frozenset(
    ("113877", "113880", "121013", "121016", "121193", "121196", "110119", "113511", "113514", "122143")
)
_CHARACTERISTICS = frozenset(("121032", "121033", "121034", "121035", "8302-2", "29463-7"))
"""Sex, age, species and breed; body height and weight of LOINC."""
_SCHEMES = frozenset((b"DCM", b"LN"))
_NAMED = re.compile(
    r"(?i)\b(patient'?s? (name|id)|subject (name|id)|person|physicians?|doctor|radiologist|technologist|"
    r"technician|operator|surgeon|ana?esthe(tist|siologist)|sonographer|nurse|referr\w+|reader|author|"
    r"observer name|(signed|reported|dictated|transcribed|verified|performed|requested|read) by|"
    r"(last|first|family|given|middle|maiden|full|birth)[ -]?names?|surname|birth ?(date|day)|date of birth|"
    r"dob|address|(tele)?phone|fax|e-?mail|contact (name|person)|employer|spouse|"
    r"institution|hospital|clinic|department|organi[sz]ation|accession|mrn|medical record|insurance|ssn|"
    r"social security|passport|next of kin|arzt|ärztin|befunder|zuweiser|überweiser|einsender|operateur|"
    r"chirurg|(nach|vor|familien|geburts)name|geburtsdatum|m[ée]decin|m[ée]dico|pr[ée]nom|apellidos?|"
    r"cognome)\b|^\W*(name|nom|nombre|nome)\W*$"
)
"""What codes that are not listed say of themselves, in Code Meaning: local ones, and the standards'."""
_MOST = 500_000


def decisions_about(item: Dataset, options: frozenset[PolicyOption]) -> Mapping[int, Decision]:
    """Give what is decided about the values of a content item by its concept; empty: nothing special.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When its concept is no sequence.
    """
    about = _about(item, options)
    if about is None:
        return {}
    return {tag: Decision(action, f"content about {about}") for tag, action in _VALUES.items()}


def check_references(dataset: Dataset, *, little: bool) -> None:
    """Raise `Refusal` when content items refer to each other in a circle, in which readers would run on.

    `little`: whether the object is little endian. Expects that depth and number of items are bounded.
    """
    edges: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for path, item in _items(dataset):
        value = raw(item, _REFERENCE)
        numbers = struct.unpack(f"{'<' if little else '>'}{len(value) // 4}I", value[: len(value) // 4 * 4])
        edges.setdefault(path[:-1], []).append(numbers or path)
    _check_circles(edges)


def _check_circles(edges: Mapping[tuple[int, ...], list[tuple[int, ...]]]) -> None:
    """Walk along edges, depth first; what is met again on the way there closes a circle."""
    done: set[tuple[int, ...]] = set()
    for root in edges:
        on_way = {root}
        stack = [(root, iter(edges[root]))]
        while root not in done and stack:
            path, left = stack[-1]
            following = next(left, None)
            if following is None:
                stack.pop()
                on_way.discard(path)
                done.add(path)
            elif following in on_way:
                raise Refusal("bad-structure", "Content items refer to each other in a circle.")
            elif following not in done and following in edges:
                on_way.add(following)
                stack.append((following, iter(edges[following])))


def _items(dataset: Dataset) -> Iterator[tuple[tuple[int, ...], Dataset]]:
    """Yield content items with their positions (PS3.3, C.17.3.2.5): 1 is the root, 1, 2 its second item."""
    waiting: list[tuple[tuple[int, ...], Dataset]] = [((1,), dataset)]
    seen = 0
    while waiting:
        path, holder = waiting.pop()
        if CONTENT_SEQUENCE not in holder:
            continue
        for number, item in enumerate(take(holder, CONTENT_SEQUENCE, "SQ").items or [], 1):
            seen += 1
            if seen > _MOST:
                raise Refusal("too-many-elements", "A content tree with more items than can be judged.")
            yield (*path, number), item
            waiting.append(((*path, number), item))


def _text(value: bytes) -> str:
    """Give a text in the sets that reports are written in, well enough to tell words."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _about(item: Dataset, options: frozenset[PolicyOption]) -> str | None:
    if _CONCEPT_NAME not in item:
        return None
    for concept in take(item, _CONCEPT_NAME, "SQ").items or []:
        code = raw(concept, _CODE).strip(b"\0 ").decode("latin-1")
        if raw(concept, _SCHEME).strip(b"\0 ") in _SCHEMES:
            for codes, about, option in (
                (_PEOPLE, "people, orders and places", None),
                (_DEVICES, "devices", "retain_device_identity"),
                (_CHARACTERISTICS, "the patient", "retain_patient_characteristics"),
            ):
                if code in codes and option not in options:
                    return about
            if code in _DEVICES | _CHARACTERISTICS:
                continue
        if _NAMED.search(_text(raw(concept, _MEANING)[:256])):
            return "people, orders and places"
    return None
