"""Asks bus and store what waits, what was given up, and what they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec

from deploy.status.report import MOST_JOBS, MOST_LETTERS, Agent, Format, Jobs
from schemas.catalogue import AGENTS, CONSUMES
from streams.bus import Tail
from streams.errors import Refused
from streams.kafka.about import about_kafka
from streams.opening import is_embedded, open_admin, open_tail
from streams.replay import dead_letters
from streams.settings import Settings
from streams.store.api import Store
from streams.store.opening import open_store
from streams.store.stamp import FORMAT, KEY, KIND, Stamp


async def lag(settings: Settings) -> dict[str, dict[str, int]]:
    """Give what waits for each agent, by topic; nothing for one whose topics are not to be seen from here.

    Raises
    ------
    streams.errors.Unavailable
        When the bus does not answer.
    """
    admin = open_admin(settings)
    try:
        found: dict[str, dict[str, int]] = {}
        for agent, zone in AGENTS.items():
            topics = found.setdefault(agent, {})
            with _inner_may_refuse(zone):
                for (topic, _), behind in (await admin.lag(f"chips-{agent}", CONSUMES[agent])).items():
                    topics[topic] = topics.get(topic, 0) + behind
        return found
    finally:
        await admin.close()


async def given_up(settings: Settings) -> dict[str, Agent]:
    """Count the dead letters of each agent that were not released, and its parked keys.

    Raises
    ------
    streams.errors.Unavailable
        When bus or store do not answer.
    """
    async with _store(settings) as store:
        await store.check()
        tail = open_tail(settings)
        try:
            found = {}
            for agent, zone in AGENTS.items():
                letters: int | None = None
                with _inner_may_refuse(zone):
                    letters = await _letters(tail, store, agent)
                parked = len(await dead_letters.parked_keys(store.records, [agent]))
                found[agent] = Agent(name=agent, letters=letters, parked=parked)
            return found
        finally:
            await tail.close()


async def _letters(tail: Tail, store: Store, agent: str) -> int:
    count = 0
    async for letter in dead_letters.letters(tail, store.records, [agent]):
        count += not letter.released
        if count >= MOST_LETTERS:
            break
    return count


@contextmanager
def _inner_may_refuse(zone: str) -> Iterator[None]:
    """Let inner topics refuse who stands outside: that is no trouble, and their figures stay unknown."""
    try:
        yield
    except Refused:
        if zone == "outer":
            raise


async def jobs(settings: Settings) -> Jobs:
    """Count open jobs.

    Raises
    ------
    streams.errors.Unavailable
        When the store does not answer.
    """
    async with _store(settings) as store:
        await store.check()
        found = await store.jobs.list(MOST_JOBS)
        return Jobs(open=len(found), oldest=found[0].opened if found else None)


async def data_format(settings: Settings) -> Format:
    """Read the store's stamp, also a newer one.

    Raises
    ------
    streams.errors.Unavailable
        When the store does not answer, or has no tables.
    """
    async with _store(settings) as store:
        found = await store.records.get(KIND, KEY)
        if found is None:
            return Format(found=None, ours=FORMAT)
        stamp = msgspec.json.decode(found.body, type=Stamp)
        return Format(found=stamp.format, ours=FORMAT, written_by=stamp.written_by)


async def versions(settings: Settings) -> dict[str, str]:
    """Give the versions of real engines.

    Raises
    ------
    streams.errors.Unavailable
        When one does not answer.
    """
    found = {}
    if not is_embedded(settings):
        found["Kafka"] = await about_kafka(settings)
    if settings.store_url.startswith("cassandra:"):
        # Its driver takes a quarter of a second to import, which the embedded tier need not spend.
        from streams.store.cassandra.connecting import release_version  # noqa: PLC0415 - see above

        found["Cassandra"] = await release_version(settings)
    return found


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[Store]:
    store = await open_store(settings)
    try:
        yield store
    finally:
        await store.close()
