"""Whether what a policy names exists in DICOM and can be done. Pure.

Attributes by pydicom's dictionary and Table E.1-1, SOP classes by PS3.6, modalities by PS3.3.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from cryptography import x509
from pydicom import config
from pydicom.datadict import keyword_dict, keyword_for_tag, tag_for_keyword
from pydicom.uid import UID_dictionary
from pydicom.valuerep import validate_value

from agents.anonymization.encrypted import recipient
from agents.anonymization.kinds import directs_readers
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.policy.problems import Place, Problem, nearest
from agents.anonymization.policy.rules import PATIENT_ID, PATIENT_NAME, Action, Rules, known_vr
from agents.anonymization.standard.table import load_table
from gateway.modalities import OTHER, modality_of
from streams.errors import Rejected

_TEXTS = frozenset(("LO", "SH", "LT", "ST", "UT", "UC"))
_WRITABLE = _TEXTS | frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "PN", "TM", "UR"))
_FITTING = {
    "shift": frozenset(("DA", "DT")),
    "uid": frozenset(("UI",)),
    "clean": _TEXTS,
    "replace": _WRITABLE,
}
"""Value representations that an action can be done to; the others can be done to any."""
_MEANT_FOR = {
    "shift": "dates (DA, DT)",
    "uid": "UIDs (UI)",
    "clean": "text (LO, SH, LT, ST, UT, UC)",
    "replace": "attributes whose value is text",
}
_OWN = {
    PATIENT_NAME: "it is always the patient's pseudonym: pseudonyms.prefix says how it begins.",
    PATIENT_ID: "it is always the patient's pseudonym: pseudonyms.prefix says how it begins.",
    **dict.fromkeys(
        (0x00080018, 0x0020000D, 0x0020000E),
        "objects are told apart by it: it is the original's pseudonym, or itself with retain_uids.",
    ),
    **dict.fromkeys(
        (0x00080016, 0x00080060),
        "readers and rules go by it: it is always kept, in the standard's own terms.",
    ),
}
"""What no exception can be made for, by tag, and why."""


def meaning(policy: Policy) -> Iterator[Problem]:
    """Yield what names nothing, or can't be done."""
    yield from _attributes(policy.attributes)
    for at, uid in enumerate(policy.quarantine.sop_classes):
        if not _is_sop_class(uid):
            yield Problem(
                ("quarantine", "sop_classes", at),
                "the standard has no such SOP class; objects of unknown ones stay in anyway: leave it out.",
            )
    for at, modality in enumerate(policy.quarantine.modalities):
        if modality != OTHER and modality_of(modality) == OTHER:
            yield Problem(
                ("quarantine", "modalities", at), "it is no modality of the standard (PS3.3, C.7.3.1)."
            )
    for at, certificate in enumerate(policy.encrypt_for):
        yield from _certificate(certificate, ("encrypt_for", at))


def tag_of_name(name: str) -> int | None:
    """Give the tag of a keyword, of dictionary or table, or of ``(GGGG,EEEE)``; None: there is none."""
    if name.startswith("("):
        return int(name[1:5] + name[6:10], 16)
    found = tag_for_keyword(name)
    return found if found is not None else _of_table().get(name)


def name_of_tag(tag: int) -> str:
    """Give an attribute's keyword by the dictionary, else ``(GGGG,EEEE)``: one name for one attribute."""
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _attributes(attributes: Mapping[str, Override]) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for name, override in attributes.items():
        place = ("attributes", name)
        tag = tag_of_name(name)
        if tag is None:
            yield Problem(place, f"there is no such attribute{nearest(name, _keywords()) or _BY_TAG}")
        elif tag in seen:
            yield Problem(place, f"it is the same attribute as {seen[tag]}: leave one out.")
        else:
            seen[tag] = name
            yield from _override(tag, override, place)


_BY_TAG = ": give its keyword, or its tag as (GGGG,EEEE)."


def _override(tag: int, override: Override, place: Place) -> Iterator[Problem]:
    vr = known_vr(tag)
    if always := _always_removed(tag):
        yield Problem(place, f"it always goes ({always}), whatever a policy says: leave it out.")
    elif tag in _OWN:
        yield Problem(place, _OWN[tag])
    elif directs_readers(tag) and vr not in _TEXTS:
        yield Problem(place, "readers need it as it is to show the image: leave it out.")
    elif vr not in _FITTING.get(override.action, (vr,)):
        yield Problem(
            (*place, "action"), f"{override.action} is for {_MEANT_FOR[override.action]}, and this is {vr}."
        )
    elif override.value is not None and not _valid(str(vr), override.value):
        yield Problem((*place, "value"), f"it is no value of an attribute that is {vr} (PS3.5, 6.2).")


def _always_removed(tag: int) -> str:
    """Say why an attribute never comes out, whatever profile and options say; empty when it may."""
    if tag >> 16 & 1:
        return "private: retain_safe_private and safe_private keep such"
    decision = Rules(_PROFILE, "").decide(tag)
    if decision.action is Action.REMOVE and not decision.reason.startswith(("table", "unlisted")):
        return decision.reason
    return ""


_PROFILE = Policy(name="profile", version=1)


def _valid(vr: str, value: str) -> bool:
    try:
        validate_value(vr, value, config.RAISE)
    except ValueError:
        return False
    return True


def _is_sop_class(uid: str) -> bool:
    entry = UID_dictionary.get(uid)
    return entry is not None and entry[1] == "SOP Class"


def _certificate(text: str, place: Place) -> Iterator[Problem]:
    try:
        recipient(text)
    except Rejected as error:
        yield Problem(place, f"{error} Put the whole PEM file here, as a block (|).")
    except x509.InvalidVersion:
        yield Problem(place, "It is a certificate of a version that nobody knows.")


@functools.cache
def _of_table() -> dict[str, int]:
    return {rule.keyword: tag for tag, rule in load_table().rules.items()}


@functools.cache
def _keywords() -> tuple[str, ...]:
    return tuple(set(filter(None, keyword_dict)) | _of_table().keys())
