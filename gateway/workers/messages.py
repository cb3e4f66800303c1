"""What the gateway and its workers tell each other, one message a datagram."""

from __future__ import annotations

from typing import Literal

import msgspec

from gateway.dul.negotiation import Accepts
from gateway.presence import Party
from gateway.refusal_events import Refused
from gateway.tls import TlsFiles


class Start(msgspec.Struct, frozen=True, tag=True):
    """To a worker, first: what it works on."""

    vault: str
    reserve: int
    """Bytes of the vault's disk that stay free."""
    project: str
    """Of sources that name none; keys are read from the vault."""
    log_level: str
    tls: TlsFiles | None = None
    accepts: Accepts = "any"
    sources: str = ""
    """File of sources; empty: everybody may come in."""


class Serve(msgspec.Struct, frozen=True, tag=True):
    """To a worker, with a descriptor: serve this connection."""

    number: int
    address: str
    is_tls: bool
    rejection: tuple[int, int, int, str] | None


class Close(msgspec.Struct, frozen=True, tag=True):
    """To a worker: let associations end for so long, s, then hang up, and end."""

    grace_s: float


class Ready(msgspec.Struct, frozen=True, tag=True):
    """From a worker: it serves."""


class Gone(msgspec.Struct, frozen=True, tag=True):
    """From a worker: a connection is over."""

    number: int


class Counted(msgspec.Struct, frozen=True, tag=True):
    """From a worker: something to count; see `gateway.reception.Counting`."""

    what: Literal["opened", "ended", "stored", "committed", "reported"]
    word: str = ""
    party: Party = Party("", "")
    """Of "opened" and "ended"."""
    objects: tuple[tuple[int, float], ...] = ()
    """Of "stored": of each its bytes, and the seconds from its last byte to its durability."""


LARGEST = 64 * 1024

To = Start | Serve | Close
From = Ready | Gone | Counted | Refused

encode = msgspec.msgpack.Encoder().encode
decode_to = msgspec.msgpack.Decoder(To).decode
decode_from = msgspec.msgpack.Decoder(From).decode
