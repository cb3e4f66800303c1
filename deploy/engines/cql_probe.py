"""Ask a Cassandra node one question, in its native protocol, without a driver.

The driver starts threads and retries for itself; whether a node answers is three frames (native protocol v4,
Apache Cassandra documentation, `native_protocol_v4.spec`).
"""

from __future__ import annotations

import socket
import struct

_VERSION = 4
_STARTUP, _READY, _QUERY, _RESULT = 0x01, 0x02, 0x07, 0x08
_CONSISTENCY_ONE = 1
_HEADER = struct.Struct(">BBhBi")
_SECONDS = 5.0


def answers_cql(host: str, port: int) -> bool:
    """Tell whether the node at ``host``:``port`` answers a query within a few seconds."""
    options = struct.pack(">H", 1) + _string("CQL_VERSION") + _string("3.0.0")
    query = b"SELECT key FROM system.local"
    asked = struct.pack(">i", len(query)) + query + struct.pack(">HB", _CONSISTENCY_ONE, 0)
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as connection:
            ready = _ask(connection, _STARTUP, options) == _READY
            return ready and _ask(connection, _QUERY, asked) == _RESULT
    except OSError:
        return False


def _ask(connection: socket.socket, opcode: int, body: bytes) -> int:
    """Send one frame and return the opcode of the answer."""
    connection.sendall(_HEADER.pack(_VERSION, 0, 0, opcode, len(body)) + body)
    header = _exactly(connection, _HEADER.size)
    _, _, _, answer, length = _HEADER.unpack(header)
    _exactly(connection, length)
    return int(answer)


def _exactly(connection: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = connection.recv(size - len(got))
        if not piece:
            raise ConnectionResetError("the node closed the connection")
        got += piece
    return bytes(got)


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded
