"""Storage commitment with pynetdicom as the sender: asked, answered, and told in every way that it may be."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE
from pynetdicom.sop_class import StorageCommitmentPushModel, StorageCommitmentPushModelInstance

from gateway.commitment.messages import SOP_CLASS, SYNTAXES
from gateway.dul import commands, pdus
from gateway.dul.stream import MAX_PDU
from schemas.pacs import SeriesAnnounced
from streams.errors import Misconfigured
from tests.bench.processes import peak_mb, tree
from tests.bench.sender import read_pdu, release_request
from tests.certificates import Paper
from tests.commitment import COMMITMENT, Listening, Told, act, of, request, sent
from tests.door import (
    CT,
    PATIENT,
    Door,
    DoorProcess,
    associated,
    encoded,
    image,
    make_topics,
    new_uid,
    open_door,
    published_when,
    request_pdu,
    settings_in,
    until,
)
from tests.engines.ports import free_port


def sources(folder: Path, reply: str = "", permissions: str = '"store", "commit"') -> str:
    file = folder / "sources.toml"
    file.write_text(
        f'[source.ct-2]\ncalling_ae = ["TESTER"]\npermissions = [{permissions}]\n{reply}\n', encoding="utf-8"
    )
    return str(file)


def answered(door: Door, outcome: str) -> float:
    return door.metric("commitment_reports_total", outcome=outcome)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("syntax", SYNTAXES)
async def test_what_is_kept_and_what_is_not_is_told_on_the_same_association(tmp_path, processes, syntax):
    images = [image("1.2.3.4", number=number) for number in (1, 2)]
    away, other = (CT[0], new_uid()), ("1.2.840.10008.5.1.4.1.1.4", str(images[0].SOPInstanceUID))
    listening = Listening()

    def ask(port: int) -> None:
        sent(port, images)
        with associated(port, [(SOP_CLASS, syntax)], evt_handlers=listening.handlers) as association:
            assert act(association, request(of(images), "1.2.1")) == 0
            until(lambda: len(listening.reports) == 1)
            assert act(association, request([*of(images[1:]), away, other], "1.2.2")) == 0
            until(lambda: len(listening.reports) == 2)

    async with open_door(settings_in(tmp_path, dicom_processes=processes)) as door:
        await asyncio.to_thread(ask, door.port)
        await asyncio.to_thread(until, lambda: answered(door, "answered") == 2)
        await door.comes_to(1, "commitments_total", outcome="kept")
        await door.comes_to(1, "commitments_total", outcome="incomplete")
        assert list((door.vault / "reports").iterdir()) == []
        events = await published_when(door.settings, 5)
    uids = [str(one.SOPInstanceUID) for one in images]
    assert listening.reports == [
        Told(1, "1.2.1", uids, {}),
        Told(2, "1.2.2", uids[1:], {away[1]: 0x0112, other[1]: 0x0119}),
    ]
    lists = [one.data for one in events if isinstance(one.data, SeriesAnnounced)]
    assert {(one.by, one.instances, len(one.listed)) for one in lists} == {
        ("commitment", 2, 2),
        ("commitment", 3, 3),
    }


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("how", ["released", "aborted", "failed"])
async def test_a_report_that_was_not_taken_comes_on_an_association_of_ours(tmp_path, processes, how):
    images = [image()]
    here, there = Listening(0x0110), Listening()

    def ask(port: int) -> None:
        sent(port, images)
        handlers = here.handlers if how == "failed" else []
        with associated(port, [COMMITMENT], evt_handlers=handlers) as association:
            if how == "failed":
                assert act(association, request(of(images))) == 0
                until(lambda: here.reports)
            else:
                # Deaf to the report, as a sender is that hears it elsewhere.
                association.dimse.receive_primitive = _only_answers(association.dimse.receive_primitive)
                assert act(association, request(of(images))) == 0
            if how == "aborted":
                association.abort()

    with there.server() as reply:
        rules = sources(tmp_path, f'reply = {{host = "127.0.0.1", port = {reply}, ae = "CT2"}}')
        settings = settings_in(tmp_path / "data", dicom_processes=processes, sources_file=rules)
        async with open_door(settings) as door:
            await asyncio.to_thread(ask, door.port)
            await asyncio.to_thread(until, lambda: answered(door, "delivered") == 1)
            assert list((door.vault / "reports").iterdir()) == []
    assert there.reports == [Told(1, "1.2.3", [str(images[0].SOPInstanceUID)], {})]
    assert there.callers == ["ANY-SCP"]  # the name by which the sender called us


def _only_answers(take: Any) -> Any:
    """Let through what answers, and no request: pynetdicom would answer a report by itself."""

    def receive(primitive: Any) -> None:
        command = primitive.presentation_data_value_list[0][1]
        if command[0] & 1 and b"\x00\x00\x00\x01\x02\x00\x00\x00\x00\x01" in command:
            receive.deaf = True  # type: ignore[attr-defined]
        if not getattr(receive, "deaf", False):
            take(primitive)

    return receive


async def test_a_report_comes_over_tls_where_its_address_says_so(tmp_path):
    authority = Paper(tmp_path, "authority")
    ours, theirs = Paper(tmp_path, "ours", authority), Paper(tmp_path, "theirs", authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs.certificate, theirs.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    there = Listening()

    def ask(port: int) -> None:
        with associated(port, [COMMITMENT]) as association:
            association.dimse.receive_primitive = _only_answers(association.dimse.receive_primitive)
            assert act(association, request([(CT[0], "1.2.3")])) == 0

    with there.server(context) as reply:
        rules = sources(tmp_path, f'reply = {{host = "127.0.0.1", port = {reply}, ae = "CT2", tls = true}}')
        settings = settings_in(tmp_path / "data", sources_file=rules)
        with pytest.raises(Misconfigured, match="tls = true"):
            async with open_door(settings):
                pass
        secured = settings_in(
            tmp_path / "data",
            sources_file=rules,
            dicom_tls_port=0,
            dicom_tls_certificate_file=str(ours.certificate),
            dicom_tls_key_file=str(ours.key),
            dicom_tls_client_ca_file=str(authority.certificate),
        )
        async with open_door(secured, migrate=False) as door:
            await asyncio.to_thread(ask, door.port)
            await asyncio.to_thread(until, lambda: answered(door, "delivered") == 1)
    assert [one.failed for one in there.reports] == [{"1.2.3": 0x0112}]


async def test_without_an_address_it_is_said_that_nobody_heard(tmp_path):
    def ask(port: int) -> None:
        with associated(port, [COMMITMENT]) as association:
            association.dimse.receive_primitive = _only_answers(association.dimse.receive_primitive)
            assert act(association, request([(CT[0], "1.2.3")])) == 0

    async with open_door(settings_in(tmp_path)) as door:
        await asyncio.to_thread(ask, door.port)
        await asyncio.to_thread(until, lambda: answered(door, "no-address") == 1)
        assert list((door.vault / "reports").iterdir()) == []


async def test_a_report_outlives_the_gateway(tmp_path, monkeypatch):
    there, port = Listening(), free_port()
    rules = sources(tmp_path, f'reply = {{host = "127.0.0.1", port = {port}, ae = "CT2"}}')
    monkeypatch.setenv("CHIPS_SOURCES_FILE", rules)
    settings = settings_in(tmp_path / "data", dicom_port=free_port(), sources_file=rules)
    await make_topics(settings)

    def ask() -> None:
        gateway = DoorProcess(settings, tmp_path / "log")
        try:
            with associated(settings.dicom_port, [COMMITMENT]) as association:
                association.dimse.receive_primitive = _only_answers(association.dimse.receive_primitive)
                assert act(association, request([(CT[0], "1.2.3")])) == 0
                gateway.kill()
        finally:
            gateway.kill()

    await asyncio.to_thread(ask)
    ae = AE("CT2")
    ae.add_supported_context(StorageCommitmentPushModel, scu_role=False, scp_role=True)
    serving = ae.start_server(("127.0.0.1", port), block=False, evt_handlers=there.handlers)
    try:
        async with open_door(settings, migrate=False) as door:
            await asyncio.to_thread(until, lambda: answered(door, "delivered") == 1)
    finally:
        serving.shutdown()
    assert [one.failed for one in there.reports] == [{"1.2.3": 0x0112}]


async def test_what_can_not_be_asked_is_refused_and_the_association_goes_on(tmp_path):
    one, listening = image(), Listening()
    unreadable = request([(CT[0], "not a UID")])
    empty = Dataset()
    empty.TransactionUID = "1.2.3"

    def ask(port: int) -> list[int]:
        with associated(port, [COMMITMENT, CT], evt_handlers=listening.handlers) as association:
            assert association.send_c_store(one).Status == 0
            asked = request(of([one]))
            found = [
                act(association, asked, instance="1.2.3"),
                act(association, asked, sop_class="1.2.3"),
                act(association, asked, action=2),
                act(association, unreadable),
                act(association, empty),
                act(association, None),
            ]
            assert act(association, asked) == 0
            until(lambda: listening.reports)
            return found

    async with open_door(settings_in(tmp_path)) as door:
        assert await asyncio.to_thread(ask, door.port) == [0x0112, 0x0118, 0x0123, 0x0110, 0x0110, 0x0110]
        await door.comes_to(6, "commitments_total", outcome="refused")
        await door.comes_to(1, "commitments_total", outcome="kept")


async def test_a_source_that_may_not_ask_is_told_so(tmp_path):
    def ask(port: int) -> int:
        with associated(port, [COMMITMENT]) as association:
            return act(association, request([(CT[0], "1.2.3")]))

    rules = sources(tmp_path, permissions='"store"')
    async with open_door(settings_in(tmp_path / "data", sources_file=rules)) as door:
        assert await asyncio.to_thread(ask, door.port) == 0x0124


async def test_only_little_endian_is_agreed_on(tmp_path):
    def accepted(port: int) -> bool:
        with associated(port, [(SOP_CLASS, "1.2.840.10008.1.2.2")]) as association:
            return bool(association.is_established)

    async with open_door(settings_in(tmp_path)) as door:
        assert not await asyncio.to_thread(accepted, door.port)


async def test_a_request_of_fifty_thousand_objects_is_answered_within_bounds(tmp_path):
    """Over a bare socket: pynetdicom gives up on itself while it decodes such a report on a busy machine."""
    one = image()
    references = [*of([one]), *((CT[0], f"2.25.{10**38 + number}") for number in range(49_999))]
    asked = encoded(request(references))

    def ask(port: int) -> bytes:
        sent(port, [one])
        with socket.create_connection(("127.0.0.1", port), 120) as connection:
            connection.sendall(request_pdu(context_of=COMMITMENT))
            assert read_pdu(connection)[0] == 2
            connection.sendall(pdus.command_pdu(1, ACTION))
            for pdu in pdus.data_set_pdus(1, asked, MAX_PDU):
                connection.sendall(pdu)
            assert SUCCESS in read_pdu(connection)
            report = read_report(connection)
            connection.sendall(release_request())
            read_pdu(connection)
            return report

    def peaks() -> dict[int, float]:
        return {pid: peak_mb(pid) for pid in tree(os.getpid()) if pid != os.getpid()}

    async with open_door(settings_in(tmp_path, dicom_processes=2)) as door:
        before = peaks()
        report = await asyncio.to_thread(ask, door.port)
        grown = max(peak - before[pid] for pid, peak in peaks().items())
    no_such_instance = b"\x08\x00\x97\x11US\x02\x00" + struct.pack("<H", 0x0112)
    assert report.count(no_such_instance) == 49_999
    assert report.count(str(one.SOPInstanceUID).encode()) == 1
    assert report.count(b"\xfe\xff\x00\xe0") == 50_000
    assert grown < 64, f"{grown:.0f} MB"


ACTION = commands.encode(
    {
        commands.REQUESTED_SOP_CLASS: commands.uid_value(SOP_CLASS),
        commands.COMMAND_FIELD: commands.short_value(commands.Field.N_ACTION),
        commands.MESSAGE_ID: commands.short_value(1),
        commands.DATA_SET_TYPE: commands.short_value(0),
        commands.REQUESTED_SOP_INSTANCE: commands.uid_value(str(StorageCommitmentPushModelInstance)),
        commands.ACTION_TYPE: commands.short_value(1),
    }
)
SUCCESS = struct.pack("<HHIH", 0, commands.STATUS, 2, 0)


def read_report(connection: socket.socket) -> bytes:
    """Read an N-EVENT-REPORT, and answer that it is taken; give its data set."""
    command, report = bytearray(), bytearray()
    while True:
        for fragment in pdus.fragments(memoryview(read_pdu(connection))[pdus.HEAD.size :]):
            (command if fragment.is_command else report).extend(fragment.data)
            if fragment.is_last and not fragment.is_command:
                taken = commands.response(commands.parse(command), commands.SUCCESS)
                connection.sendall(pdus.command_pdu(1, taken))
                return bytes(report)


async def test_a_list_that_is_too_long_is_refused_and_takes_no_memory(tmp_path):
    listening = Listening()

    def ask(port: int) -> tuple[int, int]:
        with associated(port, [COMMITMENT], evt_handlers=listening.handlers) as association:
            asked = request([(CT[0], "1.2.3")])
            asked.add_new(0x00091010, "OB", bytes(17 * 1024 * 1024))
            found = act(association, asked), act(association, request([(CT[0], "1.2.3")]))
            until(lambda: listening.reports)
            return found

    async with open_door(settings_in(tmp_path)) as door:
        assert await asyncio.to_thread(ask, door.port) == (0x0213, 0)


async def test_nothing_of_a_request_is_logged(tmp_path, capfd):
    one, listening = image(), Listening()

    def ask(port: int) -> None:
        sent(port, [one])
        with associated(port, [COMMITMENT], evt_handlers=listening.handlers) as association:
            assert act(association, request(of([one]), "1.2.3.4.5.6")) == 0
            until(lambda: listening.reports)

    async with open_door(settings_in(tmp_path, dicom_processes=2, log_level="debug")) as door:
        await asyncio.to_thread(ask, door.port)
    lines = "".join(capfd.readouterr())
    assert "commitment.answered" in lines
    for value in (str(one.SOPInstanceUID), "1.2.3.4.5.6", PATIENT):
        assert value not in lines
