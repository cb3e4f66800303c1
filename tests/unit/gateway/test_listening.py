"""What the door's log says of a connection that it could not serve."""

from __future__ import annotations

from structlog.testing import capture_logs

from gateway.listening import DoorServer


def test_a_connection_that_fails_is_told_without_the_text_of_the_error():
    server = DoorServer.__new__(DoorServer)
    with capture_logs() as lines:
        try:
            int("SYNTHETIC^CARLA")
        except ValueError:
            server.handle_error(None, None)
    (line,) = lines
    assert (line["event"], line["log_level"], line["kind"]) == (
        "gateway.connection_failed",
        "error",
        "ValueError",
    )
    assert "test_listening.py" in line["where"][0]
    assert "CARLA" not in str(line)
    assert "exc_info" not in line
