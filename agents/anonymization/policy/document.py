"""A policy: a versioned choice of the profile, options and exceptions. Types, pure.

A policy is a document of its own (YAML or JSON, `agents.anonymization.policy.reading`), kept and reviewed
like a protocol. Its digest covers everything that decides what comes out, so that two machines that name the
same label anonymize alike. What a field takes is said once, in its description: the JSON Schema, the reader's
errors and ``docs/policies.md`` have it from here.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from agents.anonymization.standard.codes import BASIC_PROFILE, OPTION_CODES, MethodCode, PolicyOption
from agents.anonymization.standard.safe_private import load_safe_private
from agents.anonymization.standard.table import load_table

REVISION = 5
"""Counts changes of this package that change its output, defaults of policies among them; part of each
policy's digest."""

_MOST_VERSIONS = 999_999_999

Tag = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([A-Za-z][A-Za-z0-9]{0,63}|\([0-9A-Fa-f]{4},[0-9A-Fa-f]{4}\))$(?!\n)",
        description="an attribute's keyword (StudyDescription) or its tag, (0008,1030)",
    ),
]
"""An attribute; a policy that was read has the keyword where the dictionary knows one."""

PrivateElement = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[ -\[\]-~]{1,64}:[0-9A-Fa-f]{3}[13579BDFbdf],[xX]{2}[0-9A-Fa-f]{2}$(?!\n)",
        description="a private attribute as CREATOR:GGGG,xxEE, as in SIEMENS MR HEADER:0019,xx0C",
    ),
]
"""A policy that was read has it with capital digits and a small ``xx``, as Table E.3.10-1 writes it."""

Why = Annotated[
    str,
    msgspec.Meta(
        max_length=200,
        pattern=r"\S",
        description="the reason, for whoever reads the policy or a report: at most 200 characters",
    ),
]

Pixels = Annotated[
    int, msgspec.Meta(ge=0, le=65535, description="a number of pixels, a whole number from 0 to 65535")
]
Size = Annotated[
    int, msgspec.Meta(ge=1, le=65535, description="a number of pixels, a whole number from 1 to 65535")
]
Condition = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=64, description="the attribute's value, 1 to 64 characters"),
]


class Override(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What happens to one attribute instead of what profile and options say, at every depth."""

    action: Annotated[
        Literal["keep", "remove", "empty", "dummy", "uid", "shift", "clean", "replace"],
        msgspec.Meta(
            description="keep it; remove it; empty it; dummy, a value that says nothing; uid, its pseudonym; "
            "shift, a date moved; clean, text without what is known to identify; or replace, by value"
        ),
    ]
    value: Annotated[
        Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[ -\[\]-~]+$(?!\n)")] | None,
        msgspec.Meta(
            description="with replace alone: 1 to 64 characters of ASCII without \\, fit for the attribute"
        ),
    ] = None
    why: Why = ""


class Dates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How dates are moved, by the option of modified dates and by ``shift``."""

    at_most_days: Annotated[
        int,
        msgspec.Meta(
            ge=30,
            le=3650,
            description="each patient's dates move back by 1 to so many days, the same in all of the "
            "patient's objects: a whole number from 30 to 3650",
        ),
    ] = 365


class Pseudonyms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How Patient ID and Patient's Name are made."""

    prefix: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[A-Za-z0-9-]{0,16}$(?!\n)",
            description="what stands before the patient's key of 32 hexadecimal digits: at most 16 letters, "
            "digits and hyphens",
        ),
    ] = ""


class Region(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a device draws text: boxes that are blacked out in objects that fit every condition given."""

    boxes: Annotated[
        list[tuple[Pixels, Pixels, Size, Size]],
        msgspec.Meta(
            min_length=1,
            max_length=64,
            description="1 to 64 boxes, each left, top, width and height in pixels",
        ),
    ]
    modality: Condition = ""
    manufacturer: Condition = ""
    model: Condition = ""
    rows: Size = 0
    columns: Size = 0


class QuarantineRules(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What stays in, whatever else is decided."""

    sop_classes: Annotated[
        list[
            Annotated[
                str,
                msgspec.Meta(
                    pattern=r"^(?=.{1,64}$)[0-9]+(\.[0-9]+)+$(?!\n)", description="the UID of a SOP class"
                ),
            ]
        ],
        msgspec.Meta(max_length=256, description="UIDs of SOP classes, at most 256"),
    ] = []
    modalities: Annotated[
        list[
            Annotated[
                str, msgspec.Meta(pattern=r"^[A-Z0-9 _]{1,16}$(?!\n)", description="a modality, such as US")
            ]
        ],
        msgspec.Meta(max_length=64, description="modalities, at most 64"),
    ] = []


class Policy(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, dict=True
):
    """A versioned choice of profile, options and exceptions."""

    format: Annotated[Literal[1], msgspec.Meta(description="the format of this document: 1")] = 1
    name: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[a-z][a-z0-9-]{0,15}$(?!\n)",
            description="what people call it: 1 to 16 small letters, digits and hyphens, a letter first",
        ),
    ]
    version: Annotated[
        int,
        msgspec.Meta(
            ge=1, le=_MOST_VERSIONS, description="a whole number from 1 on, a new one for every change"
        ),
    ]
    description: Annotated[
        str, msgspec.Meta(max_length=1000, description="what it is for: at most 1000 characters")
    ] = ""
    profile: Annotated[
        Literal["basic"],
        msgspec.Meta(
            description="basic, the Basic Application Level Confidentiality Profile (PS3.15, E.2), the only "
            "one"
        ),
    ] = "basic"
    options: Annotated[
        frozenset[PolicyOption], msgspec.Meta(description="options on top of the profile (PS3.15, E.3)")
    ] = frozenset()
    attributes: Annotated[
        dict[Tag, Override],
        msgspec.Meta(max_length=1024, description="exceptions by attribute, at most 1024"),
    ] = {}
    dates: Annotated[Dates, msgspec.Meta(description="how dates are moved")] = Dates()
    pseudonyms: Annotated[
        Pseudonyms, msgspec.Meta(description="how Patient ID and Patient's Name are made")
    ] = Pseudonyms()
    regions: Annotated[
        list[Region],
        msgspec.Meta(
            max_length=256, description="where devices draw text, for clean_pixel_data: at most 256 entries"
        ),
    ] = []
    safe_private: Annotated[
        dict[PrivateElement, Why],
        msgspec.Meta(
            max_length=1024,
            description="private attributes that retain_safe_private keeps beside the standard's list, and "
            "why each is safe: at most 1024",
        ),
    ] = {}
    quarantine: Annotated[
        QuarantineRules, msgspec.Meta(description="what stays in, whatever else is decided")
    ] = QuarantineRules()
    encrypt_for: Annotated[
        list[
            Annotated[
                str,
                msgspec.Meta(
                    max_length=16384,
                    pattern=r"^-----BEGIN CERTIFICATE-----\s",
                    description="an X.509 certificate in PEM",
                ),
            ]
        ],
        msgspec.Meta(
            max_length=8,
            description="certificates (PEM) of those who may read the original attributes again, which are "
            "put into Encrypted Attributes Sequence (PS3.15, E.1.1), in other bytes at every run; none: they "
            "are not kept",
        ),
    ] = []

    def __hash__(self) -> int:
        """Equal policies have equal digests."""
        return hash(self.digest)

    @functools.cached_property
    def digest(self) -> str:
        """sha256 over everything that decides what comes out readable: policy, tables, revision of the rules.

        For whom originals are encrypted decides nothing of that, and encryption never gives the same bytes
        twice. Fields with their defaults don't count, so that one that a later CHIPS adds changes no digest.
        """
        readable = msgspec.structs.replace(self, encrypt_for=[])
        tables = load_table().digest, load_safe_private().digest
        content = msgspec.json.encode([_said(readable), tables, REVISION], order="sorted")
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

    def document(self) -> dict[str, Any]:
        """Give the policy as plain values, without what has its default; read again it is the same."""
        found = msgspec.to_builtins(self, order="sorted")
        return {name: found[name] for name in self.__struct_fields__ if name in found}


def method_codes(policy: Policy) -> list[MethodCode]:
    """Give the codes of what the policy applies, the profile first."""
    return [BASIC_PROFILE, *(OPTION_CODES[option] for option in OPTION_CODES if option in policy.options)]


def _said(value: Any) -> Any:
    """Give what a document says: fields that equal their defaults are left out, however the value was made.

    msgspec's own omission goes by identity, so that a policy from another process would have another digest.
    """
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        said = {field.encode_name: (getattr(value, field.name), _default(field)) for field in fields}
        return {name: _said(found) for name, (found, default) in said.items() if found != default}
    if isinstance(value, dict):
        return {name: _said(found) for name, found in value.items()}
    if isinstance(value, list | tuple):
        return [_said(found) for found in value]
    return value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
