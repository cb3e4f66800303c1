"""`chips sources test`: what stands between us and a source, said in a word, and told to who shows it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading

import pytest
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from deploy import trying_source
from deploy.exits import Exit
from deploy.trying_source import try_source
from gateway.peer import Peer
from gateway.tls import TlsFiles, peer_context
from gateway.verifying import verify
from schemas.catalogue import PACS, decode
from schemas.pacs import SourceTested
from streams.errors import Misconfigured, Rejected
from streams.opening import open_tail
from tests.certificates import Paper
from tests.door import make_topics, settings_in
from tests.engines.ports import free_port


@contextlib.contextmanager
def serving(*, abstract=Verification, status=0x0000, called=None, context=None):
    ae = AE("SCANNER")
    ae.add_supported_context(abstract)
    ae.require_called_aet = called is not None
    server = ae.start_server(
        ("127.0.0.1", 0),
        block=False,
        ae_title=called,
        evt_handlers=[(evt.EVT_C_ECHO, lambda _: status)],
        ssl_context=context,
    )
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()


def outcome(port):
    found = verify(Peer("127.0.0.1", port, "SCANNER", "CHIPS"), 1.0)
    return found.outcome, found.detail


@pytest.mark.parametrize(
    ("options", "wanted", "detail"),
    [
        ({}, "ok", ""),
        ({"status": 0x0122}, "failed", "status 0122"),
        ({"abstract": CTImageStorage}, "no-echo", "no context"),
        ({"called": "OTHER"}, "rejected", "Called AE"),
    ],
)
def test_what_a_peer_answers(options, wanted, detail):
    with serving(**options) as port:
        found, said = outcome(port)
    assert found == wanted
    assert detail in said


def test_nobody_listens():
    assert outcome(free_port())[0] == "unreachable"


def test_one_that_takes_the_connection_and_says_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held = []
        threading.Thread(
            target=lambda: held.extend(listening.accept() for _ in range(2)), daemon=True
        ).start()
        assert outcome(listening.getsockname()[1])[0] == "silent"
        for connection, _ in held:
            connection.close()


@pytest.fixture
def papers(tmp_path):
    """Authority, peer, ours, and a peer and an authority that nobody knows."""
    authority = Paper(tmp_path, "authority")
    stranger = Paper(tmp_path, "other-authority")
    return {
        "authority": authority,
        "peer": Paper(tmp_path, "peer", authority),
        "ours": Paper(tmp_path, "ours", authority),
        "stranger": stranger,
        "peer of nobody": Paper(tmp_path, "peer-of-nobody", stranger),
    }


def files(papers) -> TlsFiles:
    ours = papers["ours"]
    return TlsFiles(
        certificate=str(ours.certificate),
        key=str(ours.key),
        client_ca=str(papers["authority"].certificate),
        client="required",
    )


def side(papers, certificate="peer", believes="authority") -> ssl.SSLContext:
    """The peer's side, which asks for our certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers[certificate].certificate, papers[certificate].key)
    context.load_verify_locations(papers[believes].certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def secured(papers, port, host="127.0.0.1"):
    found = verify(Peer(host, port, "SCANNER", "CHIPS", peer_context(files(papers))), 2.0)
    return found.outcome, found.detail


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_peer_is_asked_over_tls_and_what_it_does_not_like_is_told(papers, version):
    def on(**options):
        context = side(papers, **options)
        context.maximum_version = version
        return serving(context=context)

    with on() as port:
        assert secured(papers, port) == ("ok", "")
        assert outcome(port)[0] in {"silent", "failed"}, "without TLS it is not understood"
    with on(certificate="peer of nobody") as port:
        found, why = secured(papers, port)
        assert (found, "issuer" in why or "self" in why) == ("tls-failed", True), why
    with on(believes="stranger") as port:
        found, why = secured(papers, port)
        assert found == "tls-failed"
        assert why
    with serving() as port:
        assert secured(papers, port)[0] == "tls-failed"


@pytest.fixture
async def settings(tmp_path, monkeypatch):
    settings = settings_in(tmp_path, sources_file=str(tmp_path / "sources.toml"))
    await make_topics(settings)
    monkeypatch.setattr(trying_source, "settings_here", lambda: type("Found", (), {"settings": settings}))
    return settings


async def test_the_result_is_told_here_and_on_the_bus(settings, tmp_path, capsys):
    with serving() as port:
        reply = f'{{host = "127.0.0.1", port = {port}, ae = "SCANNER"}}'
        (tmp_path / "sources.toml").write_text(f'[source.ct]\ncalling_ae = ["CT"]\nreply = {reply}\n')
        assert await try_source("ct") == Exit.OK
    assert "It answered." in capsys.readouterr().out
    assert await try_source("ct") == Exit.NO
    assert "No connection" in capsys.readouterr().out
    tail, told = open_tail(settings), []
    async for record in tail.records([PACS.name], start="beginning"):
        told.append(decode(record.value).data)
        if len(told) == 2:
            break
    await tail.close()
    assert [(type(one), one.source, one.outcome) for one in told] == [
        (SourceTested, "ct", "ok"),
        (SourceTested, "ct", "unreachable"),
    ]


async def test_a_source_that_speaks_tls_is_asked_with_the_certificates_of_our_port(
    settings, tmp_path, papers, capsys, monkeypatch
):
    with serving(context=side(papers)) as port:
        reply = f'{{host = "127.0.0.1", port = {port}, ae = "SCANNER", tls = true}}'
        (tmp_path / "sources.toml").write_text(f'[source.ct]\ncalling_ae = ["CT"]\nreply = {reply}\n')
        with pytest.raises(Misconfigured, match="CHIPS_DICOM_TLS_CLIENT_CA_FILE"):
            await try_source("ct")
        monkeypatch.setattr(trying_source, "files_of", lambda _: files(papers))
        assert await try_source("ct") == Exit.OK
    assert "It answered." in capsys.readouterr().out


async def test_one_without_an_address_or_that_nobody_named_is_refused(settings, tmp_path):
    (tmp_path / "sources.toml").write_text('[source.ct]\ncalling_ae = ["CT"]\n')
    with pytest.raises(Rejected, match="reply = "):
        await try_source("ct")
    with pytest.raises(Rejected, match="no source mr"):
        await try_source("mr")
