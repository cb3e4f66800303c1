"""Runs agents: a Faust app for each, with the guards that keep its messages safe.

One app an agent, so that each has its own consumer group: its own place in the topics, its own lag, and no
rebalance because of another. `chips up` runs each in a process of its own, so that one that crashes, or is
slow, takes nothing with it; several may share a process and then stop together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

import faust
import structlog
from faust.exceptions import ImproperlyConfigured
from mode import CrashingSupervisor
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from agents.consume import ConsumeLoop, Delivery
from agents.judgement import describe
from agents.metrics import Metrics
from agents.spec import AgentSpec, Patience, Work
from agents.transport.embedded import EmbeddedTransport
from agents.transport.kafka import KafkaTransport
from streams.bus import Producer, Record
from streams.clock import Clock, utc_now
from streams.errors import Rejected, Unavailable
from streams.kafka.connection import Connection
from streams.limits import MAX_DEAD_LETTER_BYTES
from streams.opening import directory_of, is_embedded, open_tail
from streams.settings import Settings
from streams.store.api import Records

COMMIT_S = 1.0
"""How often positions are committed, s: what a killed process had done since is done again."""

log = structlog.get_logger()


class AgentApp(faust.App):
    """A Faust app that makes no folders."""

    def _create_directories(self) -> None:
        """Make none: there are no tables to keep in them."""


def build_app(settings: Settings, spec: AgentSpec, loop: ConsumeLoop, patience: Patience) -> AgentApp:
    """Make the Faust app of an agent. Must be called in the event loop that runs it.

    Raises
    ------
    streams.errors.Rejected
        When the settings name no bus, or credentials that cannot be read.
    """
    embedded = is_embedded(settings)
    connection = None if embedded else Connection.of(settings)
    app = AgentApp(
        spec.app,
        broker="embedded://bus" if connection is None else _brokers(connection),
        broker_credentials=connection and _credentials(connection),
        # Nothing of Faust's own state: truth lies in the store (recovery races, changelogs, files).
        store="memory://",
        cache="memory://",
        topic_disable_leader=True,
        topic_allow_declare=False,
        table_standby_replicas=0,
        web_enabled=False,
        # Raw bytes: an undecodable message would be acknowledged, and then crash the agent.
        key_serializer="raw",
        value_serializer="raw",
        # A failed agent ends the process: Faust's own supervisor would go on behind the failed message.
        agent_supervisor=CrashingSupervisor,
        # What runs when partitions move or the worker stops is not waited for: it is not acknowledged.
        stream_wait_empty=False,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=2 * MAX_DEAD_LETTER_BYTES,
        producer_max_request_size=MAX_DEAD_LETTER_BYTES,
        stream_buffer_maxsize=64,
        broker_max_poll_records=100,
        broker_commit_interval=COMMIT_S,
        broker_session_timeout=patience.session_s,
        broker_heartbeat_interval=patience.session_s / 10,
        broker_request_timeout=40.0,
        broker_rebalance_timeout=60.0,
        broker_max_poll_interval=1000.0,
    )
    if connection is None:
        app.transport = EmbeddedTransport(app.conf.broker_consumer, app, directory=directory_of(settings))
    else:
        app.transport = KafkaTransport(app.conf.broker_consumer, app)

    async def consume(stream: Any) -> None:
        async with aclosing(_deliveries(stream)) as deliveries:
            await loop.run(deliveries)

    topic = app.topic(*spec.topics, key_serializer="raw", value_serializer="raw")
    app.agent(topic, name=spec.name, concurrency=1)(consume)
    return app


async def run_agents(
    settings: Settings,
    specs: Sequence[AgentSpec],
    *,
    records: Records,
    producer: Producer,
    stop: asyncio.Event,
    on_ready: Callable[[], None] | None = None,
    clock: Clock = utc_now,
    patience: Patience = Patience(),  # noqa: B008 - an immutable tuple
    metrics: Metrics | None = None,
) -> None:
    """Run agents until `stop` is set; what is not done by then is not acknowledged.

    Parameters
    ----------
    records
        Where parked keys and failed attempts are remembered: ``store.records``.
    on_ready
        Called once, when all consume.
    metrics
        What is counted, when anybody looks.

    Raises
    ------
    streams.errors.Unavailable
        When an event could not be handled now, or the bus is away: start again, with back-off.
    streams.errors.Rejected
        When the settings are wrong, a topic is missing, or another worker consumes already.
    """
    # stamina's own logs the error with its text, which could quote a value.
    set_on_retry_hooks([_log_retry])
    await _check_topics(settings, specs)
    ready = [asyncio.Event() for _ in specs]
    ending = asyncio.Event()
    apps: list[Coroutine[Any, Any, None]] = []
    for spec, consuming in zip(specs, ready, strict=True):
        loop = ConsumeLoop(
            spec, records=records, producer=producer, clock=clock, patience=patience, metrics=metrics
        )
        app = build_app(settings, spec, loop, patience)
        apps.append(_run_app(app, consuming, ending, patience.stop_s))
    consumers = [asyncio.create_task(app) for app in apps]
    sweepers = [asyncio.create_task(_run_work(work)) for spec in specs for work in spec.background]
    stopping = asyncio.create_task(stop.wait())
    announcing = asyncio.create_task(_announce(ready, on_ready))
    try:
        await asyncio.wait({*consumers, *sweepers, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.set()
        for task in (announcing, stopping, *sweepers):
            task.cancel()
        ended = await asyncio.gather(*consumers, *sweepers, announcing, stopping, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise _family(outcome)


async def _check_topics(settings: Settings, specs: Sequence[AgentSpec]) -> None:
    """Say at once that a topic is missing: a Kafka consumer would wait for it in silence."""
    tail = open_tail(settings)
    try:
        await tail.ends(sorted({topic for spec in specs for topic in spec.topics}))
    finally:
        await tail.close()


async def _run_app(app: AgentApp, consuming: asyncio.Event, ending: asyncio.Event, stop_s: float) -> None:
    starting = asyncio.create_task(app.start())
    # Done when the app crashed, for which it needs nobody to await it.
    crashing = asyncio.create_task(app.wait())
    told = asyncio.create_task(ending.wait())
    try:
        await asyncio.wait({starting, crashing, told}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done() and not starting.exception() and not app.crashed:
            consuming.set()
            await asyncio.wait({crashing, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        try:
            async with asyncio.timeout(stop_s):
                await app.stop()
        except TimeoutError:
            log.warning("agent.stop_slow", app=app.conf.id)
        for task in (starting, crashing, told):
            task.cancel()
        ended = await asyncio.gather(starting, crashing, told, return_exceptions=True)
    for outcome in (app.crash_reason, *ended):
        if isinstance(outcome, Exception):
            raise outcome


async def _run_work(work: Work) -> None:
    await work()
    raise Unavailable("Work that runs beside an agent has ended: it should run for as long as the agent does")


async def _announce(ready: Sequence[asyncio.Event], on_ready: Callable[[], None] | None) -> None:
    for event in ready:
        await event.wait()
    if on_ready:
        on_ready()


async def _deliveries(stream: Any) -> AsyncGenerator[Delivery]:
    async for event in stream.noack().events():
        message = event.message
        record = Record(
            message.topic,
            message.partition,
            message.offset,
            int(message.timestamp * 1000),
            message.key,
            message.value or b"",
            tuple(message.headers or ()),
        )
        yield Delivery(record, event.ack, message.generation_id)


def _log_retry(details: RetryDetails) -> None:
    log.warning(
        "agent.retry", why=describe(details.caused_by), retry=details.retry_num, in_s=details.wait_for
    )


def _family(error: Exception) -> Exception:
    """Give what the process ends with: a wrong setting, or something to be tried again."""
    if isinstance(error, (Rejected, Unavailable)):
        return error
    family = Rejected if isinstance(error, ImproperlyConfigured) else Unavailable
    wrapped = family(f"The worker stopped: {error if family is Rejected else describe(error)}")
    wrapped.__cause__ = error
    return wrapped


def _brokers(connection: Connection) -> list[str]:
    return [f"kafka://{broker}" for broker in connection.bootstrap.split(",")]


def _credentials(connection: Connection) -> Any:
    context = connection.ssl_context()
    if connection.credentials:
        return faust.SASLCredentials(
            username=connection.credentials.username,
            password=connection.credentials.password,
            mechanism=connection.mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context else None
