"""Dead letters: reading them, and letting a parked key go on from where it stopped.

A letter names its place in the dead-letter topic: ``agent/partition/offset``. Releasing sends everything
that waits behind the same key, in its order, and remembers what was sent, for the topic can't forget it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import NamedTuple

import msgspec

from schemas.catalogue import AGENTS, dead_letters
from streams.bus import Producer, Tail
from streams.dead_letters import Letter, Parked, parked_kind, place, read
from streams.errors import Rejected
from streams.replay.tailing import to_the_end
from streams.store.api import Records

REMEMBERED_S = 30 * 24 * 3600
"""How long a release is remembered, s: as long as a dead-letter topic keeps its messages."""

NO_KEY = "-"


class Found(NamedTuple):
    """A dead letter; `released` when it was sent again."""

    name: str
    agent: str
    letter: Letter
    released: bool


class ParkedKey(NamedTuple):
    """A key of which nothing is handled until it is released."""

    agent: str
    key: str
    parked: Parked


async def letters(
    tail: Tail, records: Records, agents: Sequence[str] = tuple(AGENTS)
) -> AsyncIterator[Found]:
    """Yield dead letters, each original message once, in the order in which they died.

    Raises
    ------
    streams.errors.Unavailable
        When bus or store are away.
    """
    for agent in agents:
        seen: set[str] = set()
        async with aclosing(to_the_end(tail, [dead_letters(agent).name])) as there:
            async for record in there:
                try:
                    letter = read(record)
                except ValueError:
                    continue  # not written by the loop; `replay tail` shows it
                origin = place(letter.topic, letter.partition, letter.offset)
                if origin in seen:
                    continue  # a crash between letter and acknowledgement wrote it again
                seen.add(origin)
                at = f"{record.partition}/{record.offset}"
                released = await records.get(_released_kind(agent), at) is not None
                yield Found(f"{agent}/{at}", agent, letter, released)


async def parked_keys(records: Records, agents: Sequence[str] = tuple(AGENTS)) -> list[ParkedKey]:
    """Give the parked keys of agents."""
    return [
        ParkedKey(agent, stored.key, msgspec.json.decode(stored.body, type=Parked))
        for agent in agents
        for stored in await records.list(parked_kind(agent))
    ]


async def show(tail: Tail, records: Records, name: str) -> Found:
    """Give one letter.

    Raises
    ------
    streams.errors.Rejected
        When there is no such letter.
    """
    async for found in letters(tail, records, [_agent_of(name)]):
        if found.name == name:
            return found
    raise Rejected(f"There is no dead letter {name}: `chips replay dlq list` names those that are kept.")


async def release(tail: Tail, producer: Producer, records: Records, name: str) -> list[Found]:
    """Send a letter and all that waits behind its key to where they came from; give what was sent.

    The key is let go first: else its consumer would send the messages straight back. Those that come
    meanwhile may overtake the released ones; consumers take any order of what was at rest so long.

    Raises
    ------
    streams.errors.Rejected
        When there is no such letter, or it was released before.
    streams.errors.Unavailable
        When bus or store are away; release again, twice does no harm.
    """
    chosen = await show(tail, records, name)
    if chosen.released:
        raise Rejected(f"Dead letter {name} was released already: if it died again it has a new name.")
    key = chosen.letter.original.key
    waiting = [chosen]
    if key != NO_KEY:
        waiting = [
            found
            async for found in letters(tail, records, [chosen.agent])
            if not found.released and found.letter.original.key == key
        ]
        await records.delete(parked_kind(chosen.agent), key)
    for found in waiting:
        await producer.send(found.letter.original)
        at = found.name.removeprefix(f"{found.agent}/")
        await records.put(_released_kind(found.agent), at, b"1", ttl_s=REMEMBERED_S)
    return waiting


def _agent_of(name: str) -> str:
    agent = name.partition("/")[0]
    if agent not in AGENTS:
        raise Rejected(
            f"{name} does not begin with an agent ({', '.join(AGENTS)}): write agent/partition/offset"
        )
    return agent


def _released_kind(agent: str) -> str:
    return f"released:{agent}"
