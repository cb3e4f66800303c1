"""Takes each guard away in a copy of the tree, and sees its test fail; no test, no guard.

    python -m tests.guards.switch_off [--kafka] [NAME…]

Embedded tier, unless ``--kafka``. Ends with status 1 when a test does not fail without its guard, and when
one fails with all guards on.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SUITE = "tests/integration/test_guards.py"
AT_ONCE = 2
WITHIN_S = "25"
"""How long a test waits for what must come, s; with all guards on it must come within that, too."""


class Guard(NamedTuple):
    """A guard: where it stands, what stands there without it, and the test that must see it."""

    name: str
    file: str
    on: str
    off: str
    test: str
    tiers: tuple[str, ...] = ("embedded", "kafka")


GUARDS = (
    Guard(
        "an event whose handler raised is not acknowledged",
        "agents/consume.py",
        "                await self._count(record, raised)\n",
        "                log.error('agent.failed', why=describe(raised))\n",
        "test_handler_raises",
    ),
    Guard(
        "failed attempts are counted across restarts",
        "agents/ledger.py",
        "        count = 1 + (int(found.body) if found else 0)\n",
        "        count = 1\n",
        "test_handler_raises",
    ),
    Guard(
        "the key of a dead letter is parked",
        "agents/dead_letters.py",
        '        if reason != "parked":\n            await self._ledger.park(record)\n',
        "",
        "test_poison",
    ),
    Guard(
        "a dead letter is sent before its message is acknowledged",
        "agents/dead_letters.py",
        "        await self._producer.send(letter)\n",
        "",
        "test_poison",
    ),
    Guard(
        "what is undecodable is poison",
        "agents/consume.py",
        "        except InvalidEvent as error:\n",
        "        except ZeroDivisionError as error:\n",
        "test_poison",
    ),
    Guard(
        "a message is acknowledged after its effect",
        "agents/consume.py",
        "            await self._settle(delivery.record)\n",
        "            delivery.acknowledge()\n            await self._settle(delivery.record)\n",
        "test_kill_mid_batch",
    ),
    Guard(
        "nothing is committed past what still runs (embedded)",
        "agents/transport/embedded.py",
        "class EmbeddedConsumer(StrictAcks, base.Consumer):",
        "class EmbeddedConsumer(base.Consumer):",
        "test_kill_mid_batch",
        ("embedded",),
    ),
    Guard(
        "nothing is committed past what still runs (Kafka)",
        "agents/transport/kafka.py",
        "class KafkaConsumer(StrictAcks, aiokafka.Consumer):",
        "class KafkaConsumer(aiokafka.Consumer):",
        "test_kill_mid_batch",
        ("kafka",),
    ),
    Guard(
        "a handler has a time limit",
        "agents/consume.py",
        "asyncio.timeout(self._patience.handler_s)",
        "asyncio.timeout(None)",
        "test_slow_handler",
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
    ),
    Guard(
        "a cancellation is not tried again",
        "agents/consume.py",
        "            if not isinstance(error, Exception):\n                return False",
        "            if not isinstance(error, Exception):\n                return True",
        "test_sigterm_mid_handler",
    ),
    Guard(
        "Faust does not acknowledge by itself",
        "agents/app.py",
        "stream.noack().events()",
        "stream.events()",
        "test_sigterm_mid_handler",
    ),
    Guard(
        "a refusal of the bus is no answer",
        "agents/judgement.py",
        "    if isinstance(error, Refused):\n",
        "    if isinstance(error, ZeroDivisionError):\n",
        "test_refused_send",
        ("embedded",),
    ),
    Guard(
        "a send waits until it is confirmed (embedded)",
        "streams/log/producer.py",
        "                return await done\n",
        "                return [Position(message.topic, 0, 0) for message in messages]\n",
        "test_refused_send",
        ("embedded",),
    ),
    Guard(
        "a send waits until it is confirmed (Kafka)",
        "streams/kafka/producer.py",
        "        return await done\n",
        "        return Position(message.topic, 0, 0)\n",
        "test_refused_send",
        ("kafka",),
    ),
    Guard(
        "an outage is not the message's fault",
        "agents/judgement.py",
        "        return Verdict.AWAY\n",
        "        return Verdict.FAILED\n",
        "test_database_away",
    ),
    Guard(
        "an outage stops the process",
        "agents/consume.py",
        "                raise raised\n",
        "                log.error('agent.away', why=describe(raised))\n",
        "test_database_away",
    ),
)


def copy_to(folder: Path) -> Path:
    """Copy what the tests need."""
    tree = folder / "tree"
    leave = shutil.ignore_patterns(
        "__pycache__", "node_modules", "static", "web", ".*", "data", "build", "dist"
    )
    shutil.copytree(ROOT, tree, ignore=leave, symlinks=True)
    return tree


def run(tree: Path, tier: str, tests: list[str]) -> tuple[int, str]:
    """Run tests of the suite in a copy; give pytest's status and output."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout=300"]
        + [f"{SUITE}::{test}[{tier}]" for test in tests],
        cwd=tree,
        env=os.environ
        | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "CHIPS_TEST_WITHIN_S": WITHIN_S},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def without(guard: Guard, tier: str) -> tuple[Guard, int, str, float]:
    """Run the guard's test without the guard."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_to(Path(folder))
        file = tree / guard.file
        text = file.read_text()
        assert text.count(guard.on) == 1, (
            f"{guard.name}: {guard.file} has changed; say here what the guard is now"
        )
        file.write_text(text.replace(guard.on, guard.off))
        status, output = run(tree, tier, [guard.test])
    return guard, status, output, time.monotonic() - began


def main() -> int:
    """Check all guards, or those whose name contains one of the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kafka", action="store_true", help="on real Kafka instead of the embedded bus")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    tier = "kafka" if arguments.kafka else "embedded"
    guards = [
        guard
        for guard in GUARDS
        if tier in guard.tiers
        and (not arguments.names or any(name in guard.name for name in arguments.names))
    ]
    with tempfile.TemporaryDirectory() as folder:
        status, output = run(copy_to(Path(folder)), tier, sorted({guard.test for guard in guards}))
    print(f"{'ok' if status == 0 else 'FAILED':8} all guards on", flush=True)
    if status != 0:
        print(output[-5000:])
        return 1
    bad = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for guard, ended, told, seconds in pool.map(lambda guard: without(guard, tier), guards):
            # 1: tests failed. Anything else would be a test that passed, or did not run.
            seen = ended == 1 and f"{guard.test}[{tier}]" in told
            bad += not seen
            print(
                f"{'seen' if seen else 'UNSEEN':8} {guard.name} ({guard.test}, {seconds:.0f} s)", flush=True
            )
            if not seen:
                print(told[-5000:])
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
