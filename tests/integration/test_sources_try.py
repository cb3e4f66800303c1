"""`chips sources test`: what stands between us and a source, said in a word, and told to who shows it."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from pydicom.uid import CTImageStorage
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification

from deploy import trying_source
from deploy.exits import Exit
from deploy.trying_source import try_source
from gateway.peer import Peer
from gateway.verifying import verify
from schemas.catalogue import PACS, decode
from schemas.pacs import SourceTested
from streams.errors import Rejected
from streams.opening import open_tail
from tests.door import make_topics, settings_in
from tests.engines.ports import free_port


@contextlib.contextmanager
def serving(*, abstract=Verification, status=0x0000, called=None):
    ae = AE("SCANNER")
    ae.add_supported_context(abstract)
    ae.require_called_aet = called is not None
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, ae_title=called, evt_handlers=[(evt.EVT_C_ECHO, lambda _: status)]
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


async def test_one_without_an_address_or_that_nobody_named_is_refused(settings, tmp_path):
    (tmp_path / "sources.toml").write_text('[source.ct]\ncalling_ae = ["CT"]\n')
    with pytest.raises(Rejected, match="reply = "):
        await try_source("ct")
    with pytest.raises(Rejected, match="no source mr"):
        await try_source("mr")
