"""The one consume loop of all agents; knows nothing of Faust.

A message is acknowledged after its effect and publish, or after its dead letter. Messages of different keys
run side by side, those of one key in order: continuously, not batch by batch, so that a slow key holds up
no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import stamina
import structlog
from prometheus_client import CollectorRegistry

from agents.dead_letters import DeadLetters
from agents.judgement import TooSlow, Verdict, describe, frames, judge
from agents.keyed import Keyed
from agents.ledger import Ledger
from agents.metrics import Metrics, Outcome
from agents.spec import AgentSpec, Patience
from schemas.catalogue import decode
from schemas.envelope import Event, InvalidEvent
from streams.bus import Producer, Record
from streams.clock import Clock, utc_now
from streams.crashpoints import crashpoint
from streams.dead_letters import Reason, place
from streams.errors import Unavailable
from streams.store.api import Records

IN_FLIGHT = 64
"""Messages under way or waiting for one of their key, at a time."""

OUTCOMES: dict[Verdict, Outcome] = {
    Verdict.DONE: "rejected",
    Verdict.DEAD: "dead",
    Verdict.FAILED: "failed",
    Verdict.AWAY: "away",
}
"""How an event whose handler raised is counted."""

log = structlog.get_logger()


class Delivery(NamedTuple):
    """A message as the transport hands it out; `generation` changes with each assignment of partitions."""

    record: Record
    acknowledge: Callable[[], object]
    generation: int = 0


class ConsumeLoop:
    """Consumes for one agent."""

    def __init__(
        self,
        spec: AgentSpec,
        *,
        records: Records,
        producer: Producer,
        clock: Clock = utc_now,
        patience: Patience = Patience(),  # noqa: B008 - an immutable tuple
        metrics: Metrics | None = None,
    ) -> None:
        self._spec = spec
        self._ledger = Ledger(spec.name, records, clock)
        self._dead = DeadLetters(spec.name, producer, self._ledger, clock)
        self._patience = patience
        self._handler_s = patience.handler_s if spec.handler_s is None else spec.handler_s
        self._metrics = metrics or Metrics(CollectorRegistry())
        self._in_flight = self._metrics.in_flight(spec.name)
        self._keyed: Keyed[bytes | None, Delivery] = Keyed()
        self._room = asyncio.Semaphore(IN_FLIGHT)

    async def run(self, deliveries: AsyncIterator[Delivery]) -> None:
        """Consume until the deliveries end or a message cannot be done now.

        Raises
        ------
        streams.errors.Unavailable
            When a message is not done and not given up; nothing of it is acknowledged. Start again later.
        """
        failed: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as running:
                generation = None
                async for delivery in deliveries:
                    if delivery.generation != generation:
                        await self._ledger.load()
                        generation = delivery.generation
                    await self._room.acquire()
                    self._in_flight.inc()
                    key = delivery.record.key or None
                    if self._keyed.add(key, delivery):
                        running.create_task(self._run_key(key, delivery))
        except BaseExceptionGroup as failures:
            # The first tells; the others were cancelled by it, or fell with it.
            failed = failures.exceptions[0]
        if failed is not None:
            raise failed

    async def _run_key(self, key: bytes | None, first: Delivery) -> None:
        delivery: Delivery | None = first
        while delivery is not None:
            await self._settle(delivery.record)
            crashpoint(f"{self._spec.name}.after_effect_before_ack")
            delivery.acknowledge()
            self._room.release()
            self._in_flight.dec()
            delivery = self._keyed.done(key)

    async def _settle(self, record: Record) -> None:
        """Return when the message may be acknowledged."""
        if await self._ledger.is_parked(record.key):
            await self._give_up(record, "parked", "an earlier message of this key was given up", 0)
            return
        try:
            event = decode(record.value)
        except InvalidEvent as error:
            await self._give_up(record, "poison", describe(error), 0)
            return
        # Every line that the handler logs tells whose story it belongs to.
        with structlog.contextvars.bound_contextvars(correlationid=event.correlationid or event.id):
            await self._conclude(record, event, await self._measured(event))

    async def _conclude(self, record: Record, event: Event, raised: Exception | None) -> None:
        if raised is None:
            log.debug("agent.handled", agent=self._spec.name, event_id=event.id, type=event.type)
            return
        match judge(raised):
            case Verdict.DONE:
                log.info("agent.rejected", agent=self._spec.name, event_id=event.id, why=describe(raised))
            case Verdict.DEAD:
                await self._give_up(record, "poison", describe(raised))
            case Verdict.FAILED:
                await self._count(record, raised)
            case Verdict.AWAY:
                raise raised

    async def _give_up(self, record: Record, reason: Reason, why: str, attempts: int = 1) -> None:
        await self._dead.give_up(record, reason, why, attempts)
        self._metrics.given_up(self._spec.name, reason)

    async def _measured(self, event: Event) -> Exception | None:
        begun = asyncio.get_running_loop().time()
        try:
            raised = await self._handle(event)
        finally:
            self._metrics.waits_no_more(self._spec.name, event.id)
        outcome: Outcome = "done" if raised is None else OUTCOMES[judge(raised)]
        self._metrics.handled(self._spec.name, outcome, asyncio.get_running_loop().time() - begun)
        return raised

    async def _handle(self, event: Event) -> Exception | None:
        """Run the handler with patience; give what it raised at last."""
        loop = asyncio.get_running_loop()
        failing_until = loop.time() + self._patience.failing_s
        until = loop.time() + self._patience.away_s
        raised: Exception | None = None

        def again(error: BaseException) -> bool:
            nonlocal raised
            if not isinstance(error, Exception):
                return False  # stamina asks about a cancellation, too: that is not to be tried again
            raised = error
            verdict = judge(error)
            if verdict is Verdict.AWAY:
                self._metrics.waits(self._spec.name, event.id)
            return verdict is Verdict.AWAY or (verdict is Verdict.FAILED and loop.time() < failing_until)

        try:
            async for attempt in stamina.retry_context(
                on=again,
                attempts=None,
                timeout=self._patience.away_s,
                wait_initial=0.05,
                wait_max=2.0,
                wait_jitter=0.05,
            ):
                with attempt:
                    await self._try(event, until, raised)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is judged, none is lost
            return error
        return None

    async def _try(self, event: Event, until: float, before: Exception | None) -> None:
        """Try once; a new try has what is left until then, and without an answer by then the last one counts.

        So that a message is held for `away_s` or the handler's time, whichever is longer, not for their sum.
        """
        within = self._handler_s
        if before is not None:
            within = min(within, until - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(within) as limit:
                await self._spec.handle(event)
        except TimeoutError as error:
            if not limit.expired():
                raise
            if before is not None and within < self._handler_s:
                raise before from None
            raise TooSlow(f"took longer than {self._handler_s:g} s") from error

    async def _count(self, record: Record, failure: Exception) -> None:
        where = place(record.topic, record.partition, record.offset)
        count = await self._ledger.count_failure(record)
        log.error(
            "agent.failed",
            agent=self._spec.name,
            at=where,
            why=describe(failure),
            attempt=count,
            trace=frames(failure),
        )
        if count < self._patience.attempts:
            # Without its cause: whoever logs it would log the cause's text, which could quote a value.
            raise Unavailable(
                f"{self._spec.name} failed at {where} ({describe(failure)}): attempt {count} of "
                f"{self._patience.attempts}; it is tried again after the restart"
            ) from None
        await self._give_up(record, "failed", describe(failure), count)
        await self._ledger.forget_failures(record)
