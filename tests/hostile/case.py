"""What a case is. Groups are numbered as in the table of docs/hostile-input.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tests import wire

GROUPS = {
    2: "Another protocol on the port",
    3: "Lengths of PDUs",
    4: "Presentation data values",
    6: "Presentation contexts",
    7: "AE titles and versions",
    8: "User identity",
    9: "States and ends",
    10: "Commands and data sets out of place",
    11: "UIDs",
    12: "Another transfer syntax than agreed on",
    13: "Deflated data sets",
    14: "Nesting",
    15: "Counts",
    16: "Lengths of elements",
    17: "Dimensions of the image",
    18: "Encapsulated pixels",
    19: "Private elements of unknown representation",
    20: "File meta information in a data set",
    21: "Character sets",
    22: "Order of elements",
    23: "Preambles of other formats",
    26: "Storage commitment, and services that are not offered",
    27: "The same instance, other content",
}

ACCEPTED, RELEASED, CLOSED = "accepted", "released", "closed"
INVALID, UNEXPECTED_PDU, UNEXPECTED_PARAMETER = "aborted 2/6", "aborted 2/2", "aborted 2/5"
UNRECOGNIZED = "aborted 2/1"
STORED = "status 0000"


class Case(NamedTuple):
    """Something that a peer sends."""

    group: int
    name: str
    """In words; unique."""
    sends: Callable[[], bytes]
    answers: tuple[str, ...]
    """Expected, in order; see `tests.wire.said`. An association that is still open then has to go on: it
    echoes and is released."""
    ends: bool = False
    """Whether the peer says nothing more after it."""
    keeps: int = 0
    """Objects that are stored."""

    @property
    def goes_on(self) -> bool:
        """Whether the association is open afterwards."""
        return not self.ends and self.answers[-1].startswith(("accepted", "status"))


_SYNTAXES = (wire.EXPLICIT, wire.IMPLICIT, wire.DEFLATED, wire.BIG, wire.JPEG)
ON = dict(zip(_SYNTAXES, range(3, 13, 2), strict=True))
"""Contexts of an opened association: CT with each of some transfer syntaxes; 1 is Verification."""
COMMITMENT_ON = 13
OPENING = wire.request(
    wire.context(1, wire.ECHO, wire.IMPLICIT)
    + b"".join(wire.context(number, wire.CT, syntax) for syntax, number in ON.items())
    + wire.context(COMMITMENT_ON, wire.COMMITMENT, wire.EXPLICIT)
)
ECHO = wire.sent(wire.command(wire.C_ECHO, sop_class=wire.ECHO, has_data_set=False))
RELEASE = wire.pdu(wire.RELEASE_RQ, bytes(4))


def opened(*parts: bytes) -> bytes:
    """An association that is opened, and what follows."""
    return OPENING + b"".join(parts)


def with_object(
    group: int,
    name: str,
    data: Callable[[], bytes],
    status: str,
    *,
    instance: bytes | None = None,
    syntax: bytes = wire.EXPLICIT,
) -> Case:
    """A C-STORE of a data set, made when it is sent."""

    def sends() -> bytes:
        return opened(wire.store(data(), instance or named(group, name), on=ON[syntax]))

    return Case(group, name, sends, (ACCEPTED, f"status {status}"), keeps=status == "0000")


def named(group: int, name: str) -> bytes:
    """A SOP Instance UID for a case."""
    digits = int.from_bytes(name.encode()[-12:], "big")
    return f"2.25.{group}.{digits}".encode()


def values(group: int, name: str) -> dict[int, bytes]:
    """What a CT has to say of itself, by tag."""
    return {
        0x00080005: b"ISO_IR 100",
        0x00080016: wire.uid(wire.CT),
        0x00080018: wire.uid(named(group, name)),
        0x00080060: b"CT",
        0x00100020: b"SYNTH-4711",
        0x0020000D: b"1.2.30",
        0x0020000E: wire.uid(f"1.2.31.{group}".encode()),
        0x00200013: b"7 ",
    }


_VRS = {0x00080005: b"CS", 0x00080060: b"CS", 0x00100020: b"LO", 0x00200013: b"IS"}


def written(found: dict[int, bytes], more: Iterable[tuple[int, bytes]] = ()) -> bytes:
    """Explicit VR little endian, by the order of tags; `more` are elements that are written already."""
    parts = [
        *(
            (tag, wire.element(tag >> 16, tag & 0xFFFF, _VRS.get(tag, b"UI"), data))
            for tag, data in found.items()
        ),
        *more,
    ]
    return b"".join(data for _, data in sorted(parts, key=lambda part: part[0]))
