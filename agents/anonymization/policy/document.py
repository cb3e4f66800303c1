"""A policy: a versioned choice of the profile, options and exceptions. Types, pure.

A policy is a document of its own (YAML or JSON, `agents.anonymization.policy.reading`), kept and reviewed
like a protocol. Its digest covers everything that decides what comes out, so that two machines that name the
same label anonymize alike.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from agents.anonymization.standard.codes import BASIC_PROFILE, OPTION_CODES, MethodCode, PolicyOption
from agents.anonymization.standard.safe_private import load_safe_private
from agents.anonymization.standard.table import load_table

REVISION = 3
"""Counts changes of this package that change its output; part of each policy's digest."""

Tag = Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z][A-Za-z0-9]{0,63}|\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\))$")]
"""An attribute: its keyword (``StudyDescription``) or its tag (``(0008,1030)``)."""

Pixels = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to one attribute instead of what profile and options say, at every depth.

    Attributes
    ----------
    action
        keep, remove, empty, dummy (a value that says nothing), uid (replace by its pseudonym), shift (a
        date), clean (take out what is known to identify), or replace (by `value`).
    value
        With ``replace`` only.
    why
        For whoever reads the policy, and for the report.
    """

    action: Literal["keep", "remove", "empty", "dummy", "uid", "shift", "clean", "replace"]
    value: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    why: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Dates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How dates are moved by Retain Longitudinal Temporal Information with Modified Dates.

    Attributes
    ----------
    at_most_days
        Each patient's dates move back by 1 to so many days, the same for all of the patient's objects.
    """

    at_most_days: Annotated[int, msgspec.Meta(ge=30, le=3650)] = 365


class Pseudonyms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How Patient ID and Patient's Name are made: `prefix` and the patient's key, 32 hexadecimal digits."""

    prefix: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{0,16}$")] = ""


class Region(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a device draws text: boxes that are blacked out, in objects that all given conditions fit.

    Attributes
    ----------
    boxes
        (left, top, width, height) in pixels.
    """

    boxes: Annotated[list[tuple[Pixels, Pixels, Pixels, Pixels]], msgspec.Meta(min_length=1, max_length=64)]
    modality: str = ""
    manufacturer: str = ""
    model: str = ""
    rows: Pixels = 0
    columns: Pixels = 0


class QuarantineRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stays in whatever else is decided: SOP classes by UID, and modalities."""

    sop_classes: Annotated[list[str], msgspec.Meta(max_length=256)] = []
    modalities: Annotated[list[str], msgspec.Meta(max_length=64)] = []


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """A versioned choice of profile, options and exceptions.

    Attributes
    ----------
    name, version
        What people call it; a new version for every change.
    profile
        Basic Application Level Confidentiality Profile (PS3.15, Annex E), the only one.
    options
        Options on top of it (PS3.15, E.3).
    attributes
        Exceptions by attribute.
    safe_private
        Private attributes that Retain Safe Private keeps beside the standard's list, as
        ``creator:GGGG,xxEE``.
    encrypt_for
        PEM certificates for which the original attributes are put into Encrypted Attributes Sequence
        (PS3.15, E.1.1); none: they are not kept. With any, two runs never give the same bytes.
    """

    format: Literal[1] = 1
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,15}$")]
    version: Annotated[int, msgspec.Meta(ge=1)]
    description: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    profile: Literal["basic"] = "basic"
    options: frozenset[PolicyOption] = frozenset()
    attributes: dict[Tag, Override] = {}
    dates: Dates = Dates()
    pseudonyms: Pseudonyms = Pseudonyms()
    regions: Annotated[list[Region], msgspec.Meta(max_length=256)] = []
    safe_private: Annotated[list[str], msgspec.Meta(max_length=1024)] = []
    quarantine: QuarantineRules = QuarantineRules()
    encrypt_for: Annotated[list[str], msgspec.Meta(max_length=8)] = []

    def __hash__(self) -> int:
        """Equal policies have equal digests."""
        return hash(self.digest)

    @functools.cached_property
    def digest(self) -> str:
        """sha256 over everything that decides what comes out readable: policy, tables, revision of the rules.

        For whom originals are encrypted decides nothing of that, and encryption never gives the same bytes
        twice.
        """
        readable = msgspec.structs.replace(self, encrypt_for=[])
        tables = load_table().digest, load_safe_private().digest
        content = msgspec.json.encode([readable, tables, REVISION], order="sorted")
        return hashlib.sha256(content).hexdigest()

    @property
    def label(self) -> str:
        """Name, version and the start of the digest: for outputs and events; at most 40 characters."""
        return self.label_with(())

    def label_with(self, tools: Sequence[str]) -> str:
        """Give the label of an object about which tools decided, too: its digest covers their versions."""
        digest = self.digest
        if tools:
            digest = hashlib.sha256("\n".join((digest, *tools)).encode()).hexdigest()
        return f"{self.name}/{self.version}+{digest[:12]}"


def method_codes(policy: Policy) -> list[MethodCode]:
    """Give the codes of what the policy applies, the profile first."""
    return [BASIC_PROFILE, *(OPTION_CODES[option] for option in OPTION_CODES if option in policy.options)]
