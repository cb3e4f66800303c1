"""Table E.1-1 of DICOM PS3.15 (edition 2026c) as data: what the Basic profile does to each attribute."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from typing import Annotated, Literal

import msgspec

Option = Literal[
    "clean_descriptors",
    "clean_graphics",
    "clean_structured_content",
    "device_identity",
    "full_dates",
    "institution_identity",
    "modified_dates",
    "patient_characteristics",
    "safe_private",
    "uids",
]
"""An option's column."""

Code = Literal["D", "Z", "X", "K", "C", "U", "X/Z", "X/D", "X/Z/D", "Z/D", "X/Z/U*"]
"""An action's code, section E.3."""

_REPEATING = "60xx", "50xx"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One row: the Basic profile's action, and the other ones that options put in its place."""

    tag: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fx]{8}$")]
    keyword: str
    vr: str
    action: Code
    options: dict[Option, Literal["K", "C"]]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """All rows by tag, and the sha256 of the file they come from.

    The two repeating groups of the table, 50xx and 60xx, are not in `rules`: they are removed as a whole,
    because the table names only a few of their elements.
    """

    rules: dict[int, Rule]
    digest: str


class _File(msgspec.Struct, frozen=True):
    rows: list[Rule]


@functools.cache
def load_table() -> Table:
    """Read the table that comes with this package."""
    content = resources.files(__package__).joinpath("table.json").read_bytes()
    rows = msgspec.json.decode(content, type=_File).rows
    rules = {int(row.tag, 16): row for row in rows if not row.tag.startswith(_REPEATING)}
    return Table(rules=rules, digest=hashlib.sha256(content).hexdigest())
