"""Which private attributes Retain Safe Private keeps, and how (DICOM PS3.15, E.3.10; PS3.5, 7.8). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from pydicom.datadict import private_dictionary_VR

from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.rules import DATES, Action, Decision
from agents.anonymization.standard.safe_private import PrivateName, load_safe_private
from gateway.part10 import VR_NAMES

_NAME = re.compile(r"(.{1,64}):([0-9A-Fa-f]{3}[13579BDFbdf]),[xX]{2}([0-9A-Fa-f]{2})")
_FIRST_BLOCK, _LAST_BLOCK = 0x10, 0xFF
_LAST_SERVICE_GROUP = 0x0007
_REASON = "option retain_safe_private"
_NEVER = frozenset(("PN", "AE", "UR", "UN"))


class Safe(NamedTuple):
    """What happens to a safe private element, and the VR that it has."""

    decision: Decision
    vr: str


class SafePrivate:
    """Knows the private attributes that a policy keeps: the standard's list and its own."""

    def __init__(self, policy: Policy) -> None:
        self._options = policy.options
        self._vrs: dict[PrivateName, str] = {}
        if "retain_safe_private" in policy.options:
            self._vrs = {_listed(text): "" for text in policy.safe_private} | load_safe_private().vrs

    def decide(self, creator: bytes, tag: int, vr: str | None) -> Safe | None:
        """Decide about a private element.

        Parameters
        ----------
        creator
            Value of the creator of its block in the same item.
        tag
            Its tag.
        vr
            As written; None with implicit VR.

        Returns
        -------
        Safe or None
            None when it goes: it is not listed, or written as something else than what is listed.
        """
        name = PrivateName(creator.strip(b" \0").decode("latin-1"), tag >> 16, tag & 0xFF)
        listed = self._vrs.get(name)
        if listed is None:
            return None
        known = listed or _dictionary_vr(tag, name.creator)
        written = None if vr == "UN" else vr
        if known and written and known != written:
            return None
        found = known or written
        if found is None or found.encode() not in VR_NAMES or found in _NEVER:
            return None
        decision = self._decision(found)
        return None if decision is None else Safe(decision, found)

    def _decision(self, vr: str) -> Decision | None:
        if vr == "UI":
            action = Action.KEEP if "retain_uids" in self._options else Action.UID
            return Decision(action, _REASON, None, Action.UID)
        if vr in DATES:
            if "retain_longitudinal_modified_dates" in self._options:
                return Decision(Action.SHIFT, _REASON, None, Action.REMOVE)
            if "retain_longitudinal_full_dates" not in self._options:
                return None
        return Decision(Action.KEEP, _REASON, None, Action.REMOVE)


def is_creator(tag: int) -> bool:
    """Tell whether an element reserves a block of a private group."""
    group, element = tag >> 16, tag & 0xFFFF
    return bool(group & 1) and group > _LAST_SERVICE_GROUP and _FIRST_BLOCK <= element <= _LAST_BLOCK


def creator_of(tag: int) -> int:
    """Give the tag of the creator that a private element belongs to; 0 when it can belong to none."""
    block = (tag & 0xFFFF) >> 8
    return (tag & 0xFFFF0000) | block if block >= _FIRST_BLOCK else 0


def is_private_name(text: str) -> bool:
    """Tell whether a text is ``creator:GGGG,xxEE``."""
    return _NAME.fullmatch(text) is not None


def _listed(text: str) -> PrivateName:
    found = _NAME.fullmatch(text)
    if found is None:
        raise ValueError(f"Not of the form creator:GGGG,xxEE: {text!r}")
    creator, group, element = found.groups()
    return PrivateName(creator.strip(), int(group, 16), int(element, 16))


def _dictionary_vr(tag: int, creator: str) -> str | None:
    try:
        return str(private_dictionary_VR(tag, creator))
    except KeyError:
        return None
