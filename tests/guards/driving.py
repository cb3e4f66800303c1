"""Drives a worker from outside: starts, kills and restarts it as a supervisor does; looks at what it left."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from schemas.envelope import encode
from schemas.feed import CommentPosted
from schemas.make import first
from streams.bus import Message
from streams.dead_letters import Letter, read
from streams.opening import open_admin, open_producer, open_tail
from streams.store.opening import open_store
from tests.buses import Bus, all_of

ROOT = Path(__file__).parents[2]
WITHIN_S = float(os.environ.get("CHIPS_TEST_WITHIN_S", "60"))
"""How long is waited for what must come, s; it comes in seconds unless the machine is busy."""

QUICK = {"away_s": 0.5, "failing_s": 0.2, "handler_s": 3.0, "stop_s": 5.0, "session_s": 6.0, "attempts": 3}


def event(text: str, key: str) -> bytes:
    data = CommentPosted(comment=str(uuid.uuid4()), text=text)
    return encode(
        first(
            data,
            event_id=str(uuid.uuid4()),
            source="/chips/test",
            subject="feed/p/f",
            time=datetime.now(UTC),
            partitionkey=key,
        )
    )


@dataclass
class Worker:
    """One agent on a bus of the test's own; its store is SQLite."""

    bus: Bus
    folder: Path
    patience: dict[str, float] = field(default_factory=dict)
    # One partition: messages of different keys share a commit position, which is what can go wrong.
    partitions: int = 1
    lives: int = 0
    process: subprocess.Popen[bytes] | None = None

    async def prepare(self) -> None:
        self.input = self.bus.topic("in", partitions=self.partitions)
        self.out = self.bus.topic("out", partitions=1)
        self.dead = msgspec.structs.replace(self.out, name=f"chips.dlq.{self.bus.prefix}.v1")
        await self.bus.make(self.input, self.out, self.dead)
        store = await open_store(self.bus.settings)
        await store.migrate()
        await store.close()
        self.journal = self.folder / "journal"
        self.journal.touch()
        self.gate = self.folder / "gate"

    async def tell(self, *texts: str, raw: bytes | None = None) -> None:
        """Send events, ``KEY: text``, or raw bytes under a key."""
        producer = open_producer(self.bus.settings)
        for text in texts:
            key, _, what = text.partition(": ")
            await producer.send(Message(self.input.name, key, event(what, key) if raw is None else raw))
        await producer.close()

    def start(self) -> None:
        job = {
            "settings": {name: getattr(self.bus.settings, name) for name in ("data", "bus", "store")},
            "agent": self.bus.prefix,
            "topic": self.input.name,
            "out": self.out.name,
            "journal": str(self.journal),
            "gate": str(self.gate),
            "patience": QUICK | self.patience,
        }
        self.lives += 1
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/guards/worker.py"), json.dumps(job)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=(self.folder / "stderr").open("ab"),
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def terminate(self) -> float:
        """Ask it to stop; give how long that took, s."""
        asked = time.monotonic()
        self.process.terminate()
        self.process.wait(WITHIN_S)
        return time.monotonic() - asked

    async def ended(self, within_s: float = WITHIN_S) -> int:
        """Wait for its end, which is expected with a message undone; give its status."""
        deadline = time.monotonic() + within_s
        while (status := self.process.poll()) is None:
            assert await self.lag() != 0, f"all is committed, though it should have ended\n{self.told()}"
            assert time.monotonic() < deadline, f"it did not end within {within_s:g} s\n{self.told()}"
            await asyncio.sleep(0.1)
        return status

    def told(self) -> str:
        """Give what is to be read when something did not come to pass."""
        return f"{self.journal.read_text()}\n{(self.folder / 'stderr').read_text()[-3000:]}"

    def lines(self) -> list[str]:
        return self.journal.read_text().splitlines()

    def until(self, condition: Callable[[], bool], *, restart: bool = False) -> None:
        """Wait for a condition, starting the process again when it ended, as a supervisor does."""
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            ended = self.process.poll() is not None
            if ended and restart:
                self.start()
            assert not ended or restart, f"the worker ended with {self.process.returncode}\n{self.told()}"
            assert time.monotonic() < deadline, f"it did not come to pass\n{self.told()}"
            time.sleep(0.02)

    def until_line(self, line: str, times: int = 1, *, restart: bool = False) -> None:
        self.until(lambda: self.lines().count(line) >= times, restart=restart)

    async def until_done(self, partition: int = 0, *, lives: int = 20) -> None:
        """Wait until all is committed, starting the process again when it ended, up to so many lives."""
        deadline = time.monotonic() + WITHIN_S
        while (lag := await self.lag(partition)) != 0:
            if self.process.poll() is not None:
                assert self.lives < lives, f"the lag is {lag} after {lives} lives\n{self.told()}"
                self.start()
            assert time.monotonic() < deadline, f"the lag stays {lag}\n{self.told()}"
            await asyncio.sleep(0.1)

    async def lag(self, partition: int = 0) -> int:
        """Count what is not committed; -1 before the first commit."""
        admin = open_admin(self.bus.settings)
        try:
            found = await admin.lag(f"chips-{self.bus.prefix}")
        finally:
            await admin.close()
        return found.get((self.input.name, partition), -1)

    async def published(self) -> list[str]:
        tail = open_tail(self.bus.settings)
        found = [record.value.decode() async for record in all_of(tail, [self.out.name])]
        await tail.close()
        return found

    async def letters(self) -> list[Letter]:
        tail = open_tail(self.bus.settings)
        found = [read(record) async for record in all_of(tail, [self.dead.name])]
        await tail.close()
        return found

    async def effects(self) -> list[str]:
        store = await open_store(self.bus.settings)
        found = [fact.key for fact in await store.facts.all("p", "stored", "s")]
        await store.close()
        return found


@contextlib.asynccontextmanager
async def worker_on(bus: Bus, folder: Path, *, partitions: int = 1, **patience: float):
    """Give a prepared worker; it is killed in the end, if it runs."""
    worker = Worker(bus, folder, patience, partitions)
    await worker.prepare()
    try:
        yield worker
    finally:
        if worker.process and worker.process.poll() is None:
            worker.kill()
