"""What feeds tell each other: each report with all that must be known before it."""

from __future__ import annotations

import msgspec
import pytest

from agents.feeds.policy import backfill, forwarded, of_job, study_of
from schemas import command as c
from schemas import job
from schemas.command import ReceiveSeries, RecordRunQueued
from streams.aggregates.state import FeedState
from tests.unit.agents.feeds.test_feeds import order
from tests.unit.agents.flowing import PATIENT, PROJECT, key, uuid
from tests.unit.streams.aggregates.folding import STUDY
from tests.unit.streams.aggregates.test_feed import Feed, failed, queued, receive, record, started, succeeded

STORY = [receive(), record(), queued(), started(), failed(), started(2), succeeded()]


def told(feed, events):
    return [one for event in events for one in forwarded(feed.state, event, STUDY, uuid("other"))]


def taken(commands):
    """What a feed that has the study as an input makes of commands."""
    feed = Feed()
    feed.send(receive())
    for data in commands:
        if isinstance(data, ReceiveSeries | c.RecordSeries):
            feed.send(msgspec.structs.replace(data, feed=feed.feed))
        else:
            feed.send(data)
    return feed.state


@pytest.fixture
def feed():
    feed = Feed()
    for data in STORY:
        feed.send(data)
    return feed


def test_each_event_alone_is_understood_by_a_feed_that_knows_nothing(feed):
    for event in feed.events:
        commands = forwarded(feed.state, event, STUDY, uuid("other"))
        kinds = [type(one) for one in commands]
        if study_of(feed.state, event) and event.type.startswith("chips.feed.run"):
            assert kinds[:2] == [ReceiveSeries, RecordRunQueued]
        taken(commands)


def test_only_what_is_said_of_a_study_is_forwarded():
    feed = Feed()
    feed.send(receive())
    feed.send(c.TagFeed(tag="x"), "anna")
    studies = [study_of(feed.state, event) for event in feed.events]
    assert studies == [None, None, STUDY, None]


@pytest.mark.parametrize("way", ["forwarded", "backfill"])
def test_both_ways_bring_everything(feed, way):
    commands = told(feed, feed.events) if way == "forwarded" else backfill(feed.state, STUDY, uuid("other"))
    state = taken(commands)
    assert (state.series, state.runs) == (feed.state.series, feed.state.runs)


def test_a_backfill_tells_nothing_of_other_studies(feed):
    assert backfill(feed.state, key(99), uuid("other")) == []
    assert backfill(FeedState(), STUDY, uuid("other")) == []


def test_a_job_is_told_with_its_series_first():
    wanted = order(1, 1)
    report = {"project": PROJECT, "job": wanted.job, "fencing": 1, "attempt": 1}
    for event in (
        job.JobRequested(order=wanted),
        job.JobRunning(**report, isolation="docker"),
        job.JobFailed(**report, cause="c", final=True),
    ):
        kinds = [type(one) for one in of_job(event, wanted, PATIENT)]
        assert kinds[:2] == [ReceiveSeries, RecordRunQueued]
        assert len(kinds) == (2 if isinstance(event, job.JobRequested) else 3)
