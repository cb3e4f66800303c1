"""The event store against a model: whatever is tried in whatever order, both say the same."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from streams.errors import Conflict
from streams.store.api import Appended, Store
from streams.store.memory.store import MemoryStore
from streams.store.sqlite.store import SqliteStore
from tests.contract.making import events, new_stream

STREAMS = [new_stream(category) for category in ("feed", "job", "series")]
A_STREAM = st.sampled_from(STREAMS)


class EventStoreMachine(RuleBasedStateMachine):
    """The model is a list a stream."""

    def opened(self) -> Store:
        return MemoryStore()

    def run(self, awaitable):
        return self.runner.run(awaitable)

    @initialize()
    def begin(self):
        self.runner = asyncio.Runner()
        self.store = self.opened()
        self.run(self.store.migrate())
        self.model = {stream: [] for stream in STREAMS}

    @rule(stream=A_STREAM, count=st.integers(1, 5))
    def append(self, stream, count):
        there = self.model[stream]
        given = events(stream, len(there), count)
        assert self.run(self.store.events.append(stream, len(there), given)) == Appended(
            len(there) + count, repeated=False
        )
        there.extend(given)

    @rule(stream=A_STREAM, expected=st.integers(0, 12), count=st.integers(1, 5))
    def append_from_anywhere(self, stream, expected, count):
        there = self.model[stream]
        given = events(stream, expected, count)
        try:
            self.run(self.store.events.append(stream, expected, given))
            conflict = None
        except Conflict as error:
            conflict = error
        if conflict is None:
            assert len(there) == expected
            there.extend(given)
        else:
            assert len(there) != expected
            assert conflict.actual == len(there)

    @rule(stream=A_STREAM, expected=st.integers(0, 12), count=st.integers(1, 5), new=st.integers(0, 2))
    def repeat(self, stream, expected, count, new):
        """Append again what is there, perhaps with something new behind it."""
        there = self.model[stream]
        old = there[expected : expected + count]
        given = old + events(stream, expected + len(old), new)
        if not old:
            return
        if not new:
            assert self.run(self.store.events.append(stream, expected, given)) == Appended(
                expected + len(old), repeated=True
            )
            return
        try:
            self.run(self.store.events.append(stream, expected, given))
        except Conflict:
            return
        raise AssertionError("a repeat that only overlaps was taken")

    @rule(stream=A_STREAM, after=st.integers(0, 15), limit=st.none() | st.integers(0, 6))
    def read(self, stream, after, limit):
        async def found():
            return [one async for one in self.store.events.read(stream, after=after, limit=limit)]

        end = None if limit is None else after + limit
        assert self.run(found()) == self.model[stream][after:end]

    @rule()
    def reopen(self):
        """What is acknowledged is there for who comes next."""

    @invariant()
    def versions_agree(self):
        if not hasattr(self, "model"):
            return
        for stream, there in self.model.items():
            assert self.run(self.store.events.version(stream)) == len(there)

    def teardown(self):
        if hasattr(self, "store"):
            self.run(self.store.close())
            self.runner.close()


class SqliteEventStoreMachine(EventStoreMachine):
    """The same on a file, which is closed and opened again now and then."""

    def opened(self) -> Store:
        if not hasattr(self, "folder"):
            self.folder = Path(tempfile.mkdtemp(prefix="chips-store-"))
        return SqliteStore(self.folder / "store.db")

    @rule()
    def reopen(self):
        self.run(self.store.close())
        self.store = self.opened()

    def teardown(self):
        super().teardown()
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]

TestMemoryEvents = EventStoreMachine.TestCase
TestMemoryEvents.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=CHECKS
)
TestSqliteEvents = SqliteEventStoreMachine.TestCase
TestSqliteEvents.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=CHECKS
)
