"""The door and kill -9, at named points and amid a sending: what it acknowledged is there once."""

from __future__ import annotations

import asyncio
import json
import signal

import pytest

from gateway.sending import send
from tests.door import (
    CT,
    DoorProcess,
    associated,
    encoded,
    image,
    in_thread,
    make_topics,
    open_door,
    published,
    published_when,
    settings_in,
    store_bytes,
    stored,
    until,
    written,
)
from tests.engines.ports import free_port


async def test_what_the_bus_did_not_hear_is_told_after_a_restart(tmp_path):
    settings = settings_in(tmp_path, dicom_port=free_port())
    one = image()
    door = DoorProcess(settings, tmp_path / "log")

    def talk():
        with associated(settings.dicom_port, [CT]) as association:
            assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0

    await asyncio.to_thread(talk)
    door.kill()
    async with open_door(settings):
        events = await published_when(settings, 1)
    assert len(stored(events)) == 1


async def sent(folder, settings, manifest, *, associations=1):
    """Send a folder as a patient sender does."""
    return await asyncio.to_thread(
        send,
        [folder],
        "127.0.0.1",
        settings.dicom_port,
        called_ae="CHIPS",
        calling_ae="TESTER",
        retries=100,
        manifest=manifest,
        associations=associations,
        back_off_s=(0.05, 0.2),
    )


POINTS = [
    "gateway.after_blob_before_journal",
    "gateway.after_fsync_before_reply",
    "gateway.before_publish",
    "gateway.after_publish_before_confirm",
]


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_any_point_what_was_acknowledged_is_told_once(tmp_path, point):
    settings = settings_in(tmp_path / "data", dicom_port=free_port())
    await make_topics(settings)
    images = [image("1.2.3.4", number=number) for number in range(20)]
    written(tmp_path / "out", images)
    manifest = tmp_path / "manifest.jsonl"
    door = DoorProcess(settings, tmp_path / "log", crash_at=f"{point}:4")
    died = []

    def restart():
        died.append(door.wait())
        died.append(DoorProcess(settings, tmp_path / "log"))

    watcher = in_thread(restart)
    summary = await sent(tmp_path / "out", settings, manifest)
    await asyncio.to_thread(watcher.join, 30)
    code, second = died
    second.stop()
    assert code == -signal.SIGKILL
    assert summary.complete
    acknowledged = [json.loads(line) for line in manifest.read_text().splitlines()]
    assert len(acknowledged) == 20

    events = stored(await published(settings))
    assert len({one.instance for one in events}) == len({one.digest for one in events}) == 20
    ids = {event.id for event in await published(settings) if event.type.startswith("chips.pacs.instance")}
    assert len(ids) == 20
    vault = settings.path("vault")
    names = {path.name for path in (vault / "objects").rglob("*") if path.is_file()}
    assert names == {one.blob.sha256 for one in events}
    assert list((vault / "incoming").iterdir()) == []


async def test_kill_in_the_middle_of_a_sending_loses_nothing_acknowledged(tmp_path):
    settings = settings_in(tmp_path / "data", dicom_port=free_port())
    await make_topics(settings)
    written(tmp_path / "out", [image("1.2.3.4", number=number, side=64) for number in range(150)])
    manifest = tmp_path / "manifest.jsonl"
    log = tmp_path / "log"
    doors = [DoorProcess(settings, log)]

    def lines() -> int:
        return manifest.read_text().count("\n") if manifest.exists() else 0

    def kill_now_and_then():
        for after in (20, 60, 110):
            until(lambda after=after: lines() >= after)
            doors[-1].kill()
            doors.append(DoorProcess(settings, log))

    killer = in_thread(kill_now_and_then)
    summary = await sent(tmp_path / "out", settings, manifest, associations=3)
    await asyncio.to_thread(killer.join, 60)
    doors[-1].stop()
    assert len(doors) == 4
    assert summary.complete
    events = stored(await published(settings))
    assert len({one.instance for one in events}) == len({one.digest for one in events}) == 150
