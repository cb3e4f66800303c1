"""A job ends once, and only the newest lease holder is heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.command import (
    ReportJobFailed,
    ReportJobLeased,
    ReportJobRunning,
    ReportJobSucceeded,
    RequestJob,
)
from schemas.identity import BlobRef
from schemas.job import JobFailed, JobLeased, JobRequested, JobRunning, JobSucceeded, WorkOrder
from streams.aggregates.job import decide, evolve
from streams.aggregates.state import JobState
from streams.errors import Rejected
from tests.unit.streams.aggregates.folding import JOB, PROJECT, STUDY, apply, command, key, uuid

ORDER = WorkOrder(
    project=PROJECT,
    job=uuid("job"),
    study=STUDY,
    series=key(7),
    version=1,
    modality="CT",
    plugin="volumetry",
    plugin_version="1.0",
    manifest=BlobRef(sha256="0" * 64, size=2, media_type="application/json"),
)
WHO = {"project": PROJECT, "job": uuid("job")}


def leased(fencing, attempt=1):
    return ReportJobLeased(report=JobLeased(**WHO, runner="r", fencing=fencing, attempt=attempt))


def running(fencing, attempt=1):
    return ReportJobRunning(report=JobRunning(**WHO, fencing=fencing, attempt=attempt, isolation="docker"))


def succeeded(fencing, attempt=1):
    return ReportJobSucceeded(
        report=JobSucceeded(
            **WHO,
            fencing=fencing,
            attempt=attempt,
            outcome="measured",
            seconds=1,
            artefacts=[],
            measures=[],
            findings=[],
        )
    )


def failed(fencing, attempt=1, *, final=False):
    return ReportJobFailed(
        report=JobFailed(**WHO, fencing=fencing, attempt=attempt, cause="exit 1", final=final)
    )


def run(*commands, attempts=3):
    state, events = JobState(), []
    for number, data in enumerate(commands):
        cause = command(data, ident=uuid(number), subject=JOB)
        state, made = apply(state, cause, decide(state, data, attempts=attempts), evolve, "dispatch")
        events += [one.data for one in made]
    return state, events


def kinds(events):
    return [type(one) for one in events]


def test_the_plain_way():
    state, events = run(RequestJob(order=ORDER), leased(1), running(1), succeeded(1))
    assert kinds(events) == [JobRequested, JobLeased, JobRunning, JobSucceeded]
    assert (state.phase, state.succeeded) == ("ended", True)


def test_each_said_twice_happens_once():
    once = [RequestJob(order=ORDER), leased(1), running(1), succeeded(1)]
    assert run(*[one for one in once for _ in (1, 2)])[1] == run(*once)[1]


def test_a_report_with_a_lower_fencing_number_is_refused():
    for late in (succeeded(1), failed(1), running(1), leased(1)):
        with pytest.raises(Rejected, match="Fencing number 1"):
            run(RequestJob(order=ORDER), leased(1), leased(2), late)


def test_an_ended_job_takes_nothing_more():
    for late in (leased(2), running(1), failed(1), succeeded(2)):
        with pytest.raises(Rejected, match="ended"):
            run(RequestJob(order=ORDER), leased(1), running(1), succeeded(1), late)


def test_attempts_are_tried_until_they_are_used_up():
    state, events = run(
        RequestJob(order=ORDER),
        leased(1, 1),
        running(1, 1),
        failed(1, 1),
        failed(1, 1),
        leased(1, 2),
        failed(1, 2),
        attempts=2,
    )
    assert [one.final for one in events if isinstance(one, JobFailed)] == [False, True]
    assert (state.phase, state.failures) == ("ended", 2)


def test_a_lost_lease_is_no_failure_and_its_attempt_goes_on():
    state, _ = run(RequestJob(order=ORDER), leased(1), running(1), leased(2), running(2), succeeded(2))
    assert (state.succeeded, state.failures, state.leases) == (True, 0, 2)


def test_a_final_failure_ends_it_at_once():
    assert run(RequestJob(order=ORDER), leased(1), failed(1, final=True))[0].phase == "ended"


def test_nobody_reports_on_a_job_that_was_not_requested():
    with pytest.raises(Rejected, match="request it first"):
        run(leased(1))


def test_an_attempt_out_of_turn_is_refused():
    with pytest.raises(Rejected, match="not the next one"):
        run(RequestJob(order=ORDER), leased(1, 2))


@given(
    st.lists(
        st.builds(
            lambda make, fencing, attempt: make(fencing, attempt),
            st.sampled_from([leased, running, succeeded, failed]),
            st.integers(1, 4),
            st.integers(1, 4),
        ),
        max_size=40,
    )
)
def test_whatever_runners_say_a_job_ends_at_most_once_and_fencing_never_falls(reports):
    state = JobState()
    events = []
    for number, data in enumerate([RequestJob(order=ORDER), *reports]):
        cause = command(data, ident=uuid(number), subject=JOB)
        try:
            decided = decide(state, data, attempts=3)
        except Rejected:
            continue
        state, made = apply(state, cause, decided, evolve, "dispatch")
        events += made
    ends = [one for one in events if isinstance(one.data, JobSucceeded) or getattr(one.data, "final", False)]
    assert len(ends) <= 1
    assert not ends or ends[0] is events[-1]
    numbers = [one.data.fencing for one in events if not isinstance(one.data, JobRequested)]
    assert numbers == sorted(numbers)
    replayed = JobState()
    for event in events:
        replayed = evolve(replayed, event)
    assert replayed == state
