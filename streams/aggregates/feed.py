"""The feed stream: what people and the system may do to a feed. Pure.

Commands of the system are records that only grow: any order and any repetition ends in the same state.
"""

from __future__ import annotations

import msgspec

from schemas import command as commands
from schemas.feed import (
    CommentEdited,
    CommentPosted,
    FeedCreated,
    FeedRenamed,
    FeedSeriesAnonymized,
    FeedSeriesReceiving,
    FeedTagged,
    FeedUntagged,
    InputAdded,
    RunFailed,
    RunQueued,
    RunStarted,
    RunSucceeded,
)
from schemas.sealed import is_sealed
from streams.aggregates import feed_system
from streams.aggregates.state import FeedState
from streams.errors import Rejected

MAX_TAGS = 32
MAX_COMMENTS = 10_000
MAX_INPUTS = 100

ChangeCommand = (
    commands.RenameFeed
    | commands.TagFeed
    | commands.UntagFeed
    | commands.AddInput
    | commands.PostComment
    | commands.EditComment
)
FeedCommand = commands.CreateFeed | ChangeCommand | feed_system.SystemCommand
FeedEvent = (
    FeedCreated
    | FeedRenamed
    | FeedTagged
    | FeedUntagged
    | InputAdded
    | FeedSeriesReceiving
    | FeedSeriesAnonymized
    | RunQueued
    | RunStarted
    | RunSucceeded
    | RunFailed
    | CommentPosted
    | CommentEdited
)


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision needs beside state and command.

    Attributes
    ----------
    command
        The command's id.
    project, feed
        Those of the target stream.
    author
        Account that is answerable; None for the system.
    patient
        Of the study that is to become an input; None when there is no such study.
    """

    command: str
    project: str
    feed: str
    author: str | None = None
    patient: str | None = None


def decide(state: FeedState, command: FeedCommand, context: Context) -> list[FeedEvent]:
    """Decide what a command does; nothing when it has taken effect already.

    Raises
    ------
    streams.errors.Rejected
        When it may not be done; the message says what to do instead.
    """
    if state.handled.version_of(context.command) is not None:
        return []
    if isinstance(command, feed_system.SYSTEM_COMMANDS):
        if context.author is not None:
            raise Rejected("Series and runs are recorded by the system alone: post a comment instead.")
        return list(feed_system.decide(state, command, context.project, context.feed))
    if isinstance(command, commands.CreateFeed):
        return _create(state, command, context)
    if state.version == 0:
        raise Rejected("There is no such feed: load the home page again.")
    return _change(state, command, context)


def _change(state: FeedState, command: ChangeCommand, context: Context) -> list[FeedEvent]:
    match command:
        case commands.RenameFeed(title=title):
            return [] if title == state.title else [FeedRenamed(title=_title(title))]
        case commands.TagFeed(tag=tag):
            return _tag(state, tag)
        case commands.UntagFeed(tag=tag):
            return [FeedUntagged(tag=tag)] if tag in state.tags else []
        case commands.AddInput(study=study):
            return _add_input(state, study, context.patient)
        case commands.PostComment():
            return _post(state, command, context.author)
        case commands.EditComment():
            return _edit(state, command, context.author)


def _create(state: FeedState, command: commands.CreateFeed, context: Context) -> list[FeedEvent]:
    if (command.project, command.feed) != (context.project, context.feed):
        raise Rejected("The feed to create is not the one that the command targets: send it to its own feed.")
    if state.version:
        raise Rejected("There is a feed with this id already: open it, or create one with a new id.")
    return [FeedCreated(project=command.project, feed=command.feed, title=_title(command.title))]


def _title(title: str) -> str:
    if not title.strip():
        raise Rejected("A title needs at least one letter: type one.")
    return title


def _tag(state: FeedState, tag: str) -> list[FeedEvent]:
    if tag in state.tags:
        return []
    if len(state.tags) >= MAX_TAGS:
        raise Rejected(f"A feed has at most {MAX_TAGS} tags: take one off first.")
    return [FeedTagged(tag=tag)]


def _add_input(state: FeedState, study: str, patient: str | None) -> list[FeedEvent]:
    if study in state.inputs:
        return []
    if patient is None:
        raise Rejected("There is no such study in this project: choose one of the list.")
    if len(state.inputs) >= MAX_INPUTS:
        raise Rejected(f"A feed has at most {MAX_INPUTS} inputs: open another feed for more.")
    return [InputAdded(study=study, patient=patient)]


def _post(state: FeedState, command: commands.PostComment, author: str | None) -> list[FeedEvent]:
    if author is None:
        raise Rejected("A comment needs an author: log in.")
    _check_sealed(command.text)
    known = state.comments.get(command.comment)
    if known is not None:
        if (known.author, known.text) == (author, command.text):
            return []
        raise Rejected("There is a comment with this id already: edit it, or post one with a new id.")
    if len(state.comments) >= MAX_COMMENTS:
        raise Rejected(f"A feed has at most {MAX_COMMENTS} comments: go on in another feed.")
    return [CommentPosted(comment=command.comment, text=command.text)]


def _edit(state: FeedState, command: commands.EditComment, author: str | None) -> list[FeedEvent]:
    known = state.comments.get(command.comment)
    if known is None:
        raise Rejected("There is no such comment: load the feed again.")
    if author is None or known.author != author:
        raise Rejected("Only its author may edit a comment: post one of your own.")
    _check_sealed(command.text)
    return [] if command.text == known.text else [CommentEdited(comment=command.comment, text=command.text)]


def _check_sealed(text: str) -> None:
    # No word of a person enters the log clear: it could never be taken out again.
    if not is_sealed(text):
        raise Rejected("The text of a comment must be sealed: send it by the page's API, which does that.")
