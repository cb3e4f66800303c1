"""A report's words, for people who are not at home in DICOM. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from agents.anonymization.policy.describing import CODES, because
from agents.anonymization.report.comparing import Done
from agents.anonymization.report.types import ExceptionAction
from agents.anonymization.standard.codes import PolicyOption

PROFILE = (
    "Basic Application Level Confidentiality Profile (DICOM PS3.15, Annex E, edition 2026c): everything that "
    "the standard lists as identifying is removed or replaced. What the standard does not list is kept only "
    "if it is a number, a code or a short technical term, and repeats nothing that is known to identify."
)


class DoneWords(NamedTuple):
    """What happened, as the heading of a row, and what that means."""

    title: str
    says: str


DONE: Final[Mapping[Done, DoneWords]] = {
    "removed": DoneWords("Removed", "The attribute is not in the output, nor is anything in it."),
    "emptied": DoneWords("Emptied", "The attribute is there, because it has to be, and has no value."),
    "pseudonym": DoneWords("Replaced by a pseudonym", "The same patient has the same one everywhere."),
    "new-uid": DoneWords("Replaced by a new UID", "References between objects lead to each other still."),
    "dummy": DoneWords("Replaced by a dummy", "A value that says nothing, because there has to be one."),
    "shifted": DoneWords("Dates moved", "By a number of days of the patient's own: intervals stay."),
    "cleaned": DoneWords("Cleaned", "What is known to identify was taken out, or pixels were made black."),
    "replaced": DoneWords("Replaced by the policy's value", "The same for everybody."),
    "kept": DoneWords("Kept", "The value is that of the original."),
    "unused": DoneWords("Had no value", "Neither in the original nor in the output."),
    "added": DoneWords("Added", "What the output says of its own de-identification."),
}
"""In the order of a report."""

EXCEPTIONS: Final[Mapping[ExceptionAction, str]] = {
    "keep": "Kept",
    "remove": "Removed",
    "empty": "Emptied",
    "dummy": "Replaced by a dummy",
    "uid": "Replaced by a new UID",
    "shift": "Date moved",
    "clean": "Cleaned of what is known to identify",
    "replace": "Replaced by the policy's value",
}

RESULTS: Final[Mapping[str, str]] = {
    "anonymized": "Came out anonymized",
    "duplicate": "The same object as another file, which came out",
    "quarantined": "Kept back, not among the output",
    "left-out": "No DICOM object, not among the output",
    "failed": "Not accounted for: could not be read or written",
}

_WITHOUT: Final[Mapping[PolicyOption, str]] = {
    "clean_pixel_data": (
        "Pixels were not searched for text. Images that are likely to have some were kept back."
    ),
    "clean_recognizable_visual_features": (
        "Faces were not taken out: from thin slices of a head the face can be computed."
    ),
}
_WITH: Final[Mapping[PolicyOption, str]] = {
    "retain_longitudinal_full_dates": (
        "Dates were kept. Who knows when somebody was examined may find them again."
    ),
    "retain_patient_characteristics": (
        "Sex, age and the like were kept. In small or rare groups they can point to a person."
    ),
    "retain_device_identity": (
        "Names and serial numbers of devices were kept. They tell the hospital, to who knows its devices."
    ),
    "retain_institution_identity": "The institution was kept.",
    "retain_uids": "UIDs were kept. Whoever has the originals can tell whose an object is.",
    "clean_descriptors": (
        "Descriptions were kept, less what is known to identify. What nobody wrote down elsewhere in the "
        "study, such as a relative's name, may remain in them."
    ),
}
_ALWAYS: Final = (
    (
        "Short technical terms that the standard does not list, such as the name of a beam or a coil, were "
        "kept where they repeat nothing that is known to identify. Somebody may have typed a name into one."
    ),
    (
        "Whoever has the key and the manifest can link every output to its patient: they belong to those who "
        "may do that, and never to the output."
    ),
    (
        "A rare disease, an implant or an unusual anatomy can tell a person to whoever knows of it. No tool "
        "removes that."
    ),
)

_REASONS: Final[Mapping[str, str]] = {
    "the de-identification's own": "The standard asks for it",
    "private": "Private attributes of manufacturers can hold anything",
    "no part of an object": "It is no part of an image, and has no place in it",
    "curves and overlays": "Curves and overlays can be drawn text",
    "overlays that can't be judged": "An overlay can be drawn text, and nothing could read this one",
    "pseudonym": "The same patient has the same pseudonym everywhere",
    "not in the dictionary": "Nobody knows what it means",
    "what was there before, or a signature over it": "It repeats or signs what was there before",
    "pixels changed": "Text, a face or what is no picture was taken out of it",
    "unlisted UID": "The standard does not list it, and it can be looked up in the hospital",
    "unlisted, of a kind that names nobody": "The standard does not list it: number, code or technical term",
    "unlisted text, date or name": "The standard does not list it, and it can hold text, a date or a name",
    "no reference": "In this list only references to other objects stay",
    "in a sequence of dummies": "It is part of a list that was replaced by a dummy",
}


_NOT_OF_ITS_KIND: Final = (
    "The standard does not list it, but a value repeated what identifies, was not of its kind, or described "
    "pixels that were changed"
)
_REGISTERED: Final = "It is one of the standard's own UIDs, which name nobody"
_OTHERWISE: Final[Mapping[tuple[str, Done], str]] = {
    ("unlisted UID", "kept"): _REGISTERED,
    ("table E.1-1: U", "kept"): _REGISTERED,
    ("option retain_safe_private", "removed"): "It is private, and on no list of safe ones",
    ("unlisted, of a kind that names nobody", "cleaned"): _NOT_OF_ITS_KIND,
    ("unlisted, of a kind that names nobody", "emptied"): _NOT_OF_ITS_KIND,
    ("unlisted, of a kind that names nobody", "removed"): _NOT_OF_ITS_KIND,
}
"""What happened although the rules say otherwise: the value decided."""


def limits(options: frozenset[PolicyOption]) -> list[str]:
    """Say what remains to be judged by people, for the options that are on."""
    return [
        *(words for option, words in _WITHOUT.items() if option not in options),
        *(words for option, words in _WITH.items() if option in options),
        *_ALWAYS,
    ]


def reason_in_words(reason: str, done: Done) -> str:
    """Say in plain words why something happened; where the rules alone don't explain it, what does."""
    found = _OTHERWISE.get((reason, done)) or _REASONS.get(reason)
    if found is not None:
        return found
    _, table, code = reason.partition("table E.1-1: ")
    if table:
        return (
            f"The standard lists it ({code}: {CODES[code]})"
            if code in CODES
            else f"The standard lists it ({code})"
        )
    return because(reason)
