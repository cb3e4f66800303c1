"""Gives a message up: dead letter (durable), its key parked, in this order; then it may be acknowledged."""

from __future__ import annotations

import structlog

from agents.ledger import Ledger
from schemas.catalogue import dead_letters
from streams.bus import Producer, Record
from streams.clock import Clock
from streams.dead_letters import Reason, compose

log = structlog.get_logger()


class DeadLetters:
    """The dead-letter topic of one agent."""

    def __init__(self, agent: str, producer: Producer, ledger: Ledger, clock: Clock) -> None:
        self._agent = agent
        self._topic = dead_letters(agent).name
        self._producer = producer
        self._ledger = ledger
        self._clock = clock

    async def give_up(self, record: Record, reason: Reason, why: str, attempts: int = 1) -> None:
        """Send the dead letter and wait for it, then park the key.

        A crash in between sends the letter again, from the same place: whoever reads letters goes by that.
        """
        letter = compose(record, to=self._topic, reason=reason, why=why, attempts=attempts, at=self._clock())
        await self._producer.send(letter)
        if reason != "parked":
            await self._ledger.park(record)
        log.error(
            "agent.gave_up",
            agent=self._agent,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            why=why,
        )
