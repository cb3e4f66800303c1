"""Running commands over an aggregate as a handler would, without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas import make
from schemas.identity import derived_id, feed_stream, job_stream

T0 = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROJECT = "default"
STUDY = "5" * 32
PATIENT = "a" * 32


def key(number):
    return f"{number:032x}"


def uuid(number):
    return derived_id("test", str(number))


def command(data, *, ident, subject, author=None, seconds=0):
    return make.first(
        data,
        event_id=ident,
        source="/chips/test",
        subject=subject,
        time=T0 + timedelta(seconds=seconds),
        authtype="app_user" if author else "system",
        authid=author,
    )


def apply(state, cause, datas, evolve, consumer="feeds"):
    """Fold what was decided as the events a handler would append; give (state, events)."""
    events = []
    for index, data in enumerate(datas):
        event = make.derived(
            data,
            cause=cause,
            consumer=consumer,
            subject=cause.subject,
            recorded=cause.time,
            index=index,
            version=state.version + 1,
        )
        state = evolve(state, event)
        events.append(event)
    return state, events


FEED = feed_stream(PROJECT, derived_id("feed.default", PROJECT, STUDY))
JOB = job_stream(PROJECT, uuid("job"))
