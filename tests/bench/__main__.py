"""``python -m tests.bench [NAME…]``: measure, print, and write ``docs/benchmarks.md`` when all was measured.

Engines are of ``CHIPS_TEST_ENGINES`` when that is set, else started and stopped here (the bench `live` always
has its own). Nothing is asserted about a figure. ``--small`` measures little, to see that the benches work;
its figures mean nothing and are not written.
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

from tests.bench import (
    bench_anonymize,
    bench_bus,
    bench_ingest,
    bench_live,
    bench_pixels,
    bench_soak,
    bench_store,
    bench_text,
    machine,
)
from tests.engines.run import TestRun

# In this order engines run only beside what uses them: the first five use none, `live` ends its own, and the
# rest share a pair.
BENCHES: dict[str, ModuleType] = {
    "ingest": bench_ingest,
    "soak": bench_soak,
    "anonymize": bench_anonymize,
    "text": bench_text,
    "pixels": bench_pixels,
    "live": bench_live,
    "bus": bench_bus,
    "store": bench_store,
}
SMALL: dict[str, dict[str, int]] = {
    "ingest": {"rounds": 1, "images": 8, "slices": 8, "frames": 2},
    "soak": {"images": 40},
    "anonymize": {"rounds": 1, "files": 8, "few": 2},
    "text": {"rounds": 1, "values": 40},
    "pixels": {"cases": 1},
    "live": {"studies": 1},
    "bus": {"rounds": 1, "messages": 200},
    "store": {"rounds": 1, "count": 128},
}
DOCUMENT = machine.ROOT / "docs" / "benchmarks.md"

INTRODUCTION = """# Measured

Written by `make bench`. These are figures of one run on one machine; they say what to expect and where time
goes, and no test depends on them. Everything, engines, senders and browser included, ran on this machine.
Rates are the median of three rounds, with the lowest and highest in brackets.
"""


def section(bench: ModuleType, sizes: dict[str, int]) -> str:
    """Measure with one bench and give its section."""
    began = time.perf_counter()
    rows = bench.measure(**sizes)
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
    parser.add_argument("--small", action="store_true", help="see that they work; write nothing")
    asked = parser.parse_args()
    names = asked.names or list(BENCHES)
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
            sections.append(section(BENCHES[name], SMALL[name] if asked.small else {}))
        where = surroundings(shares)
        print(where, flush=True)
    finally:
        run.end()
    if set(names) == set(BENCHES) and not asked.small:
        DOCUMENT.write_text("\n".join([INTRODUCTION, f"{where}\n", *sections]))
        print(f"Written: {DOCUMENT.relative_to(machine.ROOT)}")


if __name__ == "__main__":
    main()
