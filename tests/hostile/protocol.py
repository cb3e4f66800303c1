"""Bad input below objects: PDUs, negotiation, commands (groups 2 to 10)."""

from __future__ import annotations

from tests import wire
from tests.hostile.case import (
    ACCEPTED,
    CLOSED,
    ECHO,
    INVALID,
    ON,
    OPENING,
    RELEASE,
    RELEASED,
    UNEXPECTED_PARAMETER,
    UNEXPECTED_PDU,
    UNRECOGNIZED,
    Case,
    opened,
)

CT_ON = ON[wire.EXPLICIT]
MANY = b"".join(wire.item(0x40, wire.EXPLICIT) for _ in range(60))


def _says(group: int, name: str, data: bytes, *answers: str, ends: bool = False) -> Case:
    return Case(group, name, lambda: data, answers, ends)


def _opened(group: int, name: str, data: bytes, *answers: str, ends: bool = False) -> Case:
    return Case(group, name, lambda: opened(data), (ACCEPTED, *answers), ends)


def _fields(number: int, data: bytes) -> bytes:
    return wire.sent(wire.command_element(number, data))


def cases() -> list[Case]:
    """All of them."""
    return [*_noise(), *_lengths(), *_values(), *_contexts(), *_titles(), *_states(), *_commands()]


def _noise() -> list[Case]:
    http = b"GET / HTTP/1.1\r\nHost: pacs\r\n\r\n"
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(200)
    return [
        _says(2, "an HTTP request", http, UNRECOGNIZED),
        _says(2, "a TLS handshake on the plain port", hello, UNRECOGNIZED),
        _says(2, "an SSH banner", b"SSH-2.0-OpenSSH_9.6\r\n", UNRECOGNIZED),
        _says(2, "100 kB of 0xFF", b"\xff" * 100_000, UNRECOGNIZED),
        _says(2, "100 kB of zeros", bytes(100_000), UNRECOGNIZED),
        _says(2, "nothing", b"", CLOSED, ends=True),
        _says(2, "three bytes and an end", b"\x01\x00\x00", CLOSED, ends=True),
    ]


def _lengths() -> list[Case]:
    found = []
    for kind, name in ((1, "A-ASSOCIATE-RQ"), (4, "P-DATA-TF"), (5, "A-RELEASE-RQ"), (7, "A-ABORT")):
        found.append(_says(3, f"{name} of 4 GB first", wire.pdu(kind, b"", 0xFFFFFFFF), INVALID))
        found.append(
            _opened(3, f"{name} of 4 GB in an open association", wire.pdu(kind, b"", 0xFFFFFFFF), INVALID)
        )
    return [
        *found,
        _says(3, "A-ASSOCIATE-RQ of 0 bytes", wire.pdu(1), INVALID),
        _says(3, "A-ASSOCIATE-RQ of 5 bytes", wire.pdu(1, bytes(5)), INVALID),
        _says(3, "A-ASSOCIATE-RQ that ends in an item", wire.request()[:-4], CLOSED, ends=True),
        _says(3, "A-ASSOCIATE-RQ of 1 MB of padding", wire.pdu(1, bytes(1 << 20)), "rejected 1/2/2"),
        _says(3, "A-ASSOCIATE-RQ of 300 MB", wire.pdu(1, bytes(1 << 20), 300_000_000), INVALID),
        _says(3, "an item longer than its PDU", wire.request(wire.item(0x20, b"\1\0\0\0", 60_000)), INVALID),
        _says(3, "an item of 0 bytes", wire.request(wire.item(0x20, b"")), INVALID),
        _opened(3, "P-DATA-TF of 0 bytes", wire.pdu(4), INVALID),
        _opened(3, "P-DATA-TF of 5 bytes", wire.pdu(4, bytes(5)), INVALID),
        _opened(3, "P-DATA-TF longer than agreed on", wire.pdu(4, bytes(100), (1 << 18) + 1), INVALID),
        _opened(3, "A-RELEASE-RQ of 0 bytes", wire.pdu(5), RELEASED, CLOSED),
        _opened(3, "A-ABORT of 0 bytes", wire.pdu(7), CLOSED),
        _opened(3, "a PDU of a type that is none", wire.pdu(9, bytes(4)), UNRECOGNIZED),
    ]


def _values() -> list[Case]:
    def one(**changes) -> bytes:
        return wire.pdu(4, wire.value(1, b"ab", **changes))

    echo = ECHO[12:]
    pieces = b"".join(
        wire.pdu(4, wire.value(1, echo[at : at + 1], command=True, last=at == len(echo) - 1))
        for at in range(len(echo))
    )
    empty = wire.pdu(4, wire.value(1, b"", command=True, last=False) * 40_000)
    return [
        _opened(4, "a value longer than its PDU", one(length=1000), INVALID),
        _opened(4, "a value of 4 GB", one(length=0xFFFFFFFF), INVALID),
        _opened(4, "a value of 0 bytes", one(length=0), INVALID),
        _opened(4, "a value without a control header", wire.pdu(4, b"\0\0\0\1\1"), INVALID),
        _opened(4, "a control header with unknown bits", one(control=0x80), INVALID),
        _opened(
            4, "bytes behind the last value", wire.pdu(4, wire.value(1, b"ab") + b"abc"), UNEXPECTED_PARAMETER
        ),
        _opened(4, "a command in pieces of a byte", pieces, "status 0000"),
        _opened(4, "40,000 empty values, then the command", empty + ECHO, "status 0000"),
        _opened(
            4,
            "a command of two contexts",
            wire.pdu(
                4, wire.value(1, echo[:20], command=True, last=False) + wire.value(3, echo[20:], command=True)
            ),
            UNEXPECTED_PARAMETER,
        ),
    ]


def _contexts() -> list[Case]:
    def contexts(*numbers: int) -> bytes:
        return wire.request(b"".join(wire.context(one, wire.ECHO, wire.IMPLICIT) for one in numbers))

    ct = wire.context(1, wire.CT, wire.EXPLICIT)
    echo = wire.context(1, wire.ECHO, wire.IMPLICIT)
    bare = wire.item(0x20, bytes((1, 0, 0, 0)) + wire.item(0x30, wire.ECHO))
    nameless = wire.item(0x20, bytes((1, 0, 0, 0)) + wire.item(0x40, wire.IMPLICIT))
    wide = wire.item(0x20, bytes((3, 0, 0, 0)) + wire.item(0x30, wire.CT) + MANY)
    odd = wire.context(3, b"1.2.3\n4", wire.EXPLICIT)
    path = wire.context(3, b"../../../etc/passwd", b"../../x")
    return [
        _says(6, "no context", wire.request(b""), INVALID),
        _says(6, "128 contexts", contexts(*range(1, 256, 2)), ACCEPTED),
        _says(6, "150 contexts", contexts(*[one % 128 * 2 + 1 for one in range(150)]), INVALID),
        _says(6, "a context id twice", contexts(1, 1), INVALID),
        _says(6, "an even context id", contexts(2), INVALID),
        _says(6, "context id 0", contexts(0), INVALID),
        _says(6, "a context without a transfer syntax", wire.request(bare), INVALID),
        _says(6, "a context without an abstract syntax", wire.request(nameless), INVALID),
        _says(6, "60 transfer syntaxes in a context", wire.request(echo + wide), ACCEPTED),
        _says(6, "9,000 transfer syntaxes", wire.request(wide * 150), INVALID),
        _says(6, "an abstract syntax with a line feed", wire.request(echo + odd), ACCEPTED),
        _says(6, "syntaxes that are paths", wire.request(echo + path), ACCEPTED),
        _says(
            6,
            "a syntax of 60,000 bytes",
            wire.request(wire.context(1, b"1" * 60_000, wire.EXPLICIT)),
            INVALID,
        ),
        _says(6, "an item of an unknown type", wire.request(echo + wire.item(0x77, b"??")), ACCEPTED),
        Case(
            6,
            "a command for a context that was not accepted",
            lambda: (
                wire.request(ct + wire.context(3, b"1.2.840.10008.5.1.4.1.2.2.1", wire.EXPLICIT))
                + wire.sent(wire.command(wire.C_FIND), on=3)
            ),
            (ACCEPTED, UNEXPECTED_PARAMETER),
        ),
    ]


def _titles() -> list[Case]:
    application = wire.item(0x10, b"1.2.3")
    titles = {
        "empty": b"",
        "with a line feed": b"A\nB",
        "with a backslash": b"A\\B",
        "with NUL": b"A\0B",
        "of bytes that are no ASCII": b"\xff\xfe\xc3\xa4",
        "with an escape": b"\x1b[2J",
    }
    echo = wire.context(1, wire.ECHO, wire.IMPLICIT)
    bad = []
    for kind in (0, 1, 2, 3, 4, 5, 6, 255):
        about = wire.ABOUT + wire.identity(kind, b"\xff\0" * 100, b"\0" if kind == 2 else b"")
        answer = ACCEPTED if 1 <= kind <= 5 else INVALID
        bad.append(
            _says(
                8, f"a user identity of type {kind} that is no text", wire.request(echo, about=about), answer
            )
        )
    lying = wire.item(0x58, b"\1\1\xff\xffab")
    long = wire.ABOUT + wire.identity(1, b"a" * 60_000)
    return [
        *(
            _says(7, f"a calling AE title {name}", wire.request(calling=title), "rejected 1/1/3")
            for name, title in titles.items()
        ),
        *(
            _says(7, f"a called AE title {name}", wire.request(called=title), "rejected 1/1/7")
            for name, title in titles.items()
        ),
        _says(7, "an AE title of shell characters", wire.request(echo, calling=b";rm -rf $(x)`"), ACCEPTED),
        _says(7, "an AE title that is a path", wire.request(echo, calling=b"../../../etc"), ACCEPTED),
        _says(7, "another version of the protocol", wire.request(version=2), "rejected 1/2/2"),
        _says(7, "another application context", wire.request(application=application), "rejected 1/1/2"),
        _says(7, "no application context", wire.request(application=b""), "rejected 1/1/2"),
        *bad,
        _says(8, "a user identity whose length lies", wire.request(echo, about=wire.ABOUT + lying), INVALID),
        _says(8, "a user identity of 60,000 bytes", wire.request(echo, about=long), ACCEPTED),
        _says(8, "no maximum length", wire.request(echo, about=wire.item(0x52, b"1.2.3")), ACCEPTED),
        _says(
            8, "a maximum length of 1 byte", wire.request(echo, about=wire.item(0x51, b"\0\0\0\1")), ACCEPTED
        ),
    ]


def _states() -> list[Case]:
    store = wire.command(wire.C_STORE, b"1.2.3.4.9")
    begun = wire.sent(store, on=CT_ON)
    half = begun + wire.pdu(4, wire.value(CT_ON, bytes(50_000), last=False))
    abort = wire.pdu(7, bytes(4))
    return [
        _says(9, "A-ABORT first", abort, CLOSED),
        _says(9, "A-RELEASE-RQ first", RELEASE, UNEXPECTED_PDU),
        _says(9, "P-DATA-TF first", ECHO, UNEXPECTED_PDU),
        _says(9, "A-ASSOCIATE-RQ twice", OPENING + OPENING, ACCEPTED, UNEXPECTED_PDU),
        _says(9, "A-ASSOCIATE-AC first", wire.pdu(2, bytes(100)), UNEXPECTED_PDU),
        _opened(9, "A-RELEASE-RP that nobody asked for", wire.pdu(6, bytes(4)), UNEXPECTED_PDU),
        _opened(9, "the end at once", b"", CLOSED, ends=True),
        _opened(9, "A-ABORT at once", abort, CLOSED),
        _opened(
            9,
            "A-ABORT within a command",
            wire.pdu(4, wire.value(1, b"ab", command=True, last=False)) + abort,
            CLOSED,
        ),
        _opened(9, "A-ABORT between command and data set", begun + abort, CLOSED),
        _opened(9, "A-ABORT within a data set", half + abort, CLOSED),
        _opened(9, "the end within a data set", half, CLOSED, ends=True),
        _opened(
            9, "the end within a PDU of a data set", half + wire.pdu(4, b"\0\0", 50_000), CLOSED, ends=True
        ),
        _opened(9, "A-RELEASE-RQ within a data set", half + RELEASE, RELEASED, CLOSED),
        _opened(9, "A-RELEASE-RQ and more", RELEASE + ECHO, RELEASED, CLOSED),
    ]


def _commands() -> list[Case]:
    store = wire.command(wire.C_STORE, b"1.2.3.4.10")
    bare = wire.command(wire.C_STORE, b"1.2.3.4.10", has_data_set=False)
    element = wire.command_element
    long = wire.pdu(4, wire.value(1, bytes(17_000), command=True))
    many = wire.sent(b"".join(element(one, b"") for one in range(200)))
    return [
        _opened(10, "C-STORE without a data set", wire.sent(bare, on=CT_ON), "status C000"),
        _opened(10, "a data set without a command", wire.data_set(b"abcd", on=CT_ON), UNEXPECTED_PARAMETER),
        _opened(
            10,
            "a command where a data set is to come",
            wire.sent(store, on=CT_ON) + ECHO,
            UNEXPECTED_PARAMETER,
        ),
        _opened(
            10,
            "a data set of another context",
            wire.sent(store, on=CT_ON) + wire.data_set(b"ab", on=5),
            UNEXPECTED_PARAMETER,
        ),
        _opened(
            10, "an empty data set", wire.sent(store, on=CT_ON) + wire.data_set(b"", on=CT_ON), "status C000"
        ),
        _opened(10, "a command of 17 kB", long, INVALID),
        _opened(10, "an empty command", wire.sent(b""), INVALID),
        _opened(10, "a command of noise", wire.sent(b"\xde\xad\xbe\xef" * 20), INVALID),
        _opened(10, "a command element of 4 GB", wire.sent(element(0x0100, b"\1\0", 0xFFFFFFFF)), INVALID),
        _opened(10, "200 command elements", many, INVALID),
        _opened(10, "a command element twice", wire.sent(element(0x0100, b"\1\0") * 2), INVALID),
        _opened(
            10,
            "command elements out of order",
            wire.sent(element(0x0110, b"\1\0") + element(0x0100, b"\1\0")),
            INVALID,
        ),
        _opened(10, "a command field of 4 bytes", _fields(0x0100, bytes(4)), INVALID),
        _opened(
            10,
            "a command field that is none",
            wire.sent(wire.command(0x7777, has_data_set=False)),
            "status 0211",
        ),
        _opened(
            10,
            "a response to what nobody asked",
            wire.sent(wire.command(wire.RESPONSE | wire.C_STORE, has_data_set=False)),
            UNEXPECTED_PARAMETER,
        ),
    ]
