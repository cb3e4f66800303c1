"""Types of attributes in IODs (DICOM PS3.5, 7.4; PS3.3), as far as Table E.1-1 asks for them.

From highdicom's tables, made from PS3.3; `types.json` is generated and a test compares it with them.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import Literal

import msgspec
from pydicom.datadict import tag_for_keyword

Type = Literal["1", "1C", "2", "2C", "3"]


class _File(msgspec.Struct, frozen=True):
    sop_classes: dict[str, str]
    top: dict[str, dict[str, Literal["1", "1C", "2", "2C"]]]
    nested: dict[str, Literal["1", "1C", "2", "2C"]]


class Types:
    """Types by tag. In an IOD that is known, what is not listed is of type 3: optional, or foreign to it."""

    def __init__(self, content: _File) -> None:
        self._iod_of = content.sop_classes
        self._top = {iod: _by_tag(types) for iod, types in content.top.items()}
        self._nested: dict[tuple[int, int], Type] = {}
        for path, kind in content.nested.items():
            parent, _, keyword = path.partition("/")
            self._nested[_tag(parent), _tag(keyword)] = kind

    def iod_of(self, sop_class_uid: str) -> str | None:
        """Give the name of a SOP class's IOD; None: unknown."""
        return self._iod_of.get(sop_class_uid)

    def type_of(self, iod: str, tag: int, parent: int | None) -> Type:
        """Give the type of an attribute at the top level, or in items of the sequence `parent`."""
        if parent is None:
            return self._top[iod].get(tag, "3")
        return self._nested.get((parent, tag), "3")


@functools.cache
def load_types() -> Types:
    """Read the types that come with this package."""
    content = resources.files(__package__).joinpath("types.json").read_bytes()
    return Types(msgspec.json.decode(content, type=_File))


def _by_tag(types: dict[str, Literal["1", "1C", "2", "2C"]]) -> dict[int, Type]:
    return {_tag(keyword): kind for keyword, kind in types.items()}


def _tag(keyword: str) -> int:
    return tag_for_keyword(keyword) or 0
