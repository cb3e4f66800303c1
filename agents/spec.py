"""What an agent is, to the loop that runs it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from schemas.envelope import Event

Handler = Callable[[Event], Awaitable[None]]
"""Handles one event: effect and publish, then returns, within `Patience.handler_s` or its agent's own.

It meets every event at least once, those of one key one after another and in order, those of different keys
concurrently. What it raises decides: `Poison` and `InvalidEvent` dead-letter the message and park its key;
`Rejected` is taken as answered (the handler told the caller); `Unavailable` is tried again and then stops
the process; anything else is tried again, and dead-lettered after `Patience.attempts` failed attempts
across restarts.
"""

Work = Callable[[], Awaitable[None]]
"""Runs beside the handler for as long as the agent does (a sweeper); is cancelled at the end."""


class AgentSpec(NamedTuple):
    """An agent: its name (``arrivals``; the catalogue's), its topics, its handler."""

    name: str
    topics: Sequence[str]
    handle: Handler
    background: Sequence[Work] = ()
    handler_s: float | None = None
    """How long its handler may take, s, where that is another time than `Patience.handler_s`."""

    @property
    def app(self) -> str:
        """The id of its consuming app, Kafka's consumer group."""
        return app_of(self.name)


class Patience(NamedTuple):
    """How long is waited for what, s."""

    away_s: float = 20.0
    """How long an event is tried in place, all tries together, while something is `Unavailable`."""
    failing_s: float = 5.0
    """How long it is tried again in place when its handler fails in any other way."""
    handler_s: float = 20.0
    """How long a handler may take."""
    stop_s: float = 10.0
    """How long stopping may take; what is not done by then is done again after the restart."""
    session_s: float = 30.0
    """How long Kafka waits for a worker that is silent before another gets its partitions."""
    attempts: int = 5
    """Failed attempts, each of one life of the process, after which a message is dead-lettered."""


def app_of(agent: str) -> str:
    """Give the id of the app (the consumer group) of an agent."""
    return f"chips-{agent}"
