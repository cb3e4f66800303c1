"""A whole CHIPS with an open browser: how long until a person sees it.

Each tier and each isolation starts `chips up` as a user does, with a page open at home. Studies of one CT
series come one after the other, each when the one before is measured, over one association by a lean sender.
*Image to card*: from the reply to the last C-STORE to the change of the page that shows all images as
received, or as anonymized (a MutationObserver; both clocks are this machine's). *Settled to measured*: from
the time in `series.settled` to the time at which the feed's `run.succeeded` became part of the record. The
first study after a start meets cold caches and imports, which are no part of what one study takes: it is sent
and counts in no figure.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from plugins.phantom.ellipsoid import draw_spec
from plugins.phantom.series import series_of
from schemas.feed import RunQueued, RunSucceeded
from schemas.pacs import SeriesSettled
from streams.settings import Settings
from streams.store.opening import open_store
from tests.bench.figures import number, percentile, rank, table
from tests.bench.sender import Prepared, prepare, send
from tests.e2e.conftest import CHROMIUM, FLAGS, Visitor, until
from tests.engines.run import shared_docker
from tests.stack import Stack
from tests.tiers import tier

STUDIES = 20
TITLE = "From the last image to the page, and from settled to measured"
ABOUT = (
    "`chips up` with a page open at home; studies come one after the other, and the first after a start, "
    "which meets cold caches, counts in no figure. *Received* and *anonymized*: from the reply to a study's "
    "last C-STORE until the open page shows that many images (a MutationObserver on the card; both clocks "
    "are the machine's). *Measured*: from the `series.settled` event to the time at which `run.succeeded` "
    "became part of the feed's record: work order, lease, container or subprocess (which imports its imaging "
    "libraries anew for each job), results. p50 and p95 are nearest-rank: of "
    f"{STUDIES} studies the {rank(STUDIES, 50)}th and the {rank(STUDIES, 95)}th fastest."
)
TIERS = ("embedded", "real")
NAMES = {"embedded": "embedded", "real": "Kafka, Cassandra"}
ISOLATIONS = ("subprocess", "docker")
COLD = 1
"""Studies after a start that are sent and not counted."""
DONE_S = 90.0
"""For one study, from its last acknowledgement to *done* on the page, s."""
BASE = "chips-base:bookworm"

_WATCH = """() => {
  window.__complete = {};
  const at = () => performance.timeOrigin + performance.now();
  const look = () => document.querySelectorAll('li[data-feed]').forEach((card) => {
    const seen = (window.__complete[card.dataset.feed] ??= {stored: [], anonymized: []});
    for (const of of ['stored', 'anonymized']) {
      const count = Number(card.dataset[of]);
      if (count !== seen[of].at(-1)?.[0]) seen[of].push([count, at()]);
    }
    if (card.dataset.state === 'done') seen.done ??= at();
  });
  look();
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


class Row(NamedTuple):
    """Seconds of each study of one tier with one isolation."""

    tier: str
    isolation: str
    images: int
    received: list[float]
    anonymized: list[float]
    measured: list[float]


class Shown(NamedTuple):
    """When a study's images were all shown, s after the last was acknowledged."""

    received: float
    anonymized: float


class Measured(NamedTuple):
    """When a series was settled, and how long after that its measures were in the record, s."""

    settled: datetime
    took: float


def study(seed: int) -> list[Prepared]:
    """A small CT series of a patient whom nobody sent before."""
    spec = draw_spec(
        seed, axes_mm=(50.0, 60.0, 55.0), spacing_mm=(2.0, 2.0, 4.0), rotation=(8.0, -5.0, 12.0),
        tilt=0.0, noise=5.0, modality="CT",
    )  # fmt: skip
    return [prepare(image) for image in series_of(spec)]


def first_with(counts: list[list[float]], wanted: int) -> float:
    """When a count was reached, s since the epoch."""
    return next(at for count, at in counts if count >= wanted) / 1000


def push(stack: Stack, page: Page, objects: list[Prepared]) -> Shown:
    """Send a study and wait until it is measured, and the page says so."""
    known = page.evaluate("() => Object.keys(window.__complete)")
    acknowledged = send(stack.dicom_port, objects)
    until(
        page,
        "([known, count]) => Object.entries(window.__complete).some(([feed, seen]) =>"
        " !known.includes(feed) && seen.done && (seen.anonymized.at(-1)?.[0] ?? 0) >= count)",
        arg=[known, len(objects)],
        timeout=DONE_S,
    )
    everything = page.evaluate("() => window.__complete")
    (seen,) = (seen for feed, seen in everything.items() if feed not in known)
    # A card that is anonymized already never says "received" apart.
    anonymized = first_with(seen["anonymized"], len(objects))
    stored = [at for count, at in seen["stored"] if count >= len(objects)]
    received = min(stored[0] / 1000, anonymized) if stored else anonymized
    return Shown(received - acknowledged, anonymized - acknowledged)


async def settled_to_measured(settings: Settings) -> dict[str, Measured]:
    """What the events of the store tell, by job."""
    store = await open_store(settings)
    settled: dict[tuple[str, int], datetime] = {}
    queued: dict[str, tuple[str, int]] = {}
    succeeded: dict[str, datetime] = {}
    try:
        for category in ("series", "feed"):
            async for stream in store.events.streams(category):
                async for event in store.events.read(stream):
                    match event.data:
                        case SeriesSettled(series=series, version=version):
                            settled[series, version] = event.recordedtime or event.time
                        case RunQueued(job=job, series=series, version=version):
                            queued[job] = series, version
                        case RunSucceeded(job=job):
                            succeeded[job] = event.recordedtime or event.time
    finally:
        await store.close()
    return {
        job: Measured(began, (succeeded[job] - began).total_seconds())
        for job, began in sorted(
            ((job, settled[queued[job]]) for job in succeeded), key=lambda found: found[1]
        )
    }


@contextlib.contextmanager
def up(stack: Stack, isolation: str, *, fresh: bool) -> Iterator[None]:
    stack.environment["CHIPS_ISOLATION"] = isolation
    stack.start(timeout=300)  # the first with Docker builds the plugin's image
    try:
        if fresh:
            stack.add_user("ana", "Ana Kim")
        yield
    except BaseException:
        print(stack.tail(), flush=True)  # its folder goes with the bench
        raise
    finally:
        stack.stop()


def show(browser: Browser, stack: Stack, seeds: range) -> list[Shown]:
    """Send studies one after the other and watch the page."""
    visitor = Visitor(browser, stack, "ana")
    try:
        visitor.page.evaluate(_WATCH)
        return [push(stack, visitor.page, study(seed)) for seed in seeds]
    finally:
        visitor.close()


def measure(studies: int = STUDIES) -> list[Row]:
    """Measure each tier with each isolation."""
    socket = shared_docker()
    rows: list[Row] = []
    # The browser's driver has a running loop in this thread; the store is read in another.
    with (
        tempfile.TemporaryDirectory(prefix="chips-bench-", ignore_cleanup_errors=True) as root,
        ThreadPoolExecutor(1) as beside,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in TIERS:
            folder = Path(root) / name
            with tier(name, folder) as engines:
                extra = {"CHIPS_DOCKER_HOST": socket, "CHIPS_PLUGIN_BASE": BASE, **engines.environment}
                stack = Stack(folder / "chips", extra)
                known: set[str] = set()
                for place, isolation in enumerate(ISOLATIONS):
                    seeds = range(1000 * place, 1000 * place + COLD + studies)
                    with up(stack, isolation, fresh=not place):
                        shown = show(browser, stack, seeds)
                        found = beside.submit(asyncio.run, settled_to_measured(stack.settings)).result(60)
                    measured = [one.took for job, one in found.items() if job not in known]
                    known |= set(found)
                    assert len(measured) == len(shown), "not every study was measured once"
                    row = Row(
                        NAMES[name],
                        isolation,
                        len(study(seeds[0])),
                        [one.received for one in shown[COLD:]],
                        [one.anonymized for one in shown[COLD:]],
                        measured[COLD:],
                    )
                    rows.append(row)
                    print(markdown([row]).splitlines()[-1], flush=True)  # the next takes a minute
        browser.close()
    return rows


def _both(values: list[float]) -> list[str]:
    return [number(percentile(values, 50)), number(percentile(values, 95))]


def markdown(rows: list[Row]) -> str:
    """Write the figures as a table."""
    head = [
        "tier", "steps run in", "studies of images", "received p50, s", "p95", "anonymized p50, s", "p95",
        "measured p50, s", "p95",
    ]  # fmt: skip
    return table(
        head,
        (
            [
                row.tier,
                row.isolation,
                f"{len(row.received)} of {row.images}",
                *_both(row.received),
                *_both(row.anonymized),
                *_both(row.measured),
            ]
            for row in rows
        ),
        left=2,
    )
