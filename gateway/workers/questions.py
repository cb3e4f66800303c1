"""What workers ask their gateway, which knows it for all of them: a datagram asks, another answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import msgspec

from gateway.commitment.holdings import Finds
from gateway.commitment.index import Held
from gateway.quotas import Quotas
from streams.errors import Unavailable

_INSTANCES = 256
"""Of one question."""
_LARGEST = 128 * 1024
"""An answer of so many instances has 60 kB at most."""


class Quota(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """See `gateway.quotas.Quotas`."""

    what: Literal["enter", "leave", "spend"]
    account: str
    most: int = 0
    size: int = 0


class Find(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """See `gateway.commitment.holdings.Finds`."""

    project: str
    instances: tuple[str, ...]


_encode = msgspec.msgpack.Encoder().encode
_asked = msgspec.msgpack.Decoder(Quota | Find).decode
_number = msgspec.msgpack.Decoder(float).decode
_found = msgspec.msgpack.Decoder(dict[str, Held] | None).decode


class Asking:
    """The gateway's quotas and holdings, as a worker sees them; safe for many threads.

    Raises `streams.errors.Unavailable` when the gateway is gone, or does not know.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def enter(self, account: str, most: int) -> bool:
        """Count one more association."""
        return bool(_number(self._ask(Quota("enter", account, most))))

    def leave(self, account: str) -> None:
        """Count one less."""
        self._ask(Quota("leave", account))

    def spend(self, account: str, size: int, most: int) -> float:
        """Spend bytes of an account's hour."""
        return _number(self._ask(Quota("spend", account, most, size)))

    def find(self, project: str, instances: Sequence[str]) -> dict[str, Held]:
        """Give what is known of objects."""
        found: dict[str, Held] = {}
        for start in range(0, len(instances), _INSTANCES):
            some = _found(self._ask(Find(project, tuple(instances[start : start + _INSTANCES]))))
            if some is None:
                raise Unavailable("What the vault holds can't be told now")
            found |= some
        return found

    def _ask(self, question: Quota | Find) -> bytes:
        try:
            with self._lock:
                self._connection.send(_encode(question))
                answer = self._connection.recv(_LARGEST)
        except OSError as error:
            raise Unavailable("The gateway is gone") from error
        if not answer:
            raise Unavailable("The gateway is gone")
        return answer


def answer_questions(connection: socket.socket, quotas: Quotas, holdings: Finds) -> None:
    """Answer a worker until it is gone, then count its associations as ended; blocks."""
    entered: Counter[str] = Counter()
    try:
        while message := connection.recv(_LARGEST):
            question = _asked(message)
            connection.send(
                _encode(
                    _counted(quotas, question, entered)
                    if isinstance(question, Quota)
                    else _looked_up(holdings, question)
                )
            )
    except OSError:
        pass  # it is gone
    finally:
        with contextlib.suppress(OSError):  # whoever waits for an answer hears that there is none
            connection.shutdown(socket.SHUT_RDWR)
        for account in entered.elements():
            quotas.leave(account)


def _looked_up(holdings: Finds, question: Find) -> dict[str, Held] | None:
    with contextlib.suppress(Unavailable):
        return holdings.find(question.project, question.instances)
    return None


def _counted(quotas: Quotas, question: Quota, entered: Counter[str]) -> float:
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
