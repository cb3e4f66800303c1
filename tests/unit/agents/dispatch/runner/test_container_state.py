"""What a container's state means: in time, late, abandoned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agents.dispatch.runner.container_state import (
    GRACE_S,
    START_S,
    has_ended,
    is_abandoned,
    overdue,
    read_time,
)

SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NEVER = "0001-01-01T00:00:00Z"
LIMIT_S = 10.0


def docker_time(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.123456789Z"


def after(seconds: float) -> datetime:
    return SINCE + timedelta(seconds=seconds)


@pytest.mark.parametrize("status", ["created", "restarting", "removing"])
def test_what_never_runs_is_given_up(status):
    state = {"Status": status, "StartedAt": NEVER}
    assert overdue(state, SINCE, after(START_S), LIMIT_S) is None
    said = overdue(state, SINCE, after(START_S + 1), LIMIT_S)
    assert said == f"could not be started: {status} for more than 60 s"


@pytest.mark.parametrize("status", ["running", "paused"])
def test_what_runs_too_long_is_late_from_its_start_not_from_when_it_was_first_watched(status):
    state = {"Status": status, "StartedAt": docker_time(after(-5))}
    assert overdue(state, SINCE, after(LIMIT_S - 5), LIMIT_S) is None
    assert overdue(state, SINCE, after(LIMIT_S - 4), LIMIT_S) == "took longer than its limit of 10 s"


def test_ended_is_ended():
    assert [has_ended({"Status": status}) for status in ("exited", "dead", "running", "created")] == [
        True,
        True,
        False,
        False,
    ]


def test_abandoned_is_what_no_runner_would_have_left():
    attributes = {"Created": docker_time(SINCE)}
    assert not is_abandoned(attributes, after(START_S + LIMIT_S + GRACE_S), LIMIT_S)
    assert is_abandoned(attributes, after(START_S + LIMIT_S + GRACE_S + 1), LIMIT_S)
    assert not is_abandoned({"Created": "soon"}, after(1e6), LIMIT_S)


def test_dockers_times_are_read():
    assert read_time(docker_time(SINCE)) == SINCE
    assert read_time(NEVER) is None
    assert read_time("") is None
