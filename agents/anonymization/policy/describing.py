"""Options, actions and reasons in words, and how many attributes each option changes. Pure."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.rules import Action, Rules
from agents.anonymization.standard.codes import OPTION_CODES, PolicyOption
from agents.anonymization.standard.table import load_table


class OptionWords(NamedTuple):
    """What an option is: `section` of PS3.15, `code` of CID 7050, and what it does here."""

    section: str
    says: str


OPTIONS: Final[Mapping[PolicyOption, OptionWords]] = {
    "clean_pixel_data": OptionWords(
        "E.3.1",
        "Text burned into pixels is blacked out: by the policy's regions, those known for the device, an "
        "ultrasound's own, and a text detector. Without it such images stay in.",
    ),
    "clean_recognizable_visual_features": OptionWords(
        "E.3.2", "Heads in CT and MR volumes lose the face, or stay in."
    ),
    "clean_graphics": OptionWords(
        "E.3.3", "Overlays and drawn annotations stay, without text that identifies. Without it they go."
    ),
    "clean_structured_content": OptionWords(
        "E.3.4",
        "Structured reports and encapsulated documents come out, each item judged and its text cleaned. "
        "Without it they stay in.",
    ),
    "clean_descriptors": OptionWords(
        "E.3.5",
        "Descriptions and comments stay, without words that are known to identify. Without it they go.",
    ),
    "retain_longitudinal_full_dates": OptionWords("E.3.6", "Dates and times stay as they are."),
    "retain_longitudinal_modified_dates": OptionWords(
        "E.3.6",
        "Dates move back by a number of days of the patient's own, at most dates.at_most_days; "
        "intervals stay.",
    ),
    "retain_patient_characteristics": OptionWords(
        "E.3.7",
        "Sex, age (at most 90), size, weight and the like stay; notes on allergies, needs and state are "
        "cleaned.",
    ),
    "retain_device_identity": OptionWords(
        "E.3.8", "Serial numbers, station names and calibration stay; AE titles are cleaned."
    ),
    "retain_uids": OptionWords(
        "E.3.9",
        "UIDs stay: whoever has the originals can tell whose an image is. For use within one archive.",
    ),
    "retain_safe_private": OptionWords(
        "E.3.10",
        "Private attributes stay that are in Table E.3.10-1 or in the policy's safe_private. Without it "
        "all go.",
    ),
    "retain_institution_identity": OptionWords(
        "E.3.11", "The institution's name, address and department stay."
    ),
}

CODES: Final[Mapping[str, str]] = {
    "D": "a dummy",
    "Z": "empty",
    "X": "remove",
    "K": "keep",
    "C": "clean",
    "U": "replace the UID",
    "X/Z": "remove, or empty where the object must have it",
    "X/D": "remove, or a dummy where the object must have a value",
    "X/Z/D": "remove, or empty or a dummy where the object must have it",
    "Z/D": "empty, or a dummy where the object must have a value",
    "X/Z/U*": "remove, or references alone where the object must have it",
}
"""The codes of Table E.1-1."""

ACTIONS: Final[Mapping[Action, str]] = {
    Action.REMOVE: "removed",
    Action.EMPTY: "emptied",
    Action.DUMMY: "dummy",
    Action.UID: "new UID",
    Action.REFERENCES: "references kept",
    Action.KEEP: "kept",
    Action.PATIENT: "pseudonym",
    Action.SHIFT: "moved",
    Action.CLEAN: "cleaned",
    Action.CONTENT: "cleaned",
    Action.GRAPHICS: "cleaned",
    Action.PRIVATE: "kept",
    Action.REPLACE: "policy's value",
}
"""What has come of an attribute whose value changed."""


def title(option: PolicyOption) -> str:
    """Give an option's name in the standard, without the word Option."""
    return OPTION_CODES[option].meaning.removesuffix(" Option")


def because(reason: str) -> str:
    """Say a decision's reason in words."""
    kind, _, rest = reason.partition(" ")
    option = next((one for one in OPTIONS if one == rest), None)
    if kind == "option" and option:
        return f"{title(option)} (PS3.15, {OPTIONS[option].section})"
    if kind in ("policy", "policy:"):
        return f"The policy{': ' if rest else ''}{rest}"
    _, table, code = reason.partition("table E.1-1: ")
    if table:
        return f"Table E.1-1: {code}"
    return f"{reason[:1].upper()}{reason[1:]}"


@functools.cache
def changes(option: PolicyOption) -> Mapping[Action, int]:
    """Count the rows of Table E.1-1 that an option alone changes, by what is done to them then.

    At the top of an object of an unknown class, where every alternative is the one that is always valid.
    """
    plain = Rules(Policy(name="profile", version=1), "")
    on = Rules(Policy(name="option", version=1, options=frozenset([option])), "")
    rows = sorted(load_table().rules)
    return Counter(on.decide(row).action for row in rows if on.decide(row) != plain.decide(row))


OUTCOMES: Final[Mapping[str, frozenset[Action]]] = {
    "kept": frozenset((Action.KEEP, Action.PRIVATE)),
    "moved": frozenset((Action.SHIFT,)),
    "cleaned": frozenset((Action.CLEAN, Action.CONTENT, Action.GRAPHICS)),
    "replaced": frozenset((Action.UID, Action.PATIENT, Action.DUMMY, Action.REPLACE, Action.REFERENCES)),
    "emptied": frozenset((Action.EMPTY,)),
    "removed": frozenset((Action.REMOVE,)),
}
"""What becomes of an attribute, in few words."""


def counted(actions: Mapping[Action, int]) -> dict[str, int]:
    """Count by outcome what is counted by action."""
    return {what: sum(actions.get(action, 0) for action in some) for what, some in OUTCOMES.items()}


def outcomes(policy: Policy) -> dict[str, int]:
    """Count the rows of Table E.1-1 by what a policy makes of them, as `changes` does."""
    rules = Rules(policy, "")
    return counted(Counter(rules.decide(row).action for row in sorted(load_table().rules)))
