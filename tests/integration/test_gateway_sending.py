"""Sending files to real receivers: our own door, dcmtk's storescp, and one that is difficult."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import threading
import time
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import CTImageStorage

from gateway.sending import send
from tests.door import digest_of, image, open_door, published_when, settings_in, stored, until, written
from tests.engines.ports import free_port


def send_to(port, paths, manifest, **options):
    return send(
        paths,
        "127.0.0.1",
        port,
        **(
            {
                "called_ae": "CHIPS",
                "calling_ae": "TESTER",
                "retries": 2,
                "manifest": manifest,
                "back_off_s": (0.01, 0.02),
            }
            | options
        ),
    )


@contextlib.contextmanager
def difficult(answers=(), syntaxes=("1.2.840.10008.1.2.1",)):
    """A receiver that gives these statuses in turn ("abort" breaks the association), then success."""
    todo, got = list(answers), []
    lock = threading.Lock()

    def on_store(event):
        with lock:
            got.append(str(event.request.AffectedSOPInstanceUID))
            status = todo.pop(0) if todo else 0
        if status == "abort":
            event.assoc.abort()
            return 0xC211
        if status:
            answer = Dataset()
            answer.Status, answer.ErrorComment = status, "because"
            return answer
        return 0

    ae = AE("DIFFICULT")
    ae.add_supported_context(CTImageStorage, list(syntaxes))
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)])
    try:
        yield server.server_address[1], got
    finally:
        server.shutdown()


@pytest.mark.parametrize("associations", [1, 4])
async def test_a_folder_arrives_whole_with_progress_and_manifest(tmp_path, associations):
    images = [image("1.2.3", number=number) for number in range(30)]
    paths = written(tmp_path / "out" / "deep", images)
    (tmp_path / "out" / "readme.txt").write_text("not an image")
    seen = []
    async with open_door(settings_in(tmp_path / "data")) as door:
        summary = await asyncio.to_thread(
            send_to,
            door.port,
            [tmp_path / "out"],
            tmp_path / "m.jsonl",
            associations=associations,
            on_progress=seen.append,
        )
        events = await published_when(door.settings, 30 + associations)
    assert summary.complete
    assert [path.path.name for path in summary.skipped] == ["readme.txt"]
    assert {one.digest for one in stored(events)} == {digest_of(path) for path in paths}
    assert len({one.association for one in stored(events)}) == associations
    assert [one.acknowledged for one in seen] == list(range(31))
    assert seen[-1].total == 30
    assert seen[-1].bytes == sum(path.stat().st_size for path in paths)
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert {line["sop_instance_uid"] for line in lines} == {str(one.SOPInstanceUID) for one in images}


def test_dcmtk_receives_it(tmp_path):
    written(tmp_path / "out", [image() for _ in range(5)])
    (tmp_path / "in").mkdir()
    port = free_port()
    receiver = subprocess.Popen(["storescp", "-od", str(tmp_path / "in"), str(port)])
    try:
        summary = send_to(port, [tmp_path / "out"], tmp_path / "m.jsonl", retries=20)
    finally:
        receiver.terminate()
        receiver.wait(30)
    assert summary.complete
    assert len(list((tmp_path / "in").iterdir())) == 5


def test_what_is_transient_is_tried_again_and_what_is_refused_is_told(tmp_path):
    paths = written(tmp_path / "out", [image() for _ in range(4)])
    with difficult([0, 0xA700, 0xA700, 0xC000, "abort"]) as (port, got):
        summary = send_to(port, [tmp_path / "out"], tmp_path / "m.jsonl")
    assert len(got) == 4 + 2 + 1  # twice out of resources, once aborted
    assert (summary.progress.acknowledged, summary.progress.refused, summary.progress.failed) == (3, 1, 0)
    (trouble,) = summary.troubles
    assert trouble.path == paths[1]
    assert trouble.why == "refused with C000 because"
    assert not summary.complete


def test_a_file_that_breaks_each_association_is_given_up_alone(tmp_path):
    paths = written(tmp_path / "out", [image() for _ in range(4)])
    with difficult([0, "abort", "abort", "abort"]) as (port, _):
        summary = send_to(port, [tmp_path / "out"], tmp_path / "m.jsonl")
    assert (summary.progress.acknowledged, summary.progress.failed) == (3, 1)
    assert summary.troubles[0].path == paths[1]


def test_a_second_sending_sends_only_what_is_left(tmp_path):
    images = [image() for _ in range(6)]
    paths = written(tmp_path / "out", images)
    with difficult([0, 0, 0xC000]) as (port, got):
        assert send_to(port, [tmp_path / "out"], tmp_path / "m.jsonl").progress.refused == 1
        del got[:]
        paths[0].touch()  # changed since: sent again
        summary = send_to(port, [tmp_path / "out"], tmp_path / "m.jsonl")
    assert summary.complete
    assert (summary.progress.total, summary.progress.already, summary.progress.acknowledged) == (6, 4, 2)
    assert got == [str(images[0].SOPInstanceUID), str(images[2].SOPInstanceUID)]


def test_nobody_there_is_given_up_after_the_retries(tmp_path):
    written(tmp_path / "out", [image() for _ in range(3)])
    summary = send_to(free_port(), [tmp_path / "out"], tmp_path / "m.jsonl")
    assert summary.progress.failed == 3
    assert {trouble.why.split(":")[0] for trouble in summary.troubles} == {"no association"}


def test_a_syntax_that_is_not_taken_is_told_and_not_converted(tmp_path, monkeypatch):
    monkeypatch.setattr(_config, "UNRESTRICTED_STORAGE_SERVICE", False)  # a door in this process sets it
    written(tmp_path / "out", [image()])
    with difficult(syntaxes=("1.2.840.10008.1.2",)) as (port, got):
        summary = send_to(port, [tmp_path / "out"], tmp_path / "m.jsonl")
    assert got == []
    assert len(summary.troubles) == 1
    assert not summary.complete


def test_stopping_ends_it_after_the_object_under_way(tmp_path):
    written(tmp_path / "out", [image() for _ in range(20)])
    stop = threading.Event()
    with difficult() as (port, got):
        summary = send_to(
            port,
            [tmp_path / "out"],
            tmp_path / "m.jsonl",
            stop=stop,
            on_progress=lambda now: stop.set() if now.acknowledged == 3 else None,
        )
    assert len(got) == 3
    assert (summary.progress.acknowledged, summary.progress.failed) == (3, 17)


def test_a_large_file_is_not_held_in_memory(tmp_path):
    """A receiver that does not read: only what the queue and the sockets hold leaves the file."""
    (path,) = written(tmp_path / "out", [image(side=4096)])  # 32 MiB
    reading = threading.Event()
    taken = []

    def on_pdu(_event):
        taken.append(1)
        if len(taken) > 4:
            reading.wait(30)

    ae = AE()
    ae.maximum_pdu_size = 16384
    ae.add_supported_context(CTImageStorage, "1.2.840.10008.1.2.1")
    server = ae.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[(evt.EVT_C_STORE, lambda _: 0), (evt.EVT_PDU_RECV, on_pdu)],
    )
    done = []
    thread = threading.Thread(
        target=lambda: done.append(send_to(server.server_address[1], [path], tmp_path / "m.jsonl"))
    )
    thread.start()
    until(lambda: read_of(path) > 0)
    highest = settled(lambda: read_of(path))
    reading.set()
    thread.join(120)
    server.shutdown()
    assert 0 < highest < 16 * 1024 * 1024
    assert done[0].complete


def read_of(path) -> int:
    """Tell how far this process has read a file that it has open, bytes; 0 when it has not."""
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if link.readlink() == path:
                return int(Path("/proc/self/fdinfo", link.name).read_text().split()[1])
    return 0


def settled(position) -> int:
    """Wait until a position has stood still for a second; give it."""
    last, since = position(), time.monotonic()
    while time.monotonic() - since < 1:
        now = position()
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.01)
    return last
