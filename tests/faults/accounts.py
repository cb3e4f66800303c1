"""Two accounts of the same images, compared: the sender's own log, and what CHIPS has and shows."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec
from pydicom import dcmread

from gateway.announcing import Announcement, announce_list
from gateway.identity import instance_key, series_key, study_key
from gateway.keys import Keyring
from gateway.manifest import is_acknowledged
from schemas.facts import AnonymizedInstance, QuarantinedInstance, StoredInstance
from schemas.identity import default_feed
from schemas.image import SeriesManifest
from schemas.job import JobRequested
from streams.blobs import Blobs
from streams.clock import utc_now
from streams.ids import fresh_id
from streams.opening import open_producer
from streams.publishing import publish
from streams.store.api import Store
from streams.store.opening import open_store
from tests.stack import Stack

UIDS = ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"]


def acknowledged(manifest: Path) -> list[Path]:
    """Give the files of which a sender's log says that they are stored."""
    return [Path(line["path"]) for line in answers(manifest)]


def answers(manifest: Path) -> list[dict]:
    """Give the lines of a sender's log that say "stored"; [] before there is one."""
    lines = manifest.read_text().splitlines() if manifest.exists() else []
    return [line for line in map(json.loads, lines) if is_acknowledged(int(line["status"], 16))]


def acknowledged_at(manifest: Path) -> list[datetime]:
    """Give when the sender heard "stored", in order."""
    return sorted(datetime.fromisoformat(line["time"]) for line in answers(manifest))


class Expected(msgspec.Struct, frozen=True):
    """What must be shown, by the sender's log: the instances of each series, the series of each study."""

    instances: dict[str, set[str]]
    series: dict[str, set[str]]

    @property
    def count(self) -> int:
        return sum(map(len, self.instances.values()))

    def of_study(self, study: str) -> int:
        return sum(len(self.instances[series]) for series in self.series[study])


def expected(stack: Stack, files: Iterable[Path]) -> Expected:
    """Derive the pseudonyms of what was acknowledged; the keys lie in the stack's vault."""
    key = Keyring(stack.settings.path("vault")).project_key(stack.settings.project)
    instances, series = defaultdict(set), defaultdict(set)
    for file in files:
        head = dcmread(file, specific_tags=UIDS, stop_before_pixels=True)
        at = series_key(key, head.SeriesInstanceUID)
        instances[at].add(instance_key(key, head.SOPInstanceUID))
        series[study_key(key, head.StudyInstanceUID)].add(at)
    return Expected(dict(instances), dict(series))


async def announce_sent(stack: Stack, wanted: Expected) -> None:
    """Say which images each series has: a gateway that was killed told no end of its associations."""
    announcement = Announcement(stack.settings.project, "announcement", fresh_id(), utc_now())
    producer = open_producer(stack.settings)
    try:
        for series, instances in wanted.instances.items():
            await publish(producer, announce_list(announcement, series, instances))
    finally:
        await producer.close()


async def assert_kept_once(stack: Stack, wanted: Expected) -> None:
    """Compare with the facts and with the newest manifest of each series, instance by instance."""
    project = stack.settings.project
    store = await open_store(stack.settings)
    try:
        prefix = f"series/{project}/"
        known = {name.removeprefix(prefix) async for name in store.events.streams("series", project)}
        assert known == wanted.instances.keys()
        listed = await _listed(store, Blobs(stack.settings.path("blobs")), project)
        for series, instances in wanted.instances.items():
            once = dict.fromkeys(instances, 1)
            assert await _counted(store, project, series, {"stored": StoredInstance}) == once
            kinds = {"anonymized": AnonymizedInstance, "quarantined": QuarantinedInstance}
            assert await _counted(store, project, series, kinds) == once
            # These phantoms have nothing that would keep one in quarantine.
            assert listed[series] == once
    finally:
        await store.close()


def assert_shown_once(stack: Stack, wanted: Expected) -> None:
    """Compare with what the page is told, card by card and series by series."""
    session = stack.session()
    cards = {card["feed"]: card for card in session.cards()}
    project = stack.settings.project
    assert cards.keys() == {default_feed(project, study) for study in wanted.series}
    for study, of_study in wanted.series.items():
        card = cards[default_feed(project, study)]
        assert (card["anonymized"] + card["quarantined"], card["conflicts"]) == (wanted.of_study(study), 0)
        assert sorted(card["series"]) == sorted(of_study)
        shown = session.get(f"/api/feeds/{card['feed']}")["detail"]["series"]
        assert {one["completeness"]["grade"] for one in shown} == {"complete_expected"}
        assert {one["series"]: one["anonymized"] + one["quarantined"] for one in shown} == {
            series: len(wanted.instances[series]) for series in of_study
        }


async def _counted(store: Store, project: str, series: str, kinds: dict) -> Counter[str]:
    facts = [(kind, fact) for kind in kinds for fact in await store.facts.all(project, kind, series)]
    return Counter(msgspec.json.decode(fact.body, type=kinds[kind]).instance for kind, fact in facts)


async def _listed(store: Store, blobs: Blobs, project: str) -> dict[str, Counter[str]]:
    """Give the instances in the manifest of each series' newest work order; their blobs are there."""
    newest = {}
    async for stream in store.events.streams("job", project):
        async for event in store.events.read(stream, limit=1):
            assert isinstance(event.data, JobRequested)
            order = event.data.order
            if order.series not in newest or newest[order.series].version < order.version:
                newest[order.series] = order
    found = {}
    for series, order in newest.items():
        body = blobs.path(project, order.manifest).read_bytes()
        entries = msgspec.json.decode(body, type=SeriesManifest).instances
        assert all(blobs.exists(project, entry.blob) for entry in entries)
        found[series] = Counter(entry.instance for entry in entries)
    return found
