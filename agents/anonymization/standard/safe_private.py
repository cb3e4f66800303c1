"""Table E.3.10-1 of DICOM PS3.15 as data: private attributes that are known to identify nobody."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from typing import Annotated, NamedTuple

import msgspec


class PrivateName(NamedTuple):
    """A private attribute wherever its block lies: creator, group and the last two digits of its element."""

    creator: str
    group: int
    element: int


class _Row(msgspec.Struct, frozen=True):
    group: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{3}[13579bdf]$")]
    element: Annotated[str, msgspec.Meta(pattern=r"^xx[0-9a-f]{2}$")]
    creator: str
    vr: str


class _File(msgspec.Struct, frozen=True):
    rows: list[_Row]


class SafeTable(msgspec.Struct, frozen=True, kw_only=True):
    """Value representations by attribute, and the sha256 of the file they come from."""

    vrs: dict[PrivateName, str]
    digest: str


@functools.cache
def load_safe_private() -> SafeTable:
    """Read the table that comes with this package."""
    content = resources.files(__package__).joinpath("safe_private.json").read_bytes()
    rows = msgspec.json.decode(content, type=_File).rows
    vrs = {PrivateName(row.creator, int(row.group, 16), int(row.element[-2:], 16)): row.vr for row in rows}
    return SafeTable(vrs=vrs, digest=hashlib.sha256(content).hexdigest())
