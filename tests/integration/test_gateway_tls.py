"""The door with TLS: real senders get in with a certificate, nobody else does, and files rotate meanwhile."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import warnings

import pytest

from gateway.sending import send
from gateway.tls import sender_context
from tests.certificates import Paper, revocations
from tests.dcmtk import dcmtk
from tests.door import (
    CT,
    associated,
    command,
    encoded,
    image,
    in_thread,
    open_door,
    published_when,
    settings_in,
    store_bytes,
    stored,
    until,
    written,
)
from tests.engines.ports import free_port
from tests.orthanc import orthanc_sends

PROCESSES = pytest.mark.parametrize("processes", [1, 2])


class Papers:
    """What both sides show."""

    def __init__(self, folder):
        self.authority = Paper(folder, "authority")
        self.stranger = Paper(folder, "stranger")
        self.ours = Paper(folder, "chips", self.authority)
        self.modality = Paper(folder, "modality", self.authority)
        self.expired = Paper(folder, "expired", self.authority, days=-1)
        self.foreign = Paper(folder, "foreign", self.stranger)


@pytest.fixture
def papers(tmp_path):
    return Papers(tmp_path / "papers")


def settings_of(tmp_path, papers, processes, **changes):
    return settings_in(
        tmp_path / "data",
        **{
            "dicom_processes": processes,
            "dicom_tls_port": free_port(),
            "dicom_tls_certificate_file": str(papers.ours.certificate),
            "dicom_tls_key_file": str(papers.ours.key),
            "dicom_tls_client_ca_file": str(papers.authority.certificate),
        }
        | changes,
    )


def client(papers, shown=None, **changes):
    context = ssl.create_default_context(cafile=str(papers.authority.certificate))
    if shown:
        context.load_cert_chain(shown.certificate, shown.key)
    for name, value in changes.items():
        setattr(context, name, value)
    return (context, "localhost")


def dcmtk_tls(papers, shown):
    return ["+tls", str(shown.key), str(shown.certificate), "+cf", str(papers.authority.certificate)]


def refusal(port, context):
    """What a handshake fails with, whose fault the server finds it to be."""
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        pytest.raises(ssl.SSLError) as refused,
    ):
        context.wrap_socket(plain, server_hostname="localhost")
    return refused.value.reason


def push(port, tls_args, one):
    with associated(port, [CT], tls_args=tls_args) as association:
        assert association.is_established
        assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0


@PROCESSES
async def test_dcmtk_and_pynetdicom_send_with_a_certificate(tmp_path, papers, processes):
    paths = written(tmp_path / "out", [image("1.2.3.4", number=n, side=300) for n in range(6)])
    settings = settings_of(tmp_path, papers, processes)
    async with open_door(settings) as door:
        port = settings.dicom_tls_port
        code, output = await command(
            dcmtk("echoscu"), *dcmtk_tls(papers, papers.modality), "127.0.0.1", str(port)
        )
        assert code == 0, output
        code, output = await command(
            dcmtk("storescu"),
            *dcmtk_tls(papers, papers.modality),
            "+sd",
            "127.0.0.1",
            str(port),
            str(tmp_path / "out"),
        )
        assert code == 0, output
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            shown = client(papers, papers.modality, maximum_version=version)
            await asyncio.to_thread(push, port, shown, image("1.2.3.5", side=700))
        await asyncio.to_thread(push, door.port, None, image("1.2.3.6"))  # the plain port is there, too
        events = await published_when(settings, len(paths) + 3 + 4)
        assert len(stored(events)) == len(paths) + 3
        await door.comes_to(5, "associations_ended_total", outcome="released")


@PROCESSES
async def test_others_do_not_get_in_and_are_counted_by_why(tmp_path, papers, processes):
    settings = settings_of(tmp_path, papers, processes, dicom_plain=False)
    async with open_door(settings) as door:
        assert door.port == settings.dicom_tls_port

        def talk():
            for shown in (None, papers.expired, papers.foreign):
                with associated(door.port, [CT], tls_args=client(papers, shown)) as association:
                    assert not association.is_established
            with associated(door.port, [CT]) as association:  # no TLS at all
                assert not association.is_established
            for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
                old = client(papers, papers.modality)[0]
                old.set_ciphers("ALL:@SECLEVEL=0")
                with warnings.catch_warnings(action="ignore"):  # Python knows that they are old
                    old.minimum_version = old.maximum_version = version
                assert "VERSION" in refusal(door.port, old)
            weak = client(papers, papers.modality, maximum_version=ssl.TLSVersion.TLSv1_2)[0]
            weak.set_ciphers("ECDHE-ECDSA-AES256-SHA384:AES128-GCM-SHA256:@SECLEVEL=0")
            assert "HANDSHAKE" in refusal(door.port, weak)
            until(lambda: door.metric("associations_rejected_total", reason="tls-certificate") == 3)
            until(lambda: door.metric("associations_rejected_total", reason="tls-failed") == 4)
            push(door.port, client(papers, papers.modality), image())

        await asyncio.to_thread(talk)
        code, _ = await command(
            dcmtk("echoscu"), *dcmtk_tls(papers, papers.foreign), "127.0.0.1", str(door.port)
        )
        assert code != 0


@PROCESSES
async def test_connections_that_say_nothing_hinder_nobody(tmp_path, papers, processes):
    settings = settings_of(tmp_path, papers, processes)
    async with open_door(settings):

        def talk():
            idle = [socket.create_connection(("127.0.0.1", settings.dicom_tls_port), 10) for _ in range(8)]
            idle[0].sendall(b"\x16\x03\x01")  # and one that begins a handshake
            try:
                push(settings.dicom_tls_port, client(papers, papers.modality), image())
            finally:
                for one in idle:
                    one.close()

        await asyncio.wait_for(asyncio.to_thread(talk), 8)


@PROCESSES
async def test_the_certificate_rotates_under_an_open_association(tmp_path, papers, processes):
    settings = settings_of(tmp_path, papers, processes)
    newer = Paper(tmp_path / "newer", "chips", papers.authority)

    def shown_to_me():
        with (
            socket.create_connection(("127.0.0.1", settings.dicom_tls_port), 10) as plain,
            client(papers, papers.modality)[0].wrap_socket(plain, server_hostname="localhost") as wrapped,
        ):
            return ssl.DER_cert_to_PEM_cert(wrapped.getpeercert(binary_form=True))

    def same(pem, paper):
        return "".join(pem.split()) == "".join(paper.certificate.read_text().split())

    async with open_door(settings) as door:

        def talk():
            old = papers.ours.certificate.read_text()
            tls_args = client(papers, papers.modality)
            with associated(settings.dicom_tls_port, [CT], tls_args=tls_args) as association:
                assert same(shown_to_me(), papers.ours)
                shutil.copy(newer.certificate, papers.ours.certificate)
                assert "".join(shown_to_me().split()) == "".join(old.split())
                (note,) = door.notes()
                assert "TLS certificate" in note
                assert door.problems() == []
                shutil.copy(newer.key, papers.ours.key)
                assert same(shown_to_me(), newer)
                assert door.notes() == []
                one = image()
                assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0

        await asyncio.to_thread(talk)


@PROCESSES
async def test_the_end_of_the_door_ends_an_association_over_tls(tmp_path, papers, processes, monkeypatch):
    monkeypatch.setattr("gateway.run.CLOSE_S", 0.2)
    settings = settings_of(tmp_path, papers, processes)
    held = asyncio.Event()
    loop = asyncio.get_running_loop()
    outcome = []
    async with open_door(settings):

        def hold():
            tls_args = client(papers, papers.modality)
            with associated(settings.dicom_tls_port, [CT], tls_args=tls_args) as association:
                loop.call_soon_threadsafe(held.set)
                until(lambda: not association.is_established)
                outcome.append(association.is_aborted)

        thread = in_thread(hold)
        await held.wait()
    await asyncio.to_thread(thread.join, 10)
    assert outcome == [True]


@pytest.mark.parametrize(("days", "is_told"), [(13, True), (15, False)])
async def test_a_certificate_that_ends_soon_is_spoken_of(tmp_path, papers, days, is_told):
    papers.ours = Paper(tmp_path / "short", "chips", papers.authority, days=days)
    async with open_door(settings_of(tmp_path, papers, 1)) as door:
        assert [("ends at" in note) for note in door.notes()] == [True] * is_told
        assert door.problems() == []


async def test_a_certificate_that_was_revoked_gets_in_no_more(tmp_path, papers):
    settings = settings_of(tmp_path, papers, 1)
    other = Paper(tmp_path / "papers", "other", papers.authority)
    async with open_door(settings) as door:

        def talk():
            push(settings.dicom_tls_port, client(papers, papers.modality), image())
            authorities = papers.authority.certificate
            authorities.write_bytes(authorities.read_bytes() + revocations(papers.authority, papers.modality))
            shown = client(papers, papers.modality)
            with associated(settings.dicom_tls_port, [CT], tls_args=shown) as association:
                assert not association.is_established
            push(settings.dicom_tls_port, client(papers, other), image())
            until(lambda: door.metric("associations_rejected_total", reason="tls-certificate") == 1)

        await asyncio.to_thread(talk)


async def test_chips_send_sends_over_tls(tmp_path, papers):
    paths = written(tmp_path / "out", [image("1.2.3.4", number=n) for n in range(5)])
    settings = settings_of(tmp_path, papers, 1, dicom_plain=False)
    async with open_door(settings) as door:

        def sent(authority, *ours):
            return send(
                [tmp_path / "out"],
                "127.0.0.1",
                door.port,
                called_ae="CHIPS",
                calling_ae="SENDER",
                retries=0,
                manifest=tmp_path / f"{authority.certificate.name}.jsonl",
                tls=sender_context(authority.certificate, *ours),
            )

        ours = papers.modality.certificate, papers.modality.key
        assert not (await asyncio.to_thread(sent, papers.stranger, *ours)).complete
        assert (await asyncio.to_thread(sent, papers.authority, *ours)).complete
        assert len(stored(await published_when(settings, 6))) == len(paths)


async def test_orthanc_sends_with_a_certificate(tmp_path, papers):
    paths = written(tmp_path / "out", [image("1.2.3.4", number=n) for n in range(3)])
    settings = settings_of(tmp_path, papers, 1, dicom_plain=False)
    async with open_door(settings) as door:
        await orthanc_sends(
            tmp_path / "orthanc", paths, door.port, ours=papers.modality, authority=papers.authority
        )
        assert len(stored(await published_when(settings, 4))) == 3
