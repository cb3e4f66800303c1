"""``python -m tests.fuzz.seeds FOLDER``: what fuzzing starts from, an input of each kind that is read."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path

from gateway.commitment import messages
from gateway.spool import Announced, file_meta
from tests import wire
from tests.fuzz.whole import FRAMED, OPENING, RAW, part
from tests.wire import element, implicit

INSTANCE = b"1.2.3.4"
_UNDEFINED = 0xFFFFFFFF
_COMMAND, _DATA = 3, 2


def header_elements(write=element) -> bytes:
    """What the door asks of a header, and what says where the image is."""
    values = (
        (0x0008, 0x0005, b"CS", b"ISO_IR 100"),
        (0x0008, 0x0016, b"UI", wire.uid(wire.CT)),
        (0x0008, 0x0018, b"UI", wire.uid(INSTANCE)),
        (0x0008, 0x0060, b"CS", b"CT"),
        (0x0010, 0x0020, b"LO", b"P1"),
        (0x0010, 0x0021, b"LO", b"H1"),
        (0x0020, 0x000D, b"UI", b"1.2.30"),
        (0x0020, 0x000E, b"UI", b"1.2.31"),
        (0x0020, 0x0013, b"IS", b"7 "),
        (0x0020, 0x0032, b"DS", b"0\\0\\1.5 "),
        (0x0020, 0x0037, b"DS", b"1\\0\\0\\0\\1\\0 "),
    )
    if write is implicit:
        return b"".join(implicit(group, number, data) for group, number, _, data in values)
    return b"".join(element(*one) for one in values)


def big_endian() -> bytes:
    """Class, instance, study and series as explicit VR big endian."""
    return b"".join(
        struct.pack(">HH2sH", group, number, b"UI", len(data)) + data
        for group, number, data in (
            (0x0008, 0x0016, wire.uid(wire.CT)),
            (0x0008, 0x0018, wire.uid(INSTANCE)),
            (0x0020, 0x000D, b"1.2.30"),
            (0x0020, 0x000E, b"1.2.31"),
        )
    )


def deflated(data: bytes) -> bytes:
    """Deflate as DICOM does."""
    machine = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()


def sequences() -> bytes:
    """Sequences in front of what identifies: of declared and undefined length, private in UN, nested."""
    inner = element(0x0008, 0x1150, b"UI", b"1.2.3\0")
    ended = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner + b"\xfe\xff\x0d\xe0\0\0\0\0"
    known = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
    end = b"\xfe\xff\xdd\xe0\0\0\0\0"
    inside_unknown = implicit(0x0009, 0x1001, b"ab")
    unknown = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inside_unknown)) + inside_unknown + end
    return b"".join(
        (
            element(0x0008, 0x0006, b"SQ", ended + known + end, _UNDEFINED),
            element(0x0008, 0x1140, b"SQ", known),
            element(0x0009, 0x0010, b"LO", b"ACME"),
            element(0x0009, 0x1002, b"UN", unknown, _UNDEFINED),
        )
    )


def files() -> Mapping[str, bytes]:
    """Part 10 files."""

    def file(syntax: bytes, data: bytes) -> bytes:
        return file_meta(Announced(wire.CT.decode(), INSTANCE.decode(), syntax.decode())) + data

    plain = header_elements()
    kanji = element(0x0010, 0x0020, b"LO", b"\x1b$B;3ED\x1b(B")
    japanese = element(0x0008, 0x0005, b"CS", b"\\ISO 2022 IR 87 ") + plain[18:]
    japanese = japanese.replace(element(0x0010, 0x0020, b"LO", b"P1"), kanji)
    pixels = element(0x7FE0, 0x0010, b"OB", b"\xfe\xff\0\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0", _UNDEFINED)
    return {
        "explicit": file(wire.EXPLICIT, plain),
        "implicit": file(wire.IMPLICIT, header_elements(implicit)),
        "big": file(wire.BIG, big_endian()),
        "deflated": file(wire.DEFLATED, deflated(plain)),
        "sequences": file(wire.EXPLICIT, sequences() + plain),
        "japanese": file(wire.EXPLICIT, japanese),
        "fragments": file(wire.JPEG, plain + pixels),
        "padded": file(wire.EXPLICIT, plain + bytes(32)),
    }


def requests() -> Mapping[str, bytes]:
    """A-ASSOCIATE-RQs without type and length."""
    role = wire.item(0x54, struct.pack(">H", len(wire.CT)) + wire.CT + b"\1\1")
    more = (
        wire.item(0x53, b"\0\1\0\1")
        + role
        + wire.item(0x55, b"MODALITY")
        + wire.item(0x56, struct.pack(">H", len(wire.CT)) + wire.CT + b"\1")
    )
    named = wire.ABOUT + wire.identity(2, b"carla", b"secret")
    all_of_them = b"".join(
        wire.context(number, *what)
        for number, *what in ((1, wire.ECHO, wire.IMPLICIT), (3, wire.CT, wire.JPEG, wire.EXPLICIT))
    )
    return {
        "plain": wire.request()[6:],
        "two": wire.request(all_of_them)[6:],
        "more": wire.request(about=wire.ABOUT + more)[6:],
        "identity": wire.request(about=named)[6:],
        "token": wire.request(about=wire.ABOUT + wire.identity(4, b"<saml>"))[6:],
        "private": wire.request(wire.context(1, b"1.2.826.0.1.3680043.8.498.1", b"1.2.3.4.5"))[6:],
    }


def command_sets() -> Mapping[str, bytes]:
    """Command sets."""
    action = wire.command_element(0x1008, b"\1\0")
    return {
        "store": wire.command(wire.C_STORE, INSTANCE),
        "echo": wire.command(wire.C_ECHO, sop_class=wire.ECHO, has_data_set=False),
        "action": wire.command(wire.N_ACTION, wire.WELL_KNOWN, sop_class=wire.COMMITMENT, more=action),
        "reported": wire.command(
            wire.RESPONSE | wire.N_EVENT_REPORT, has_data_set=False, responds_to=1, status=0
        ),
        "cancel": wire.command(wire.C_CANCEL, has_data_set=False),
        "find": wire.command(wire.C_FIND),
    }


def commitments() -> Mapping[str, bytes]:
    """Requests for storage commitment, behind a byte that chooses the transfer syntax."""
    one = messages.Reference(wire.CT.decode(), INSTANCE.decode())
    asked = messages.Asked("1.2.3.9", (one, one._replace(sop_instance_uid="1.2.3.5")))
    return {
        name: bytes((10 + number,)) + messages.report(asked, (), syntax)
        for number, (name, syntax) in enumerate(zip(("explicit", "implicit"), messages.SYNTAXES, strict=True))
    }


def streams() -> Mapping[str, bytes]:
    """PDUs one after another."""
    echo = wire.sent(wire.command(wire.C_ECHO, sop_class=wire.ECHO, has_data_set=False))
    end = wire.pdu(wire.RELEASE_RQ, bytes(4))
    two = wire.pdu(wire.DATA, wire.value(1, b"ab", last=False) + wire.value(1, b"c"))
    return {
        "echo": wire.request() + echo + end,
        "store": wire.store(b"0123456789", INSTANCE) + end,
        "fragments": two + two,
        "abort": wire.pdu(wire.ABORT, bytes(4)),
    }


def associations() -> Mapping[str, bytes]:
    """Whole associations; see `tests.fuzz.whole`."""
    store = wire.command(wire.C_STORE, INSTANCE)
    echo = wire.command(wire.C_ECHO, sop_class=wire.ECHO, has_data_set=False)
    end = part(0, 5, bytes(4))
    plain = header_elements()

    def stored(context: int, data: bytes) -> bytes:
        return part(context, _COMMAND, store) + part(context, _DATA, data)

    asked = part(11, _COMMAND, command_sets()["action"]) + part(11, _DATA, commitments()["explicit"][1:])
    halves = part(1, 1, store[:20]) + part(1, _COMMAND, store[20:]) + part(1, 0, plain[:99])
    parts = {
        "echo": part(9, _COMMAND, echo) + end,
        "explicit": stored(1, plain) + end,
        "implicit": stored(3, header_elements(implicit)) + end,
        "deflated": stored(5, deflated(plain)) + end,
        "big": stored(7, big_endian()) + end,
        "sequences": stored(1, sequences() + plain) + end,
        "halves": halves + part(1, _DATA, plain[99:]) + end,
        "twice": stored(1, plain) + stored(1, plain) + part(0, 7, bytes(4)),
        "cut": halves,
        "commitment": asked + part(11, _COMMAND, command_sets()["reported"]) + end,
        "commitment-left": stored(1, plain) + asked + end,
        "find": part(1, _COMMAND, command_sets()["find"]) + part(1, _DATA, plain),
    }
    raw = {
        "raw-store": OPENING + wire.store(plain, INSTANCE) + wire.pdu(wire.RELEASE_RQ, bytes(4)),
        "raw-abort": OPENING + wire.pdu(wire.ABORT, bytes(4)),
        "raw-http": b"GET / HTTP/1.1\r\n\r\n",
    }
    return {name: bytes((FRAMED,)) + one for name, one in parts.items()} | {
        name: bytes((RAW,)) + one for name, one in raw.items()
    }


SEEDS = {
    "association": associations,
    "command": command_sets,
    "commitment": commitments,
    "header": files,
    "pdus": streams,
    "request": requests,
}


def main() -> None:
    """Write them."""
    for target, made in SEEDS.items():
        folder = Path(sys.argv[1]) / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in made().items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
