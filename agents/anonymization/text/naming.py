"""Attributes that name people, places, ids and days, at any depth, and a walk that collects them. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gateway.elements import UNDEFINED, Walker
from gateway.part10 import Bounds, Buffer, Encoding


class Kind(enum.Enum):
    """What an attribute names."""

    PERSON = enum.auto()
    IDENTIFIER = enum.auto()
    PROCEDURE = enum.auto()
    """An id of an order or of work: one without a digit is the name of an examination."""
    TELEPHONE = enum.auto()
    PLACE = enum.auto()
    ADDRESS = enum.auto()
    BIRTH = enum.auto()
    DAY = enum.auto()


CHARACTER_SET = 0x00080005

_KINDS: Mapping[Kind, tuple[int, ...]] = {
    # every attribute of VR PN, and Name to Use, which is a text
    Kind.PERSON: (
        0x00100012,
        *(0x00080090, 0x0008009C, 0x00081048, 0x00081050, 0x00081060, 0x00081070, 0x00100010, 0x00101001),
        *(0x00101005, 0x00101060, 0x00102297, 0x00140104, 0x00142006, 0x00321032, 0x00400006, 0x00401010),
        *(0x00402008, 0x00404037, 0x0040A067, 0x0040A075, 0x0040A123, 0x0040A307, 0x0040A352, 0x00700084),
        *(0x0072006A, 0x300600A6, 0x300E0008, 0x40080102, 0x4008010A, 0x4008010C, 0x40080114, 0x40080119),
    ),
    # patient, other patient ids, accession, admission, record, trial subject, insurance, specimen, container
    Kind.IDENTIFIER: (
        *(0x00100020, 0x00101000, 0x00080050, 0x00380010, 0x00380060, 0x00101090, 0x00120040, 0x00120042),
        *(0x00101050, 0x0040050A, 0x00400551, 0x00400512),
    ),
    # study, requested, scheduled and performed procedure, placer and filler order number, results
    Kind.PROCEDURE: (
        *(0x00200010, 0x00401001, 0x00400009, 0x00400253, 0x00402016, 0x00402017, 0x40080040, 0x40080200),
    ),
    Kind.TELEPHONE: (
        *(0x00080094, 0x00102154, 0x00102155, 0x00401103, 0x00401104, 0x00402010, 0x00402011, 0x0040A354),
    ),
    # institution, department, issuer, responsible and verifying organization, trial sponsor, site, residence
    Kind.PLACE: (
        *(0x00080080, 0x00081040, 0x00100021, 0x00102299, 0x00404036, 0x0040A027, 0x00120010, 0x00120031),
        *(0x00380300, 0x00380400, 0x00102152),
    ),
    Kind.ADDRESS: (0x00080081, 0x00080092, 0x00101040, 0x00401102, 0x0040A353, 0x4008011A),
    Kind.BIRTH: (0x00100030,),
    # instance, study, series, acquisition, content, admission, scheduled and performed steps, verification
    Kind.DAY: (
        *(0x00080012, 0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x0008002A, 0x00380020, 0x00400002),
        *(0x00400004, 0x00400244, 0x00400250, 0x00402004, 0x00404005, 0x00404050, 0x00404051, 0x0040A030),
    ),
}
KIND_OF: Mapping[int, Kind] = {tag: kind for kind, tags in _KINDS.items() for tag in tags}
NAMING = frozenset(KIND_OF)
"""Attributes whose values are looked for, wherever they stand."""

_CODES = frozenset((0x00080100, 0x00080104, 0x00080119, 0x00080120))
"""Code Value, Code Meaning, Long Code Value, URN Code Value."""
_PERSON_CODES = frozenset((0x00401101, 0x0040A088, 0x00700086, 0x0072000E))
"""Sequences of codes that stand for a person."""
_PLACE_CODES = frozenset((0x00080082, 0x0040003A))
_NAMING_SEQUENCES = _PERSON_CODES | _PLACE_CODES


class Naming(NamedTuple):
    """A value at the top of a data set (`parent` is None), or in an item of the sequence `parent`."""

    parent: int | None
    tag: int
    value: bytes


def kind_of(tag: int, parent: int | None) -> Kind | None:
    """Tell what an attribute names; None: nobody."""
    if parent in _NAMING_SEQUENCES and tag in _CODES:
        if parent in _PLACE_CODES:
            return Kind.PLACE
        return Kind.PERSON if tag == 0x00080104 else Kind.IDENTIFIER  # noqa: PLR2004 - Code Meaning
    return KIND_OF.get(tag)


def naming_in(data: Buffer, start: int, encoding: Encoding, bounds: Bounds) -> Iterator[Naming]:
    """Yield what names somebody in a data set, and its character set, at every depth.

    Raises
    ------
    gateway.part10.Malformed
        At the first thing that can't be so.
    """
    holders: list[int] = []
    for element in Walker(data, start, encoding, bounds):
        holders[element.depth :] = [element.tag]
        parent = holders[element.depth - 1] if element.depth else None
        wanted = element.tag == CHARACTER_SET or kind_of(element.tag, parent) is not None
        if wanted and element.length != UNDEFINED:
            yield Naming(parent, element.tag, bytes(data[element.offset : element.offset + element.length]))
