"""Ports for servers that a test starts."""

from __future__ import annotations

import secrets
import socket
from contextlib import ExitStack

# Below the range from which the system takes the ports of outgoing connections (32768 on Linux): a port from
# that range can be taken while a killed server is away, or be answered by the client that is looking for it.
_LOWEST, _COUNT = 20_000, 12_000
_ATTEMPTS = 200


def free_ports(count: int) -> list[int]:
    """Return ``count`` different ports on 127.0.0.1 on which nobody listens now."""
    found: set[int] = set()
    for _ in range(_ATTEMPTS):
        if len(found) == count:
            break
        port = _LOWEST + secrets.randbelow(_COUNT)
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.add(port)
    assert len(found) == count, f"no {count} free ports in {_ATTEMPTS} attempts"
    return sorted(found, key=lambda _: secrets.randbelow(_COUNT))


def free_port() -> int:
    """Return a port on 127.0.0.1 on which nobody listens now."""
    return free_ports(1)[0]


def ports_in_a_row(count: int) -> int:
    """Return the first of ``count`` ports in a row on which nobody listens now."""
    for _ in range(_ATTEMPTS):
        first = _LOWEST + secrets.randbelow(_COUNT - count)
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return first
    raise AssertionError(f"no {count} free ports in a row in {_ATTEMPTS} attempts")
