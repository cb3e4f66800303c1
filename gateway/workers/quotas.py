"""Quotas of sources, counted in the gateway for all its workers: a datagram asks, another answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from typing import Literal

import msgspec

from gateway.quotas import Quotas
from gateway.workers.messages import LARGEST
from streams.errors import Unavailable


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """See `gateway.quotas.Quotas`."""

    what: Literal["enter", "leave", "spend"]
    account: str
    most: int = 0
    size: int = 0


_encode = msgspec.msgpack.Encoder().encode
_asked = msgspec.msgpack.Decoder(Asked).decode
_answer = msgspec.msgpack.Decoder(float).decode


class Asking:
    """The gateway's quotas, as a worker sees them; safe for many threads.

    Raises `streams.errors.Unavailable` when the gateway is gone.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def enter(self, account: str, most: int) -> bool:
        """Count one more association."""
        return bool(self._ask(Asked("enter", account, most)))

    def leave(self, account: str) -> None:
        """Count one less."""
        self._ask(Asked("leave", account))

    def spend(self, account: str, size: int, most: int) -> float:
        """Spend bytes of an account's hour."""
        return self._ask(Asked("spend", account, most, size))

    def _ask(self, question: Asked) -> float:
        try:
            with self._lock:
                self._connection.send(_encode(question))
                return _answer(self._connection.recv(LARGEST))
        except (OSError, msgspec.DecodeError) as error:
            raise Unavailable("The gateway that counts is gone") from error


def keep_quotas(connection: socket.socket, quotas: Quotas) -> None:
    """Answer a worker until it is gone, then count its associations as ended; blocks."""
    entered: Counter[str] = Counter()
    with contextlib.suppress(OSError):  # it is gone
        while message := connection.recv(LARGEST):
            connection.send(_encode(_answered(quotas, _asked(message), entered)))
    for account in entered.elements():
        quotas.leave(account)


def _answered(quotas: Quotas, question: Asked, entered: Counter[str]) -> float:
    match question.what:
        case "enter":
            came_in = quotas.enter(question.account, question.most)
            entered[question.account] += came_in
            return float(came_in)
        case "leave":
            entered[question.account] -= 1
            quotas.leave(question.account)
            return 0.0
        case "spend":
            return quotas.spend(question.account, question.size, question.most)
