"""What happens to an attribute: a policy compiled for one IOD, each decision with its reason. Pure.

Order of the decision: what no data set may hold; the policy's own exceptions; the table's row with the
options that are on; the alternatives of a row by the attribute's type in the IOD (PS3.15, E.3.1). Where the
table says nothing, this is stricter than the standard: unlisted free text, names, dates and addresses go, and
so does what the dictionary does not know. UIDs that the standard does not register are replaced, listed or
not.
"""

from __future__ import annotations

import contextlib
import functools

from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VR, tag_for_keyword

from agents.anonymization.policy.decision import Action, Decision, Within, items_within
from agents.anonymization.policy.document import Override, Policy
from agents.anonymization.standard.codes import PolicyOption
from agents.anonymization.standard.table import Code, Option, Rule, load_table
from agents.anonymization.standard.types import Type, load_types
from agents.anonymization.standard.unlisted import load_identifiers, load_unlisted

__all__ = [
    "DATES",
    "ENCAPSULATED_DOCUMENT",
    "PATIENT_ID",
    "PATIENT_NAME",
    "REFERENCE_ELEMENTS",
    "TEXTS",
    "TEXT_VALUE",
    "UNFORMATTED_TEXT_VALUE",
    "UNLISTED_REMOVED",
    "Action",
    "Decision",
    "RuleBook",
    "Rules",
    "Within",
    "book_of",
    "items_within",
    "known_vr",
    "tag_of",
]

PATIENT_NAME, PATIENT_ID = 0x00100010, 0x00100020
TEXT_VALUE, UNFORMATTED_TEXT_VALUE, ENCAPSULATED_DOCUMENT = 0x0040A160, 0x00700006, 0x00420011
REFERENCE_ELEMENTS = frozenset((0x00081150, 0x00081155, 0x00081160, 0x0040A170, 0x0062000B))
"""Referenced SOP Class UID, SOP Instance UID and Frame Number, Purpose of Reference, Referenced Segment."""

UNLISTED_REMOVED = frozenset(("LT", "ST", "UT", "UC", "UR", "PN", "DA", "TM", "DT", "AE", "AS", "UN"))
"""Value representations of attributes that go when the table does not list them."""

DATES = frozenset(("DA", "TM", "DT"))
TEXTS = frozenset(("LO", "SH", "LT", "ST", "UT", "UC"))
_LAST_SERVICE_GROUP = 0x0007
"""Command, file meta and directory groups have no place in a data set; group 6 and 7 don't exist."""
_CURVES, _OVERLAYS = 0x50, 0x60
_REMEMBERED = 1 << 15
"""Decisions; all attributes of all IODs are fewer, and hostile objects name others."""
_TIMEZONE, _CHARACTER_SET = 0x00080201, 0x00080005
# Copies of what was there before, signatures over it, and what we write ourselves.
_ALWAYS_REMOVED = frozenset(
    (
        *(0x00120062, 0x00120063, 0x00120064, 0x00280303),
        *(0x04000010, 0x04000120, 0x04000500, 0x04000510, 0x04000520, 0x04000550, 0x04000561),
        *(0x4FFE0001, 0xFFFAFFFA, 0xFFFCFFFC),
    )
)
_HOMES: dict[int, int | None] = {
    **dict.fromkeys((0x7FE00001, 0x7FE00002, 0x7FE00003, 0x7FE00008, 0x7FE00009, 0x7FE00010), None),
    0x54001010: 0x54000100,
}
"""Where bulk data stands that nobody else looks at: pixels at the top, waveforms in Waveform Sequence."""
_IODS: dict[int, frozenset[str]] = {
    **dict.fromkeys((0x7FE00008, 0x7FE00009), frozenset(("parametric-map",))),
    **dict.fromkeys((0x56000010, 0x56000020), frozenset(("mr-spectroscopy",))),
    **dict.fromkeys((0x7FE00020, 0x7FE00030, 0x7FE00040), frozenset[str]()),
}
"""The only IODs with pixels as floats, with spectra, with coefficients: elsewhere it is an image beside the
image, which neither admission nor whoever cleans pixels looks at."""
_FOREIGN_GROUPS = frozenset((0x0014, 0x0072, 0x4010))
"""Inspections of materials, hanging protocols (which repeat values of any attribute), security: no object
that comes out is one of these."""
# An empty Referenced Study Sequence is invalid where it is optional: the alternative is removal.
_NEVER_EMPTY = frozenset((0x00081110,))

_CONTENT: dict[int, tuple[PolicyOption, ...]] = {
    TEXT_VALUE: ("clean_structured_content",),
    UNFORMATTED_TEXT_VALUE: ("clean_graphics", "clean_structured_content"),
    ENCAPSULATED_DOCUMENT: ("clean_structured_content",),
}
"""What stands in content trees, in annotations of images and waveforms, and in documents."""

_PLAIN: dict[Code, Action] = {
    "D": Action.DUMMY,
    "Z": Action.EMPTY,
    "X": Action.REMOVE,
    "C": Action.REMOVE,
    "U": Action.UID,
    "K": Action.KEEP,
}
_BY_TYPE: dict[Code, tuple[Action, Action, Action]] = {
    "Z/D": (Action.DUMMY, Action.EMPTY, Action.EMPTY),
    "X/Z": (Action.EMPTY, Action.EMPTY, Action.REMOVE),
    "X/D": (Action.DUMMY, Action.DUMMY, Action.REMOVE),
    "X/Z/D": (Action.DUMMY, Action.EMPTY, Action.REMOVE),
    "X/Z/U*": (Action.REFERENCES, Action.REFERENCES, Action.REMOVE),
}
"""What the alternatives are (PS3.15, E.3.1) for attributes of type 1 or 1C, 2 or 2C, and 3."""
_COLUMNS: dict[Option, PolicyOption] = {
    "clean_descriptors": "clean_descriptors",
    "clean_graphics": "clean_graphics",
    "clean_structured_content": "clean_structured_content",
    "device_identity": "retain_device_identity",
    "full_dates": "retain_longitudinal_full_dates",
    "institution_identity": "retain_institution_identity",
    "modified_dates": "retain_longitudinal_modified_dates",
    "patient_characteristics": "retain_patient_characteristics",
    "safe_private": "retain_safe_private",
    "uids": "retain_uids",
}
# The more careful of two options that are on goes first.
_PRECEDENCE: tuple[Option, ...] = (
    "modified_dates",
    "clean_descriptors",
    "clean_structured_content",
    "clean_graphics",
    "patient_characteristics",
    "device_identity",
    "institution_identity",
    "full_dates",
    "uids",
)
_CLEANING: dict[Option, Action] = {
    "modified_dates": Action.SHIFT,
    "clean_structured_content": Action.CONTENT,
    "clean_graphics": Action.GRAPHICS,
}


class Rules:
    """A policy for one SOP class: gives the decision of any attribute, remembered.

    Parameters
    ----------
    policy
        The policy.
    sop_class_uid
        The object's SOP class; of one whose IOD is not known the alternative is taken that is valid for every
        type: a dummy before an empty value before removal.
    """

    def __init__(self, policy: Policy, sop_class_uid: str) -> None:
        self.policy = policy
        self._iod = load_types().iod_of(sop_class_uid)
        self._overrides = {tag_of(name): override for name, override in policy.attributes.items()}
        self._known: dict[tuple[int, int | None, Within], Decision] = {}

    def decide(self, tag: int, parent: int | None = None, within: Within = Within.OBJECT) -> Decision:
        """Decide about an attribute at the top level, or in the items of the sequence `parent`."""
        key = tag, parent, within
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = _within(within, tag, self._decide(tag, parent))
        return found

    def _decide(self, tag: int, parent: int | None) -> Decision:
        vr = known_vr(tag)
        outside = self._outside(tag, vr, parent)
        if outside is not None:
            return outside
        if tag in (PATIENT_NAME, PATIENT_ID) and parent is None:
            return Decision(Action.PATIENT, "pseudonym")
        row = load_table().rules.get(tag)
        if row is None:
            plain = self._unlisted(tag, str(vr), parent)
        else:
            plain = self._option(row, str(vr), parent) or self._basic(row, str(vr), parent)
        plain = self._content(tag, plain)
        return _overridden(self._overrides[tag], plain, str(vr)) if tag in self._overrides else plain

    def _outside(self, tag: int, vr: str | None, parent: int | None) -> Decision | None:
        """Decide about what no policy can override."""
        group, on = tag >> 16, self.policy.options
        no_part = group <= _LAST_SERVICE_GROUP or not tag & 0xFFFF
        if group & 1 and "retain_safe_private" in on and not no_part:
            return Decision(Action.PRIVATE, "option retain_safe_private")
        if group >> 8 == _OVERLAYS and "clean_graphics" in on and not group & 1:
            return Decision(Action.GRAPHICS, "option clean_graphics")
        for unfit, reason in (
            (no_part, "no part of an object"),
            (group & 1, "private"),
            (group >> 8 in (_CURVES, _OVERLAYS), "curves and overlays"),
            (vr is None, "not in the dictionary"),
            (_HOMES.get(tag, parent) != parent, "pixels or curves outside of their place"),
            (self._iod not in _IODS.get(tag, (self._iod,)), "an image beside the image"),
            (tag in _ALWAYS_REMOVED, "what was there before, or a signature over it"),
        ):
            if unfit:
                return Decision(Action.REMOVE, reason)
        return None

    def _option(self, row: Rule, vr: str, parent: int | None) -> Decision | None:
        otherwise = self._basic(row, vr, parent).action
        for column in _PRECEDENCE:
            code = row.options.get(column)
            if code is None or _COLUMNS[column] not in self.policy.options:
                continue
            reason = f"option {_COLUMNS[column]}"
            if code == "K":
                return Decision(Action.KEEP, reason, None, otherwise)
            action = _CLEANING.get(column, Action.CLEAN)
            if action is Action.SHIFT and vr not in DATES:
                # Days are moved, not hours: the time zone stays. Time stamps in other codings can't be moved.
                zone = int(row.tag, 16) == _TIMEZONE
                return Decision(Action.KEEP, reason, None, otherwise) if zone else None
            return Decision(action, reason, None, otherwise)
        return None

    def _basic(self, row: Rule, vr: str, parent: int | None) -> Decision:
        action = self._alternative(row.action, int(row.tag, 16), parent)
        if action is Action.DUMMY and vr == "UI":
            action = Action.UID
        return Decision(action, f"table E.1-1: {row.action}")

    def _alternative(self, code: Code, tag: int, parent: int | None) -> Action:
        if tag in (PATIENT_NAME, PATIENT_ID):
            # Who else is named inside the object is not known: nobody gets this patient's pseudonym.
            return Action.EMPTY if tag == PATIENT_NAME else Action.DUMMY
        if code in _PLAIN:
            return _PLAIN[code]
        if tag in _NEVER_EMPTY:
            return Action.REMOVE
        kind: Type = load_types().type_of(self._iod, tag, parent) if self._iod else "1"
        return _BY_TYPE[code][int(kind[0]) - 1]

    def _unlisted(self, tag: int, vr: str, parent: int | None) -> Decision:
        plain = self._plainly_unlisted(tag, vr, parent)
        if plain.action is Action.KEEP and tag >> 16 in _FOREIGN_GROUPS:
            return Decision(Action.REMOVE, "of another kind of object")
        if plain.action is Action.KEEP or tag in load_identifiers():
            return plain
        for option, action, fits in (
            ("retain_uids", Action.KEEP, vr == "UI"),
            ("retain_longitudinal_modified_dates", Action.SHIFT, vr in DATES),
            ("retain_longitudinal_full_dates", Action.KEEP, vr in DATES),
            ("clean_descriptors", Action.CLEAN, vr in TEXTS),
        ):
            if fits and option in self.policy.options:
                return Decision(action, f"option {option}", None, plain.action)
        return plain

    def _content(self, tag: int, plain: Decision) -> Decision:
        """Clean the texts of what an option keeps, which the table lists elsewhere or not at all."""
        if plain.action is not Action.CLEAN:
            for option in _CONTENT.get(tag, ()):
                if option in self.policy.options:
                    return Decision(Action.CLEAN, f"option {option}", None, plain.otherwise or plain.action)
        return plain

    def _plainly_unlisted(self, tag: int, vr: str, parent: int | None) -> Decision:
        if vr == "UI":
            return Decision(Action.UID, "unlisted UID")
        if vr not in UNLISTED_REMOVED and tag not in load_unlisted():
            return Decision(Action.KEEP, "unlisted, of a kind that names nobody")
        kind = load_types().type_of(self._iod, tag, parent) if self._iod else "3"
        action = {"1": Action.DUMMY, "2": Action.EMPTY}.get(kind[0], Action.REMOVE)
        return Decision(action, "unlisted text, date or name")


class RuleBook:
    """A policy's rules by SOP class, made when they are first asked for."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._made: dict[str, Rules] = {}

    def of(self, sop_class_uid: str) -> Rules:
        """Give the rules for a SOP class; all that are unknown share one set."""
        key = sop_class_uid if load_types().iod_of(sop_class_uid) else ""
        if key not in self._made:
            self._made[key] = Rules(self.policy, key)
        return self._made[key]


@functools.lru_cache(maxsize=16)
def book_of(policy: Policy) -> RuleBook:
    """Give a policy's rules, made once."""
    return RuleBook(policy)


@functools.lru_cache(maxsize=16384)
def known_vr(tag: int) -> str | None:
    """Give the VR that dictionary or table know for a tag; several joined by " or ". None: unknown."""
    if dictionary_has_tag(tag) or tag >> 24 == _OVERLAYS:
        with contextlib.suppress(KeyError):
            # a retired one without a name has no meaning by which to judge it
            return str(dictionary_VR(tag)) if dictionary_keyword(tag) else None
    row = load_table().rules.get(tag)
    return row.vr if row else None


def tag_of(name: str) -> int:
    """Give the tag of a keyword or of ``(GGGG,EEEE)``.

    Raises
    ------
    KeyError
        When there is no attribute of that keyword.
    """
    if name.startswith("("):
        return int(name[1:5] + name[6:10], 16)
    tag = tag_for_keyword(name)
    if tag is None:
        raise KeyError(name)
    return int(tag)


def _within(within: Within, tag: int, decision: Decision) -> Decision:
    if within is Within.REFERENCES and tag not in REFERENCE_ELEMENTS:
        return Decision(Action.REMOVE, "no reference")
    if within is Within.DUMMIES and decision.action not in (Action.REMOVE, Action.EMPTY, Action.UID):
        if tag >> 16 & 1 or tag >> 24 == _OVERLAYS or tag == _CHARACTER_SET:
            return Decision(Action.REMOVE, "in a sequence of dummies")
        action = Action.UID if known_vr(tag) == "UI" else Action.DUMMY
        return Decision(action, "in a sequence of dummies")
    return decision


def _overridden(override: Override, plain: Decision, vr: str) -> Decision:
    action = Action(override.action)
    if action is Action.DUMMY and vr == "UI":
        action = Action.UID
    without = plain.otherwise or plain.action
    otherwise = Action.REMOVE if without is Action.KEEP else without
    return Decision(action, f"policy{': ' if override.why else ''}{override.why}", override.value, otherwise)
