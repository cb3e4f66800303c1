"""Bad requests of services beside storage (group 26)."""

from __future__ import annotations

import struct

from tests import wire
from tests.hostile.case import ACCEPTED, COMMITMENT_ON, ECHO, ON, UNEXPECTED_PARAMETER, Case, opened

_NO_CLASS, _NO_INSTANCE, _NO_ACTION = "status 0118", "status 0112", "status 0123"
_UNREADABLE, _TOO_MUCH, _UNKNOWN = "status 0110", "status 0213", "status 0211"
_ITEM = b"\xfe\xff\x00\xe0"
_UNDEFINED = 0xFFFFFFFF


def cases() -> list[Case]:
    """All of them."""
    return [*_commitment(), *_unknown()]


def _commitment() -> list[Case]:
    asked = _action()

    def of(name: str, data: bytes, answer: str = _UNREADABLE) -> Case:
        return Case(
            26,
            f"storage commitment of {name}",
            lambda: opened(asked, wire.data_set(data, on=COMMITMENT_ON)),
            (ACCEPTED, answer),
        )

    def asking(name: str, message: bytes, answer: str) -> Case:
        return Case(
            26,
            f"storage commitment asked {name}",
            lambda: opened(message, wire.data_set(_list(b"1.2.3"), on=COMMITMENT_ON)),
            (ACCEPTED, answer),
        )

    begin = wire.element(0x0008, 0x1199, b"SQ", b"", _UNDEFINED) + _ITEM + struct.pack("<I", _UNDEFINED)
    empty = wire.element(0x0008, 0x1199, b"SQ", b"", _UNDEFINED) + (_ITEM + bytes(4)) * 1_900_000
    transaction = wire.element(0x0008, 0x1195, b"UI", b"1.2.3.9\0")
    return [
        of("noise", b"\xde\xad\xbe\xef" * 100),
        of("nothing", b""),
        of("no objects", transaction),
        of("a UID that is a path", _list(b"../../evil")),
        of("a UID of a shell", _list(b";rm -rf evil")),
        of("a transaction that is a path", _list(b"1.2.3", b"../../evil")),
        of("no transaction", _list(b"1.2.3", b"")),
        of("1,100 levels", transaction + begin * 1100),
        of("1,900,000 empty items", transaction + empty),
        of("17 MB", bytes(17_000_000), _TOO_MUCH),
        asking("of another instance", _action(instance=b"1.2.3"), _NO_INSTANCE),
        asking("of another class", _action(sop_class=wire.CT), _NO_CLASS),
        asking("for another action", _action(action=7), _NO_ACTION),
        Case(
            26,
            "storage commitment without a data set",
            lambda: opened(_action(has_data_set=False)),
            (ACCEPTED, _UNREADABLE),
        ),
        Case(
            26,
            "storage commitment in a context of images",
            lambda: opened(_action(on=ON[wire.EXPLICIT]), wire.data_set(b"ab", on=ON[wire.EXPLICIT])),
            (ACCEPTED, _NO_CLASS),
        ),
        Case(
            26,
            "an answer to a report that was not sent",
            lambda: opened(
                wire.sent(
                    wire.command(wire.RESPONSE | wire.N_EVENT_REPORT, has_data_set=False, responds_to=9),
                    on=COMMITMENT_ON,
                )
            ),
            (ACCEPTED,),
        ),
    ]


def _unknown() -> list[Case]:
    on = ON[wire.EXPLICIT]
    found = []
    for name, field in (("C-FIND", wire.C_FIND), ("C-MOVE", wire.C_MOVE)):
        whole = wire.sent(wire.command(field), on=on) + wire.data_set(b"ab", on=on)
        bare = wire.sent(wire.command(field, has_data_set=False), on=on)
        found += [
            Case(26, f"{name} with its data set", lambda sent=whole: opened(sent), (ACCEPTED, _UNKNOWN)),
            Case(26, f"{name} without a data set", lambda sent=bare: opened(sent), (ACCEPTED, _UNKNOWN)),
        ]
    cancel = wire.sent(wire.command(wire.C_CANCEL, has_data_set=False))
    store_on_echo = wire.store(b"abcd", b"1.2.3.4.11", on=ON[wire.EXPLICIT] + 100)
    return [
        *found,
        Case(
            26, "C-CANCEL of nothing, then an echo", lambda: opened(cancel, ECHO), (ACCEPTED, "status 0000")
        ),
        Case(
            26,
            "C-STORE in a context that was not asked for",
            lambda: opened(store_on_echo),
            (ACCEPTED, UNEXPECTED_PARAMETER),
        ),
    ]


def _action(
    *,
    instance: bytes = wire.WELL_KNOWN,
    sop_class: bytes = wire.COMMITMENT,
    action: int = 1,
    has_data_set: bool = True,
    on: int = COMMITMENT_ON,
) -> bytes:
    """An N-ACTION."""
    more = wire.command_element(0x1008, struct.pack("<H", action))
    message = wire.command(wire.N_ACTION, instance, sop_class=sop_class, has_data_set=has_data_set, more=more)
    return wire.sent(message, on=on)


def _list(instance: bytes, transaction: bytes = b"1.2.3.9") -> bytes:
    """What commitment is asked of."""
    one = wire.element(0x0008, 0x1150, b"UI", wire.uid(wire.CT))
    one += wire.element(0x0008, 0x1155, b"UI", wire.uid(instance))
    items = _ITEM + struct.pack("<I", len(one)) + one
    return wire.element(0x0008, 0x1195, b"UI", wire.uid(transaction)) + wire.element(
        0x0008, 0x1199, b"SQ", items
    )
