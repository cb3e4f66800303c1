"""A door with processes of its own: they share the port, die alone, and end with their gateway."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
from pathlib import Path

import pytest

from gateway.dul import commands, pdus
from tests.bench.processes import peak_mb
from tests.bench.sender import association_request, prepare, read_pdu, release_request, send
from tests.dcmtk import dcmtk
from tests.door import (
    CT,
    DoorProcess,
    associated,
    command,
    digest_of,
    encoded,
    ended,
    image,
    make_topics,
    open_door,
    published_when,
    settings_in,
    store_bytes,
    stored,
    until,
    workers,
    written,
)
from tests.engines.ports import free_port


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(one) for one in found]


async def test_images_of_many_associations_are_kept_once_and_counted(tmp_path):
    series = [image().SeriesInstanceUID for _ in range(6)]
    folders = [
        written(tmp_path / f"out{n}", [image(one, number=k) for k in range(5)])
        for n, one in enumerate(series)
    ]
    async with open_door(settings_in(tmp_path / "data", dicom_processes=2)) as door:
        assert len(workers()) == 2
        sent = await asyncio.gather(
            *(
                command(dcmtk("storescu"), "+sd", "127.0.0.1", str(door.port), str(paths[0].parent))
                for paths in folders
            )
        )
        assert {code for code, _ in sent} == {0}, sent
        events = await published_when(door.settings, 36)
        assert len(door.originals()) == 30
        assert door.incoming() == []
        await door.comes_to(30, "stored_total")
        await door.comes_to(6, "associations_ended_total", outcome="released")
    digests = {digest_of(path) for paths in folders for path in paths}
    assert {one.digest for one in stored(events)} == digests
    assert [one.instances for one in ended(events)] == [5] * 6
    assert workers() == []


async def test_both_processes_serve(tmp_path):
    async with open_door(settings_in(tmp_path, dicom_processes=2)) as door:
        pids = workers()

        def two_at_once():
            with associated(door.port, [CT]) as one, associated(door.port, [CT]) as other:
                for association in (one, other):
                    dataset = image()
                    assert store_bytes(association, encoded(dataset), dataset.SOPInstanceUID).Status == 0
                return [sum(1 for fd in Path(f"/proc/{pid}/fd").iterdir() if _is_tcp(fd)) for pid in pids]

        assert await asyncio.to_thread(two_at_once) == [1, 1]


def _is_tcp(descriptor: Path) -> bool:
    try:
        inode = str(descriptor.readlink())
    except OSError:
        return False
    tcp = Path("/proc/net/tcp").read_text()
    return inode.startswith("socket:[") and f" {inode[8:-1]} " in tcp


async def test_a_worker_that_dies_takes_none_with_it_and_comes_back(tmp_path):
    first, second = image(), image()
    async with open_door(settings_in(tmp_path, dicom_processes=2)) as door:

        def talk():
            with associated(door.port, [CT]) as doomed, associated(door.port, [CT]) as living:
                assert store_bytes(doomed, encoded(first), first.SOPInstanceUID).Status == 0
                before = workers()
                victim = next(pid for pid in before if _serves(pid, doomed))
                os.kill(victim, signal.SIGKILL)
                assert store_bytes(living, encoded(second), second.SOPInstanceUID).Status == 0
                until(lambda: len(workers()) == 2 and victim not in workers())
            until(lambda: door.metric("associations_ended_total", outcome="lost") == 1)

            def one_more() -> bool:
                with associated(door.port, [CT]) as association:
                    return association.is_established

            until(one_more)

        await asyncio.to_thread(talk)
        events = await published_when(door.settings, 3)
        assert len(stored(events)) == 2
        assert door.incoming() == []


def _serves(pid: int, association) -> bool:
    port = association.dul.socket.socket.getsockname()[1]
    wanted = f":{port:04X} "
    lines = [
        line for line in Path("/proc/net/tcp").read_text().splitlines() if wanted in line.split(" st ")[0]
    ]
    inodes = {line.split()[9] for line in lines}
    held = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            held.add(str(fd.readlink())[8:-1])
        except OSError:
            continue
    return bool(inodes & held)


def test_workers_end_with_a_gateway_that_is_killed(tmp_path):
    settings = settings_in(tmp_path / "data", dicom_port=free_port(), dicom_processes=2)
    asyncio.run(make_topics(settings))
    door = DoorProcess(settings, tmp_path / "log")
    pids = children(door.process.pid) or _all_children(door.process.pid)
    assert len(pids) >= 2
    door.kill()
    until(lambda: not any(_lives(pid) for pid in pids))


def _all_children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("point", ["gateway.after_blob_before_journal", "gateway.after_fsync_before_reply"])
def test_a_worker_killed_at_a_point_loses_nothing_acknowledged(tmp_path, point, monkeypatch):
    """The worker dies there, its gateway lives on, and the object sent again is the same event."""
    deaths = tmp_path / "deaths"
    deaths.mkdir()
    monkeypatch.setenv("CHIPS_CRASH_DEATHS", str(deaths))
    settings = settings_in(tmp_path / "data", dicom_port=free_port(), dicom_processes=2)
    asyncio.run(make_topics(settings))
    door = DoorProcess(settings, tmp_path / "log", crash_at=point)
    one = image()

    def send() -> int | None:
        with associated(settings.dicom_port, [CT]) as association:
            if not association.is_established:
                return None
            answer = store_bytes(association, encoded(one), one.SOPInstanceUID)
            return None if answer is None else answer.Status

    try:
        assert send() is None
        assert [path.name for path in deaths.iterdir()] == [point]
        until(lambda: send() == 0)
        events = asyncio.run(published_when(settings, 2))
    finally:
        door.stop()
    assert len({event.id for event in events if hasattr(event.data, "instance")}) == 1


@pytest.mark.parametrize("processes", [1, 2])
def test_a_large_object_takes_no_memory(tmp_path, processes):
    """What a receiver holds of 700 MB would hold of 4 GB: a fragment, and the head of the file."""
    settings = settings_in(tmp_path / "data", dicom_port=free_port(), dicom_processes=processes)
    asyncio.run(make_topics(settings))
    door = DoorProcess(settings, tmp_path / "log")
    try:
        small = image()
        send(settings.dicom_port, [prepare(small)])
        before = peak_mb(door.process.pid)
        size = 700_000_000
        head = encoded(small)
        at = head.rindex(b"\xe0\x7f\x10\x00OW\0\0") + 8
        uid = str(small.SOPInstanceUID).encode()
        head = head[:at].replace(uid, uid[:-1] + bytes([uid[-1] ^ 1])) + size.to_bytes(4, "little")
        send_streamed(settings.dicom_port, head, size, (uid[:-1] + bytes([uid[-1] ^ 1])).decode())
        assert peak_mb(door.process.pid) - before < 64
        (kept,) = (
            path
            for path in (tmp_path / "data").rglob("objects/**/*")
            if path.is_file() and path.stat().st_size > size
        )
        assert kept.stat().st_size > size
    finally:
        door.stop()


def send_streamed(port: int, head: bytes, size: int, instance: str) -> None:
    """Send an object whose pixels are made on the way."""
    request = commands.encode(
        {
            commands.SOP_CLASS: commands.uid_value(CT[0]),
            commands.COMMAND_FIELD: commands.short_value(commands.Field.C_STORE),
            commands.MESSAGE_ID: commands.short_value(1),
            commands.DATA_SET_TYPE: commands.short_value(0),
            commands.SOP_INSTANCE: commands.uid_value(instance),
        }
    )
    chunk = bytes(1 << 17)
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(association_request())
        assert read_pdu(connection)[0] == 2
        connection.sendall(pdus.command_pdu(1, request))
        connection.sendall(data_pdu(head, last=False))
        for at in range(0, size, len(chunk)):
            piece = chunk[: size - at]
            connection.sendall(data_pdu(piece, last=at + len(piece) == size))
        answer = read_pdu(connection)
        assert struct.pack("<HHIH", 0, 0x0900, 2, 0) in answer
        connection.sendall(release_request())
        read_pdu(connection)


def data_pdu(data: bytes, *, last: bool) -> bytes:
    return struct.pack(">BxIIBB", 4, len(data) + 6, len(data) + 2, 1, 2 if last else 0) + data
