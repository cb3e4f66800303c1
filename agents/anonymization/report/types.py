"""What a report says. Types; none has room for a value of an object."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from agents.anonymization.report.comparing import Done
from agents.anonymization.standard.codes import PolicyOption

ExceptionAction = Literal["keep", "remove", "empty", "dummy", "uid", "shift", "clean", "replace"]
FORMAT: Final = 1


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """So many objects or files with one reason; `words` for people."""

    reason: str
    words: str
    number: int


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an attribute, and in how many objects.

    Attributes
    ----------
    attribute, name
        DICOM keyword, and the name in the standard; of private and unknown ones the group alone.
    done, reason
        As `agents.anonymization.report.comparing.Change` has them.
    """

    attribute: str
    name: str
    done: Done
    reason: str
    objects: int


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """A series, by the names that it has in the output.

    Attributes
    ----------
    objects
        Files of it that were read; each is in one of the four counts below.
    compared
        Objects whose output was laid beside the original: `attributes` speaks of these.
    pixels_changed, tools
        Objects whose pixels were cleaned or defaced, and what did it, with versions.
    """

    patient: str
    study: str
    series: str
    modality: str
    objects: int
    anonymized: int
    duplicates: int
    quarantined: list[Count]
    failed: int
    compared: int
    pixels_changed: int
    tools: list[Count]
    attributes: list[Attribute]


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """An option of PS3.15, E.3; `says` what it does when it is on, and what is done without it."""

    option: PolicyOption
    title: str
    on: bool
    says: str


class PolicyException(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute for which the policy decides otherwise."""

    attribute: str
    action: ExceptionAction
    why: str


class PolicyPart(msgspec.Struct, frozen=True, kw_only=True):
    """The policy, in words."""

    label: str
    name: str
    version: int
    description: str
    profile: str
    options: list[Option]
    exceptions: list[PolicyException]
    more: list[str]


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of all files together.

    Attributes
    ----------
    made
        Date of the report, ISO 8601, UTC.
    files
        By what became of them.
    attributes
        Of all series together.
    """

    format: Literal[1] = FORMAT
    made: str
    policy: PolicyPart
    software: dict[str, str]
    files: dict[str, int]
    reasons: list[Count]
    patients: int
    studies: int
    series: int
    compared: int
    pixels_changed: int
    tools: list[Count]
    attributes: list[Attribute]
