"""``python -m tests.bench [NAME…]``: measure, print, and write ``docs/benchmarks.md`` when all was measured.

Engines are of ``CHIPS_TEST_ENGINES`` when that is set, else started and stopped here. Nothing is asserted
about a figure.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
from datetime import UTC, datetime
from types import ModuleType

import structlog

from tests.bench import bench_bus, bench_ingest, bench_live, bench_store, machine
from tests.engines.run import TestRun

BENCHES: dict[str, ModuleType] = {
    "ingest": bench_ingest,
    "bus": bench_bus,
    "store": bench_store,
    "live": bench_live,
}
DOCUMENT = machine.ROOT / "docs" / "benchmarks.md"

INTRODUCTION = """# Measured

Written by `make bench`. These are figures of one run on one machine; they say what to expect and where time
goes, and no test depends on them. Everything, engines, senders and browser included, ran on this machine.
Rates are the median of three rounds, with the lowest and highest in brackets; p50 and p95 are nearest-rank.
"""

LIMITS = """## What limits

What the tables show, and, marked as such, what is only supposed: nothing here was profiled.

- **Receiving**: each success waits until image and journal entry are synced, and the gateway spends more
  of the processor on an image than a plain receiver does (hashing, journal, publishing: supposed).
- **The consume loop on Kafka and Cassandra**: the append; compare its rows with and without. It is a
  lightweight transaction (Paxos), which writes several times. Supposed: with `commitlog_sync: batch` these
  wait for the disk (one node holds the only copy, so no answered write may be lost in a power cut), and the
  node shares its processors with Kafka and the loop. No other setting was measured beside it.
- **Rebuilding on Cassandra**: the rows written. `timeline` has one for each event, `card` and `feed` one for
  each feed.
- **The consume loop on embedded engines**: bare Faust hands messages on as they are; ours decodes and checks
  each and keeps the order of its key.
- **Settled to measured**: supposed: for small series the start of the step, for each job
  imports its imaging libraries in a fresh container or subprocess.
"""


def section(bench: ModuleType) -> str:
    """Measure with one bench and give its section."""
    began = time.perf_counter()
    rows = bench.measure()
    took = time.perf_counter() - began
    text = f"## {bench.TITLE}\n\n{bench.ABOUT}\n\n{bench.markdown(rows)}\n\nTook {took:.0f} s.\n"
    print(text, flush=True)
    return text


def surroundings(shares: list[float]) -> str:
    """Say on what, with what and when."""
    return "\n".join(
        f"- {name}: {said}"
        for name, said in {
            "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "Commit": machine.commit(),
            "Machine": machine.processor(),
            "System": machine.system(),
            "Disk": f"an appended 4 KiB with fsync takes {machine.sync_ms():.2f} ms (median)",
            "Load": machine.shared(shares),
            "Versions": machine.versions(),
        }.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}; all when none is given"
    )
    names = parser.parse_args().names or list(BENCHES)
    if unknown := set(names) - set(BENCHES):
        parser.error(f"no bench {', '.join(sorted(unknown))}: choose of {', '.join(BENCHES)}")
    logging.basicConfig(level=logging.ERROR)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("error"))
    # Ended from outside, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    run = TestRun()
    try:
        shares, sections = [], []
        for name in names:
            shares.append(machine.share_of_a_core())
            sections.append(section(BENCHES[name]))
        where = surroundings(shares)
        print(where, flush=True)
    finally:
        run.end()
    if set(names) == set(BENCHES):
        DOCUMENT.write_text("\n".join([INTRODUCTION, f"{where}\n", *sections, LIMITS]))
        print(f"Written: {DOCUMENT.relative_to(machine.ROOT)}")


if __name__ == "__main__":
    main()
