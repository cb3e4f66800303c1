"""What a runner decides, and how it explains an end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.dispatch.runner.lines import Lines, last_line
from agents.dispatch.runner.planning import explain_exit, kills_runners, next_attempt, ready_at
from streams.aggregates.state import JobState

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_lost_lease_does_not_use_up_an_attempt():
    assert next_attempt(JobState(leases=4, failures=0)) == 1
    assert next_attempt(JobState(leases=4, failures=2)) == 3


def test_back_off_grows_and_is_bounded():
    waits = [(ready_at(failures, NOW) - NOW).total_seconds() for failures in range(1, 12)]
    assert waits[:4] == [2, 4, 8, 16]
    assert max(waits) == 60


def test_a_job_that_kills_its_runners_is_given_up():
    assert not kills_runners(JobState(leases=14), attempts=3)
    assert kills_runners(JobState(leases=15), attempts=3)


@pytest.mark.parametrize(
    ("status", "out_of_memory", "cause"),
    [
        (0, False, None),
        (1, False, "exit status 1: said"),
        (137, True, "out of memory: 256 MiB are allowed"),
        (0, True, "out of memory: 256 MiB are allowed"),
        (137, False, "was killed (SIGKILL): by hand, or for want of memory (256 MiB are allowed)"),
        (-9, False, "was killed (SIGKILL): by hand, or for want of memory (256 MiB are allowed)"),
        (-24, False, "used up its processor time"),
        (153, False, "wrote a file beyond its output limit"),
        (-11, False, "ended by signal 11: said"),
        (127, False, "exit status 127: said"),
    ],
)
def test_every_end_is_put_into_words(status, out_of_memory, cause):
    said = explain_exit(status, "said", out_of_memory=out_of_memory, memory_bytes=256 * 2**20)
    assert said == cause


def test_a_cause_fits_its_field():
    assert len(explain_exit(1, "x" * 2000, out_of_memory=False, memory_bytes=1)) == 512


def test_lines_are_cut_whatever_the_chunks():
    text = b"one\ntwo\n" + b"x" * 100 + b"\nthree\nrest"
    for size in range(1, 40):
        lines = Lines(limit=10)
        found = [
            line for begin in range(0, len(text), size) for line in lines.feed(text[begin : begin + size])
        ]
        assert found == [b"one", b"two", b"three"], size


def test_a_line_without_an_end_takes_bounded_room():
    lines = Lines(limit=10)
    for _ in range(1000):
        assert lines.feed(b"x" * 1000) == []
    assert len(lines._rest) <= 10
    assert lines.feed(b"y\nnext\n") == [b"next"]


def test_the_last_line_that_says_something():
    assert last_line(b"Traceback\n\nValueError: so\n\n") == "ValueError: so"
    assert last_line(b"\n\n") == "it said nothing"
    assert last_line(b"\xff\xfe") == "��"
