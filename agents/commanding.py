"""What every agent does with a command: whose stream it is for, and telling the asker when it is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from agents.replying import reply_rejected
from schemas.envelope import Event, parse_stream
from streams.bus import Producer
from streams.clock import Clock
from streams.errors import Poison, Rejected
from streams.histories import Histories, S, Taken


def target(command: Event, category: str) -> tuple[str, str]:
    """Give the project and the id of the stream that a command is for.

    Raises
    ------
    streams.errors.Poison
        When its subject is no stream of the category.
    """
    try:
        found, project, identity = parse_stream(command.subject)
    except ValueError as error:
        raise Poison(f"command {command.id}: {error}") from error
    if found != category:
        raise Poison(f"command {command.id} is for a {category}, but its subject is a {found}")
    return project, identity


async def take_or_refuse(
    histories: Histories[S],
    command: Event,
    decide: Callable[[S], Sequence[msgspec.Struct]],
    *,
    producer: Producer,
    consumer: str,
    clock: Clock,
) -> Taken[S] | None:
    """Let a command take effect once in its stream; None when it was refused, and the asker told why.

    Raises
    ------
    streams.errors.Unavailable
        When store or bus are away, or other writers were first too often.
    """
    try:
        return await histories.take(command, command.subject, decide)
    except Rejected as rejected:
        await reply_rejected(producer, command, consumer, str(rejected), clock())
        return None
