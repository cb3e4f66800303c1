"""Commands (``chips.command.v1``, keyed by target stream) and their replies (``chips.reply.v1``).

A command asks; the one handler of its target stream decides. Its id makes a retry harmless.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from schemas.feed import (
    CommentText,
    FeedSeriesAnonymized,
    RunFailed,
    RunQueued,
    RunStarted,
    RunSucceeded,
    Tag,
    Title,
)
from schemas.identity import Key, ProjectId, Uuid
from schemas.job import JobFailed, JobLeased, JobRunning, JobSucceeded, WorkOrder
from schemas.pacs import Modality


class CreateFeed(msgspec.Struct, frozen=True, kw_only=True):
    """Open a feed with no input yet."""

    project: ProjectId
    feed: Uuid
    title: Title


class RenameFeed(msgspec.Struct, frozen=True, kw_only=True):
    """Change the title."""

    title: Title


class TagFeed(msgspec.Struct, frozen=True, kw_only=True):
    """Put a tag on; a tag that is there already changes nothing."""

    tag: Tag


class UntagFeed(msgspec.Struct, frozen=True, kw_only=True):
    """Take a tag off."""

    tag: Tag


class AddInput(msgspec.Struct, frozen=True, kw_only=True):
    """Make a study an input of the feed."""

    study: Key


class PostComment(msgspec.Struct, frozen=True, kw_only=True):
    """Say something, in a sealed text; a clear one is refused, so that no history holds it."""

    comment: Uuid
    text: CommentText


class EditComment(msgspec.Struct, frozen=True, kw_only=True):
    """Change one's own comment, in a sealed text; a clear one is refused."""

    comment: Uuid
    text: CommentText


class ReceiveSeries(msgspec.Struct, frozen=True, kw_only=True):
    """System: a series of a study began to arrive; the default rule's feed is created when missing."""

    project: ProjectId
    feed: Uuid
    patient: Key
    study: Key
    series: Key
    modality: Modality


class RecordSeries(msgspec.Struct, frozen=True, kw_only=True):
    """System: a version of a series is anonymized."""

    project: ProjectId
    feed: Uuid
    patient: Key
    record: FeedSeriesAnonymized


class RecordRunQueued(msgspec.Struct, frozen=True, kw_only=True):
    """System: a job was requested."""

    run: RunQueued


class RecordRunStarted(msgspec.Struct, frozen=True, kw_only=True):
    """System: an attempt of a job runs."""

    run: RunStarted


class RecordRunSucceeded(msgspec.Struct, frozen=True, kw_only=True):
    """System: a job ended with a result."""

    run: RunSucceeded


class RecordRunFailed(msgspec.Struct, frozen=True, kw_only=True):
    """System: an attempt of a job failed."""

    run: RunFailed


class RequestJob(msgspec.Struct, frozen=True, kw_only=True):
    """System: dispatch asks for work on a series."""

    order: WorkOrder


class ReportJobLeased(msgspec.Struct, frozen=True, kw_only=True):
    """Runner: I hold the lease."""

    report: JobLeased


class ReportJobRunning(msgspec.Struct, frozen=True, kw_only=True):
    """Runner: the step's process started."""

    report: JobRunning


class ReportJobSucceeded(msgspec.Struct, frozen=True, kw_only=True):
    """Runner: the step ended well; its artefacts are durable in the blob store."""

    report: JobSucceeded


class ReportJobFailed(msgspec.Struct, frozen=True, kw_only=True):
    """Runner: the step ended badly, and why."""

    report: JobFailed


class CommandAccepted(msgspec.Struct, frozen=True, kw_only=True):
    """The command took effect; `version` is the target stream's version after it."""

    command: Uuid
    stream: Annotated[str, msgspec.Meta(max_length=256)]
    version: Annotated[int, msgspec.Meta(ge=0)]


class CommandRejected(msgspec.Struct, frozen=True, kw_only=True):
    """The command was refused; `reason` says what to do instead."""

    command: Uuid
    stream: Annotated[str, msgspec.Meta(max_length=256)]
    reason: Annotated[str, msgspec.Meta(max_length=512)]
