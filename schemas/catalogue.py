"""The one catalogue: every topic, every event type, its data struct and where it travels.

Within a major version only optional fields come and go. A change of meaning is a new type and one
upcaster here; stored events are never rewritten.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas import command, feed, image, job, live, pacs
from schemas.envelope import Event, InvalidEvent

Zone = Literal["inner", "outer"]

HOUR = 3600
DAY = 24 * HOUR


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic; partition counts are fixed when it is made, and are part of the contract."""

    name: str
    zone: Zone
    partitions: int
    retention_s: int
    durable: bool = True
    """False: may be dropped, and is kept in memory on the embedded bus."""


PACS = Topic(name="chips.pacs.v1", zone="inner", partitions=8, retention_s=14 * DAY)
IMAGE = Topic(name="chips.image.v1", zone="outer", partitions=8, retention_s=30 * DAY)
COMMAND = Topic(name="chips.command.v1", zone="outer", partitions=8, retention_s=7 * DAY)
REPLY = Topic(name="chips.reply.v1", zone="outer", partitions=4, retention_s=HOUR)
FEED = Topic(name="chips.feed.v1", zone="outer", partitions=8, retention_s=30 * DAY)
JOB = Topic(name="chips.job.v1", zone="outer", partitions=8, retention_s=7 * DAY)
RESULT = Topic(name="chips.result.v1", zone="outer", partitions=8, retention_s=30 * DAY)
LIVE = Topic(name="chips.live.v1", zone="outer", partitions=4, retention_s=600, durable=False)

AGENTS: dict[str, Zone] = {
    "arrivals": "inner",
    "anonymization": "inner",
    "dispatch": "outer",
    "feeds": "outer",
}
"""Every agent and its zone; each has a dead-letter topic there."""

CONSUMES: dict[str, tuple[str, ...]] = {
    "arrivals": (PACS.name,),
    "anonymization": (PACS.name,),
    "dispatch": (IMAGE.name, COMMAND.name),
    "feeds": (IMAGE.name, JOB.name, COMMAND.name),
}
"""The topics that each agent consumes."""


def dead_letters(agent: str) -> Topic:
    """Give the dead-letter topic of an agent."""
    return Topic(name=f"chips.dlq.{agent}.v1", zone=AGENTS[agent], partitions=1, retention_s=30 * DAY)


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (PACS, IMAGE, COMMAND, REPLY, FEED, JOB, RESULT, LIVE, *(dead_letters(a) for a in AGENTS))
}

TYPES: dict[str, tuple[type[msgspec.Struct], Topic]] = {
    "chips.pacs.instance.stored.v1": (pacs.InstanceStored, PACS),
    "chips.pacs.association.ended.v1": (pacs.AssociationEnded, PACS),
    "chips.pacs.series.due.v1": (pacs.SeriesDue, PACS),
    "chips.pacs.series.announced.v1": (pacs.SeriesAnnounced, PACS),
    "chips.pacs.series.settled.v1": (pacs.SeriesSettled, PACS),
    "chips.pacs.series.reopened.v1": (pacs.SeriesReopened, PACS),
    "chips.pacs.association.refused.v1": (pacs.AssociationRefused, PACS),
    "chips.pacs.object.refused.v1": (pacs.ObjectRefused, PACS),
    "chips.pacs.association.counted.v1": (pacs.AssociationsCounted, PACS),
    "chips.pacs.source.tested.v1": (pacs.SourceTested, PACS),
    "chips.image.series.receiving.v1": (image.SeriesReceiving, IMAGE),
    "chips.image.series.anonymized.v1": (image.SeriesAnonymized, IMAGE),
    "chips.image.instance.quarantined.v1": (image.InstanceQuarantined, IMAGE),
    "chips.command.feed.create.v1": (command.CreateFeed, COMMAND),
    "chips.command.feed.rename.v1": (command.RenameFeed, COMMAND),
    "chips.command.feed.tag.v1": (command.TagFeed, COMMAND),
    "chips.command.feed.untag.v1": (command.UntagFeed, COMMAND),
    "chips.command.feed.add_input.v1": (command.AddInput, COMMAND),
    "chips.command.feed.post_comment.v1": (command.PostComment, COMMAND),
    "chips.command.feed.edit_comment.v1": (command.EditComment, COMMAND),
    "chips.command.feed.receive_series.v1": (command.ReceiveSeries, COMMAND),
    "chips.command.feed.record_series.v1": (command.RecordSeries, COMMAND),
    "chips.command.feed.record_run_queued.v1": (command.RecordRunQueued, COMMAND),
    "chips.command.feed.record_run_started.v1": (command.RecordRunStarted, COMMAND),
    "chips.command.feed.record_run_succeeded.v1": (command.RecordRunSucceeded, COMMAND),
    "chips.command.feed.record_run_failed.v1": (command.RecordRunFailed, COMMAND),
    "chips.command.job.request.v1": (command.RequestJob, COMMAND),
    "chips.command.job.report_leased.v1": (command.ReportJobLeased, COMMAND),
    "chips.command.job.report_running.v1": (command.ReportJobRunning, COMMAND),
    "chips.command.job.report_succeeded.v1": (command.ReportJobSucceeded, COMMAND),
    "chips.command.job.report_failed.v1": (command.ReportJobFailed, COMMAND),
    "chips.reply.accepted.v1": (command.CommandAccepted, REPLY),
    "chips.reply.rejected.v1": (command.CommandRejected, REPLY),
    "chips.feed.created.v1": (feed.FeedCreated, FEED),
    "chips.feed.renamed.v1": (feed.FeedRenamed, FEED),
    "chips.feed.tagged.v1": (feed.FeedTagged, FEED),
    "chips.feed.untagged.v1": (feed.FeedUntagged, FEED),
    "chips.feed.input.added.v1": (feed.InputAdded, FEED),
    "chips.feed.series.receiving.v1": (feed.FeedSeriesReceiving, FEED),
    "chips.feed.series.anonymized.v1": (feed.FeedSeriesAnonymized, FEED),
    "chips.feed.run.queued.v1": (feed.RunQueued, FEED),
    "chips.feed.run.started.v1": (feed.RunStarted, FEED),
    "chips.feed.run.succeeded.v1": (feed.RunSucceeded, FEED),
    "chips.feed.run.failed.v1": (feed.RunFailed, FEED),
    "chips.feed.comment.posted.v1": (feed.CommentPosted, FEED),
    "chips.feed.comment.edited.v1": (feed.CommentEdited, FEED),
    "chips.job.requested.v1": (job.JobRequested, JOB),
    "chips.job.leased.v1": (job.JobLeased, JOB),
    "chips.job.running.v1": (job.JobRunning, JOB),
    "chips.job.succeeded.v1": (job.JobSucceeded, JOB),
    "chips.job.failed.v1": (job.JobFailed, JOB),
    "chips.result.published.v1": (job.ResultPublished, RESULT),
    "chips.live.series.progress.v1": (live.SeriesProgress, LIVE),
    "chips.live.job.progress.v1": (live.JobProgress, LIVE),
    "chips.live.source.changed.v1": (live.SourceChanged, LIVE),
}

_TYPE_OF: dict[type[msgspec.Struct], str] = {struct: name for name, (struct, _) in TYPES.items()}


class _Undecoded(Event, frozen=True, kw_only=True, omit_defaults=True):
    data: msgspec.Raw


_ENVELOPE = msgspec.json.Decoder(_Undecoded)
_DATA = {name: msgspec.json.Decoder(struct) for name, (struct, _) in TYPES.items()}


def type_of(data: msgspec.Struct) -> str:
    """Give the event type whose data this is."""
    return _TYPE_OF[type(data)]


def topic_of(event_type: str) -> Topic:
    """Give the topic on which events of this type travel."""
    return TYPES[event_type][1]


def decode(raw: bytes | memoryview) -> Event:
    """Decode and validate one event.

    Raises
    ------
    InvalidEvent
        When the bytes are not JSON, not an event, of a type that the catalogue lacks, or its data does
        not fit the type. The message names the place and never quotes a value.
    """
    found = _envelope(raw)
    try:
        data = _DATA[found.type].decode(found.data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidEvent(f"data of {found.type} {found.id}: {error}") from error
    return Event(
        **{name: getattr(found, name) for name in Event.__struct_fields__ if name != "data"}, data=data
    )


def address_of(raw: bytes | memoryview) -> tuple[Topic, str]:
    """Give the topic and the key under which an encoded event travels, without a look at its data.

    Raises
    ------
    InvalidEvent
        As `decode`, but for the data.
    """
    found = _envelope(raw)
    return TYPES[found.type][1], found.partitionkey


def _envelope(raw: bytes | memoryview) -> _Undecoded:
    try:
        found = _ENVELOPE.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidEvent(f"not an event of CHIPS: {error}") from error
    if found.type not in TYPES:
        raise InvalidEvent(
            f"event type {found.type} is not in the catalogue: a newer CHIPS may have written it"
        )
    return found
