"""What the benches stand on: a sender that fails its measurement when it fails, and true percentiles."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from tests.bench.bench_ingest import send_over
from tests.bench.figures import percentile, rank
from tests.bench.sender import send

ACCEPTED = b"\x02\x00" + (4).to_bytes(4, "big") + bytes(4)


@contextlib.contextmanager
def peer(answer):
    """A port on which every connection is given to `answer`, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def accept_then_close(connection):
    with connection:
        connection.recv(65536)
        connection.sendall(ACCEPTED)


def test_an_association_that_fails_fails_the_measurement():
    with peer(accept_then_close) as port, pytest.raises(ConnectionError):
        send_over(port, [], 4)


def test_a_receiver_that_says_nothing_is_not_waited_for_without_end():
    open_ones = []
    with peer(open_ones.append) as port, pytest.raises(TimeoutError):
        send(port, [], timeout_s=0.2)


@pytest.mark.parametrize(("count", "p50", "p95"), [(1, 1, 1), (10, 5, 10), (20, 10, 19), (100, 50, 95)])
def test_a_percentile_is_the_value_at_its_nearest_rank(count, p50, p95):
    values = [float(value) for value in range(count, 0, -1)]
    assert (rank(count, 50), rank(count, 95)) == (p50, p95)
    assert (percentile(values, 50), percentile(values, 95)) == (p50, p95)
