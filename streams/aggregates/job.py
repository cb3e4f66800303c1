"""The job stream: who may report, how often it is tried, and that it ends once. Pure."""

from __future__ import annotations

import msgspec

from schemas.command import (
    ReportJobFailed,
    ReportJobLeased,
    ReportJobRunning,
    ReportJobSucceeded,
    RequestJob,
)
from schemas.envelope import Event
from schemas.job import JobFailed, JobLeased, JobRequested, JobRunning, JobSucceeded
from streams.aggregates.handled import remember
from streams.aggregates.state import JobState
from streams.errors import Rejected

JobCommand = RequestJob | ReportJobLeased | ReportJobRunning | ReportJobSucceeded | ReportJobFailed
JobEvent = JobRequested | JobLeased | JobRunning | JobSucceeded | JobFailed


def decide(state: JobState, command: JobCommand, *, attempts: int) -> list[JobEvent]:
    """Decide what a command does to a job.

    Parameters
    ----------
    attempts
        How many attempts may fail before the job has failed for good.

    Raises
    ------
    streams.errors.Rejected
        When the reporter does not hold the newest lease, or the job has ended.
    """
    match command:
        case RequestJob(order=order):
            return [] if state.order else [JobRequested(order=order)]
        case ReportJobLeased(report=report):
            return _leased(state, report)
        case ReportJobRunning(report=report):
            return _running(state, report)
        case ReportJobSucceeded(report=report):
            return _succeeded(state, report)
        case ReportJobFailed(report=report):
            return _failed(state, report, attempts)


def _leased(state: JobState, report: JobLeased) -> list[JobEvent]:
    _open(state)
    if report.fencing < state.fencing:
        raise _stale(report.fencing, state.fencing)
    if report.fencing == state.fencing and report.attempt <= state.attempt:
        return []
    if report.attempt != state.failures + 1:
        raise Rejected(
            f"Attempt {report.attempt} is not the next one, {state.failures + 1}: read the stream again."
        )
    return [report]


def _running(state: JobState, report: JobRunning) -> list[JobEvent]:
    _open(state)
    _holder(state, report.fencing, report.attempt)
    return [report] if state.phase == "leased" else []


def _succeeded(state: JobState, report: JobSucceeded) -> list[JobEvent]:
    if state.succeeded and (report.fencing, report.attempt) == (state.fencing, state.attempt):
        return []
    _open(state)
    _holder(state, report.fencing, report.attempt)
    if state.phase == "failed":
        raise Rejected(f"Attempt {report.attempt} has failed already: its result is not taken.")
    return [report]


def _failed(state: JobState, report: JobFailed, attempts: int) -> list[JobEvent]:
    repeated = state.phase in ("failed", "ended") and not state.succeeded
    if repeated and (report.fencing, report.attempt) == (state.fencing, state.attempt):
        return []
    _open(state)
    _holder(state, report.fencing, report.attempt)
    final = report.final or state.failures + 1 >= attempts
    return [msgspec.structs.replace(report, final=final)]


def _open(state: JobState) -> None:
    if state.order is None:
        raise Rejected("There is no such job: request it first.")
    if state.phase == "ended":
        raise Rejected("The job has ended: drop what runs for it.")


def _holder(state: JobState, fencing: int, attempt: int) -> None:
    if fencing != state.fencing:
        raise _stale(fencing, state.fencing)
    if attempt != state.attempt:
        raise Rejected(f"Attempt {attempt} is not the leased one, {state.attempt}: report for that.")


def _stale(fencing: int, highest: int) -> Rejected:
    return Rejected(
        f"Fencing number {fencing} is not the newest lease's, {highest}: stop, the job is another runner's."
    )


def evolve(state: JobState, event: Event) -> JobState:
    """Fold one event of the stream into its state."""
    state = msgspec.structs.replace(state, version=event.version, handled=remember(state.handled, event))
    replace = msgspec.structs.replace
    match event.data:
        case JobRequested(order=order):
            return replace(state, order=order, phase="requested")
        case JobLeased() as data:
            return replace(
                state, phase="leased", fencing=data.fencing, attempt=data.attempt, leases=state.leases + 1
            )
        case JobRunning():
            return replace(state, phase="running")
        case JobSucceeded():
            return replace(state, phase="ended", succeeded=True)
        case JobFailed() as data:
            return replace(state, phase="ended" if data.final else "failed", failures=state.failures + 1)
        case _:
            return state
