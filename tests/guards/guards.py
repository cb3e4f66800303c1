"""The guards of the consume loop and the transports, and how each is taken away."""

from __future__ import annotations

from typing import NamedTuple


class Guard(NamedTuple):
    """A guard: where it is, what is there without it, the test that must see it, and where it does."""

    name: str
    file: str
    on: str
    off: str
    test: str
    seen: str
    """Of the line at which the test fails, or of its message."""
    tiers: tuple[str, ...] = ("embedded", "kafka")


GUARDS = (
    Guard(
        "an event whose handler raised is not acknowledged",
        "agents/consume.py",
        "                await self._count(record, raised)\n",
        "                log.error('agent.failed', why=describe(raised))\n",
        "test_handler_raises",
        "all is committed, though it should have ended",
    ),
    Guard(
        "failed attempts are counted across restarts",
        "agents/ledger.py",
        "        count = 1 + (int(found.body) if found else 0)\n",
        "        count = 1\n",
        "test_handler_raises",
        "await worker.until_done(lives=3)",
    ),
    Guard(
        "the key of a dead letter is parked",
        "agents/dead_letters.py",
        '        if reason != "parked":\n            await self._ledger.park(record)\n',
        "",
        "test_poison",
        "letter.reason for offset, letter in letters.items()",
    ),
    Guard(
        "a dead letter is sent before its message is acknowledged",
        "agents/dead_letters.py",
        "        await self._producer.send(letter)\n",
        "",
        "test_poison",
        "letter.reason for offset, letter in letters.items()",
    ),
    Guard(
        "what is undecodable is poison",
        "agents/consume.py",
        "        except InvalidEvent as error:\n",
        "        except ZeroDivisionError as error:\n",
        "test_poison",
        "the worker ended with",
    ),
    Guard(
        "a message is acknowledged after its effect",
        "agents/consume.py",
        "            await self._settle(delivery.record)\n",
        "            delivery.acknowledge()\n            await self._settle(delivery.record)\n",
        "test_kill_mid_batch",
        "await worker.lag() in {-1, 31}",
    ),
    Guard(
        "nothing is committed past what still runs (embedded)",
        "agents/transport/embedded.py",
        "class EmbeddedConsumer(StrictAcks, base.Consumer):",
        "class EmbeddedConsumer(base.Consumer):",
        "test_kill_mid_batch",
        "await worker.lag() in {-1, 31}",
        ("embedded",),
    ),
    Guard(
        "nothing is committed past what still runs (Kafka)",
        "agents/transport/kafka.py",
        "class KafkaConsumer(StrictAcks, aiokafka.Consumer):",
        "class KafkaConsumer(aiokafka.Consumer):",
        "test_kill_mid_batch",
        "await worker.lag() in {-1, 31}",
        ("kafka",),
    ),
    Guard(
        "a handler has a time limit",
        "agents/consume.py",
        "asyncio.timeout(within)",
        "asyncio.timeout(None)",
        "test_slow_handler",
        "it did not end within 15 s",
    ),
    Guard(
        "what was cancelled is not acknowledged",
        "agents/consume.py",
        "            await self._settle(delivery.record)\n",
        "            try:\n"
        "                await self._settle(delivery.record)\n"
        "            finally:\n"
        "                delivery.acknowledge()\n",
        "test_sigterm_mid_handler",
        "await worker.lag() == 2",
    ),
    Guard(
        "a cancellation is not tried again",
        "agents/consume.py",
        "            if not isinstance(error, Exception):\n                return False",
        "            if not isinstance(error, Exception):\n                return True",
        "test_sigterm_mid_handler",
        'worker.lines().count("begin tidy 2 x") == 1',
    ),
    Guard(
        "Faust does not acknowledge by itself",
        "agents/app.py",
        "stream.noack().events()",
        "stream.events()",
        "test_sigterm_mid_handler",
        "await worker.lag() == 2",
    ),
    Guard(
        "a refusal of the bus is no answer",
        "agents/judgement.py",
        "    if isinstance(error, Refused):\n",
        "    if isinstance(error, ZeroDivisionError):\n",
        "test_refused_send",
        "all is committed, though it should have ended",
        ("embedded",),
    ),
    Guard(
        "a send waits until it is confirmed (embedded)",
        "streams/log/producer.py",
        "                return await done\n",
        "                return [Position(message.topic, 0, 0) for message in messages]\n",
        "test_refused_send",
        "all is committed, though it should have ended",
        ("embedded",),
    ),
    Guard(
        "a send waits until it is confirmed (Kafka)",
        "streams/kafka/producer.py",
        "        return await done\n",
        "        return Position(message.topic, 0, 0)\n",
        "test_refused_send",
        "all is committed, though it should have ended",
        ("kafka",),
    ),
    Guard(
        "an outage is not the message's fault",
        "agents/judgement.py",
        "        return Verdict.AWAY\n",
        "        return Verdict.FAILED\n",
        "test_database_away",
        "all is committed, though it should have ended",
    ),
    Guard(
        "an outage stops the process",
        "agents/consume.py",
        "                raise raised\n",
        "                log.error('agent.away', why=describe(raised))\n",
        "test_database_away",
        "all is committed, though it should have ended",
    ),
    Guard(
        "an outage of the whole store stops the process",
        "agents/consume.py",
        "                raise raised\n",
        "                log.error('agent.away', why=describe(raised))\n",
        "test_store_away",
        "all is committed, though it should have ended",
        # On Kafka the store would be a Cassandra of its own, for a line of code that is the same.
        ("embedded",),
    ),
)
