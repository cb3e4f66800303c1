"""The door when things go wrong: bad objects, broken peers, a full disk, a bus that is away."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import subprocess
import zlib
from io import BytesIO

import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import P_DATA

from gateway import segments
from gateway.errors import JournalBroken
from gateway.journal import Journal
from gateway.storing import Storing
from streams.errors import NewerFormat, Unavailable
from tests.door import (
    CT,
    associated,
    encoded,
    ended,
    image,
    make_topics,
    open_door,
    published,
    published_when,
    rejection_of,
    settings_in,
    store_bytes,
    stored,
    until,
)

OUT_OF_RESOURCES, DOES_NOT_MATCH, CANNOT_UNDERSTAND = 0xA700, 0xA900, 0xC000


def refused_objects():
    missing_series, missing_study, other, odd = image(), image(), image(), image()
    del missing_series.SeriesInstanceUID
    missing_study.StudyInstanceUID = ""
    yield "no-series", encoded(missing_series), missing_series.SOPInstanceUID, CANNOT_UNDERSTAND, "bad-uid"
    yield "no-study", encoded(missing_study), missing_study.SOPInstanceUID, CANNOT_UNDERSTAND, "bad-uid"
    yield "other-instance", encoded(other), "1.2.3.4.5.6", DOES_NOT_MATCH, "other-instance"
    odd.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    yield "other-class", encoded(odd), odd.SOPInstanceUID, DOES_NOT_MATCH, "other-class"
    yield "noise", b"\xde\xad\xbe\xef" * 300, "1.2.3.4", CANNOT_UNDERSTAND, None
    yield "cut", encoded(image())[:100], "1.2.3.4", CANNOT_UNDERSTAND, None
    yield "empty", b"\0\0", "1.2.3.4", CANNOT_UNDERSTAND, None
    deep, many = image(), image()
    nested = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 1100
    yield "deep", nested + encoded(deep), deep.SOPInstanceUID, CANNOT_UNDERSTAND, "too-deep"
    empty = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\0\0\0\0" * 300_000
    yield "many", empty + encoded(many), many.SOPInstanceUID, CANNOT_UNDERSTAND, "too-many-elements"
    yield "no-dataset", None, "1.2.3.4", CANNOT_UNDERSTAND, "no-dataset"


@pytest.mark.parametrize("case", list(refused_objects()), ids=lambda case: case[0])
async def test_what_cant_be_kept_is_refused_and_the_association_goes_on(tmp_path, case):
    _, data, instance, status, reason = case
    good = image()
    async with open_door(settings_in(tmp_path)) as door:

        def talk():
            with associated(door.port, [CT]) as association:
                answer = store_bytes(association, data, instance)
                assert answer.Status == status
                assert 0 < len(answer.ErrorComment) <= 64
                assert store_bytes(association, encoded(good), good.SOPInstanceUID).Status == 0

        await asyncio.to_thread(talk)
        events = await published_when(door.settings, 2)
        assert len(stored(events)) == 1
        assert door.incoming() == []
        assert len(door.originals()) == 1
        if reason:
            await door.comes_to(1, "refused_total", reason=reason)
        await door.comes_to(1, "stored_total")


async def test_a_defect_of_ours_never_passes_for_success(tmp_path, monkeypatch, capsys):
    one = image()
    async with open_door(settings_in(tmp_path)) as door:

        def talk():
            with associated(door.port, [CT]) as association:
                with monkeypatch.context() as patch:
                    patch.setattr(Storing, "store", lambda *_, **__: {}["defect"])
                    assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0xC001
                assert door.incoming() == []
                assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0

        await asyncio.to_thread(talk)
        await door.comes_to(1, "refused_total", reason="failed")
    assert "KeyError" in capsys.readouterr().out


async def test_a_failing_disk_ends_the_gateway_and_nothing_is_acknowledged(tmp_path, monkeypatch):
    before, one = image(), image()
    with pytest.raises(JournalBroken, match="disk"):  # noqa: PT012 - it comes when the door is left
        async with open_door(settings_in(tmp_path)) as door:

            def talk():
                with associated(door.port, [CT]) as association, monkeypatch.context() as patch:
                    assert store_bytes(association, encoded(before), before.SOPInstanceUID).Status == 0
                    patch.setattr(segments, "sync", failing)
                    answer = store_bytes(association, encoded(one), one.SOPInstanceUID)
                    assert answer.Status == OUT_OF_RESOURCES

            await asyncio.to_thread(talk)
            assert "journal" in door.problems()[0]
            await asyncio.wait({door.task}, timeout=30)
    assert len(stored(await published(settings_in(tmp_path)))) == 1


def failing(_fd):
    raise OSError(errno.EIO, "input/output error")


async def test_a_journal_of_a_newer_chips_ends_the_gateway_loudly(tmp_path):
    settings = settings_in(tmp_path)
    settings.path("vault").mkdir()
    journal = Journal(settings.path("vault") / "journal")
    journal.append([b'{"type": "chips.pacs.of_the_future.v9"}'])
    journal.close()
    with pytest.raises(NewerFormat, match="newer"):
        async with open_door(settings) as door:
            await asyncio.wait({door.task}, timeout=30)


async def test_a_port_that_is_taken_is_told(tmp_path):
    async with open_door(settings_in(tmp_path / "one")) as door:
        with pytest.raises(Unavailable, match="CHIPS_DICOM_PORT"):
            async with open_door(settings_in(tmp_path / "two", dicom_port=door.port)):
                pass


def send_half(association, dataset) -> None:
    """Send the command and a part of the data set of a C-STORE, and no end."""
    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = CT[0], dataset.SOPInstanceUID
    message = C_STORE_RQ()
    request.DataSet = BytesIO(encoded(dataset))
    message.primitive_to_message(request)
    context = association.accepted_contexts[0].context_id
    message.context_id = context
    command = next(iter(message.encode_msg(context, 16382)))
    association.dul.send_pdu(command)
    part = P_DATA()
    part.presentation_data_value_list = [[context, b"\0" + encoded(dataset)[:1000]]]
    association.dul.send_pdu(part)


@pytest.mark.parametrize("end", ["aborted", "lost"])
async def test_half_an_object_leaves_nothing_and_its_end_is_told(tmp_path, end):
    first, half = image("1.2.3.4"), image("1.2.3.4")
    async with open_door(settings_in(tmp_path)) as door:

        def talk():
            with associated(door.port, [CT]) as association:
                assert store_bytes(association, encoded(first), first.SOPInstanceUID).Status == 0
                send_half(association, half)
                until(lambda: door.incoming() and door.incoming()[0].stat().st_size > 1000)
                if end == "aborted":
                    association.abort()
                else:
                    association.dul.socket.socket.shutdown(socket.SHUT_RDWR)

        await asyncio.to_thread(talk)
        events = await published_when(door.settings, 2)
        (told,) = ended(events)
        assert (told.outcome, told.instances) == (end, 1)
        assert door.incoming() == []
        assert door.metric("associations") == 0


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\nHost: pacs\r\n\r\n",
        b"\x01\x00\xff\xff\xff\xff" + bytes(64),  # an A-ASSOCIATE-RQ of 4 GB
        b"\x04\x00\x00\x00\x00\x00",
        b"",
    ],
    ids=["http", "huge-pdu", "empty-pdu", "silence"],
)
async def test_noise_on_the_port_disturbs_nobody(tmp_path, noise):
    good = image()
    async with open_door(settings_in(tmp_path)) as door:

        def talk():
            with socket.create_connection(("127.0.0.1", door.port), 10) as wild:
                wild.sendall(noise)
                with associated(door.port, [CT]) as association:
                    assert store_bytes(association, encoded(good), good.SOPInstanceUID).Status == 0
                if noise:
                    wild.settimeout(10)
                    with contextlib.suppress(ConnectionResetError):
                        while wild.recv(4096):  # we close, not only they
                            pass

        await asyncio.to_thread(talk)
        await door.comes_to(1, "stored_total")


async def test_associations_are_bounded_and_told_so(tmp_path):
    async with open_door(settings_in(tmp_path, dicom_associations=2)) as door:

        def talk():
            with associated(door.port, [CT]) as one, associated(door.port, [CT]) as two:
                # transient, presentation service provider, local limit exceeded (PS3.8 9.3.4)
                assert rejection_of(door.port) == (2, 3, 2)
                assert one.is_established
                assert two.is_established
            until(lambda: door.metric("associations") == 0)
            with associated(door.port, [CT]) as four:
                assert four.is_established

        await asyncio.to_thread(talk)


async def test_what_inflates_without_measure_is_refused(tmp_path):
    deflated = (CT[0], str(DeflatedExplicitVRLittleEndian))
    bomb = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    data = bomb.compress(b"\x08\0\x01\0OB\0\0\0\0\0\x10" + bytes(1 << 28)) + bomb.flush()
    async with open_door(settings_in(tmp_path)) as door:

        def talk():
            with associated(door.port, [deflated]) as association:
                answer = store_bytes(association, data, "1.2.3.4", context=deflated)
                assert answer.Status == CANNOT_UNDERSTAND

        await asyncio.to_thread(talk)
        await door.comes_to(1, "refused_total", reason="bomb")
        assert door.originals() == door.incoming() == []


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MiB. Needs root, as CI has."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("reserve_mb", [0, 1], ids=["enospc", "reserve"])
async def test_a_full_disk_is_said_and_it_goes_on_when_there_is_room(tmp_path, small_disk, reserve_mb):
    settings = settings_in(tmp_path / "data", vault=str(small_disk / "vault"), disk_reserve_mb=reserve_mb)
    before, big, after = image(), image(side=700), image(side=700)  # 0.98 MB each of the large ones
    async with open_door(settings) as door:

        def talk():
            with associated(door.port, [CT]) as association:
                assert store_bytes(association, encoded(before), before.SOPInstanceUID).Status == 0
                filler = small_disk / "filler"
                with filler.open("wb") as file, contextlib.suppress(OSError):
                    free = door.registry.get_sample_value("chips_gateway_vault_free_bytes")
                    file.write(bytes(int(free) - 500_000 - reserve_mb * 500_000))
                for _ in range(3):
                    answer = store_bytes(association, encoded(big), big.SOPInstanceUID)
                    assert answer.Status == OUT_OF_RESOURCES
                    assert "room" in answer.ErrorComment.lower()
                    assert door.incoming() == []
                    assert len(door.originals()) == 1
                if reserve_mb:
                    assert "full" in door.problems()[0]
                filler.unlink()
                assert door.problems() == []
                for one in (big, after):
                    assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0

        await asyncio.to_thread(talk)
        events = await published_when(door.settings, 5)
        assert len(stored(events)) == 3
        await door.comes_to(3, "refused_total", reason="no-room")
        assert door.incoming() == []


async def test_the_bus_away_refuses_nothing_and_then_hears_all_in_order(tmp_path):
    settings = settings_in(tmp_path)
    sent = [image(f"1.2.3.{number % 3}", number=number) for number in range(30)]
    async with open_door(settings, migrate=False) as door:  # a bus without topics is as good as none

        def talk():
            with associated(door.port, [CT]) as association:
                for one in sent:
                    assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0
            until(lambda: door.metric("journal_backlog") == 33)
            until(door.notes)
            assert door.problems() == [], "it takes images, so it is ready"
            assert door.metric("bus_up") == 0

        await asyncio.to_thread(talk)
        assert await asyncio.to_thread(list, (door.vault / "journal").glob("*.journal"))
        await make_topics(settings)
        events = await published_when(settings, 33)
        await asyncio.to_thread(until, lambda: door.metric("journal_backlog") == 0)
        assert door.problems() == door.notes() == []
        assert door.metric("bus_up") == 1
    by_series: dict[str, list] = {}
    for event in events:
        by_series.setdefault(event.partitionkey, []).append(event)
    order = [one.received for one in stored(events)]
    assert len(set(order)) == 30
    for told in by_series.values():
        assert [one.received for one in stored(told)] == sorted(one.received for one in stored(told))
        assert [event.type for event in told[10:]] == ["chips.pacs.association.ended.v1"]


def congested(port) -> bool:
    """Tell whether a new association is refused, as transient temporary congestion (PS3.8, 9.3.4)."""
    said = rejection_of(port)
    assert said in (None, (2, 3, 1))
    return said is not None


@pytest.mark.parametrize("processes", [1, 2])
async def test_a_disk_that_runs_low_lets_nobody_in_and_keeps_those_who_are(tmp_path, small_disk, processes):
    settings = settings_in(
        tmp_path / "data", vault=str(small_disk / "vault"), disk_low_mb=4, dicom_processes=processes
    )
    sent = []
    async with open_door(settings) as door:

        def push(association, one) -> int:
            answer = store_bytes(association, encoded(one), one.SOPInstanceUID)
            sent.extend([one] if answer.Status == 0 else [])
            return answer.Status

        def talk():
            filler = small_disk / "filler"
            with associated(door.port, [CT]) as association:
                assert push(association, image()) == 0
                assert door.metric("congested") == 0
                filler.write_bytes(bytes(int(door.metric("vault_free_bytes")) - (5 << 20) // 2))
                assert congested(door.port)
                assert "CHIPS_DISK_LOW_MB" in door.problems()[0]
                assert door.metric("congested") == 1
                assert push(association, image(side=300)) == 0, "who is in, stores"
                with filler.open("ab") as file:
                    file.write(bytes(int(door.metric("vault_free_bytes")) - (1 << 19)))
                assert "full" in door.problems()[0]
                assert congested(door.port)
                assert push(association, image(side=300)) == OUT_OF_RESOURCES
                filler.unlink()
                assert door.problems() == []
                assert push(association, image(side=300)) == 0
            assert not congested(door.port)
            until(lambda: door.metric("associations_rejected_total", reason="disk-low") == 2)

        await asyncio.to_thread(talk)
        events = await published_when(door.settings, 4)
        assert len(stored(events)) == len(sent) == 3 == len(door.originals())


async def test_a_journal_that_waits_with_too_much_lets_nobody_in(tmp_path):
    settings = settings_in(tmp_path, journal_most=4)
    async with open_door(settings, migrate=False) as door:  # a bus without topics is as good as none

        def talk():
            with associated(door.port, [CT]) as association:
                for _ in range(6):
                    one = image()
                    assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0
                assert congested(door.port)
                assert "CHIPS_JOURNAL_MOST" in door.problems()[0]
                assert door.metric("congested") == 1

        await asyncio.to_thread(talk)
        await make_topics(settings)
        await asyncio.to_thread(until, lambda: door.metric("journal_backlog") == 0)
        assert door.problems() == []
        assert not await asyncio.to_thread(congested, door.port)
        assert len(stored(await published(settings))) == 6
