"""Loading a stream's state, deciding on it and appending what was decided: the way of every aggregate.

An adapter over the event store; what is decided is the aggregate's business. States are cached in memory and
caught up from the store at each load, so that another writer's events are seen; the snapshot is a cache too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

import msgspec

from schemas.envelope import Event
from schemas.make import derived
from streams.aggregates.handled import Handled
from streams.clock import Clock
from streams.errors import Conflict
from streams.store.api import MAX_APPEND, EventStore

TRIES = 5
"""How often a decision is made anew when another writer was first."""


class State(Protocol):
    """What the state of any aggregate tells."""

    @property
    def version(self) -> int:
        """Version of the stream."""
        ...

    @property
    def handled(self) -> Handled:
        """Causes that took effect."""
        ...


S = TypeVar("S", bound=State)


class Aggregate(NamedTuple, Generic[S]):
    """What a history needs to know of an aggregate; `schema` numbers the layout of its snapshots."""

    empty: S
    evolve: Callable[[S, Event], S]
    schema: int


class Taken(NamedTuple, Generic[S]):
    """State after a cause took effect, and the events it made, now or when it was handled before."""

    state: S
    events: Sequence[Event]


class Histories(Generic[S]):
    """Streams of one kind of aggregate.

    Parameters
    ----------
    consumer
        Who appends: the source of the events.
    cached
        States kept in memory.
    snapshot_every
        Events between two snapshots.
    """

    def __init__(
        self,
        events: EventStore,
        aggregate: Aggregate[S],
        *,
        consumer: str,
        clock: Clock,
        cached: int = 512,
        snapshot_every: int = 100,
    ) -> None:
        self._events = events
        self._aggregate = aggregate
        self._consumer = consumer
        self._clock = clock
        self._cached = cached
        self._every = snapshot_every
        self._states: OrderedDict[str, S] = OrderedDict()

    async def load(self, stream: str) -> S:
        """Give the state of a stream as the store has it now."""
        state = self._states.get(stream) or await self._snapshot(stream)
        async for event in self._events.read(stream, after=state.version):
            state = self._aggregate.evolve(state, event)
        self._keep(stream, state)
        return state

    async def take(
        self, cause: Event, stream: str, decide: Callable[[S], Sequence[msgspec.Struct]]
    ) -> Taken[S]:
        """Let a cause take effect once: load, decide, append.

        A cause that is known to be handled gives the events that it made, so that they are published again.

        Raises
        ------
        streams.errors.Rejected
            Whatever `decide` raises.
        streams.errors.Conflict
            When other writers were first `TRIES` times.
        streams.errors.Unavailable
            When the store is away.
        """
        for attempt in range(1, TRIES + 1):
            state = await self.load(stream)
            handled_at = state.handled.version_of(cause.id)
            if handled_at is not None:
                return Taken(state, await self._caused(stream, cause.id, handled_at))
            made = self._made(cause, stream, state.version, decide(state))
            if not made:
                return Taken(state, [])
            try:
                appended = await self._events.append(stream, state.version, made)
            except Conflict:
                if attempt == TRIES:
                    raise
                continue
            if appended.repeated:  # what is stored is what must be published
                state = await self.load(stream)
                return Taken(state, await self._caused(stream, cause.id, appended.version))
            return Taken(await self._after(stream, state, made), made)
        raise AssertionError("unreachable: the last try returned or raised")

    def _made(
        self, cause: Event, stream: str, version: int, decided: Sequence[msgspec.Struct]
    ) -> list[Event]:
        recorded = self._clock()
        return [
            derived(
                data,
                cause=cause,
                consumer=self._consumer,
                subject=stream,
                recorded=recorded,
                index=index,
                version=version + 1 + index,
            )
            for index, data in enumerate(decided)
        ]

    async def _after(self, stream: str, state: S, made: Sequence[Event]) -> S:
        before = state.version
        for event in made:
            state = self._aggregate.evolve(state, event)
        self._keep(stream, state)
        if state.version // self._every > before // self._every:
            body = msgspec.json.encode(state)
            await self._events.save_snapshot(stream, state.version, self._aggregate.schema, body)
        return state

    async def _snapshot(self, stream: str) -> S:
        found = await self._events.load_snapshot(stream, self._aggregate.schema)
        if found is None:
            return self._aggregate.empty
        return msgspec.json.decode(found[1], type=type(self._aggregate.empty))

    async def _caused(self, stream: str, cause: str, version: int) -> list[Event]:
        after = max(0, version - MAX_APPEND)
        return [
            event
            async for event in self._events.read(stream, after=after, limit=MAX_APPEND)
            if event.causationid == cause
        ]

    def _keep(self, stream: str, state: S) -> None:
        self._states[stream] = state
        self._states.move_to_end(stream)
        while len(self._states) > self._cached:
            self._states.popitem(last=False)
