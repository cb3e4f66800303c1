"""A port that is open is not yet a database that answers."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from deploy.engines.cql_probe import answers_cql

READY, RESULT, ERROR = 0x02, 0x08, 0x00


def frame(opcode, body=b""):
    return struct.pack(">BBhBi", 0x84, 0, 0, opcode, len(body)) + body


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([frame(READY), frame(RESULT, b"rows" * 100)], True),
        ([frame(READY), frame(ERROR, b"overloaded")], False),
        ([frame(ERROR, b"bootstrapping")], False),
        ([frame(READY), frame(RESULT, b"rows")[:5]], False),
        ([b""], False),
    ],
)
def test_only_a_result_counts(answers, expected):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                for answer in answers:
                    connection.recv(4096)
                    connection.sendall(answer)

        serving = threading.Thread(target=serve)
        serving.start()
        assert answers_cql("127.0.0.1", server.getsockname()[1]) is expected
        serving.join(10)


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert answers_cql("127.0.0.1", port) is False
