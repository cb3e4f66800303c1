"""``chips sources test``: whether a source can be reached, told here and to who shows it."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from deploy.exits import Exit
from deploy.process import settings_here
from deploy.terminal import say
from gateway.admission import Source
from gateway.peer import Peer
from gateway.sources.loading import load
from gateway.tls import files_of, peer_context
from gateway.verifying import TIMEOUT_S, Verified, verify
from schemas.envelope import Event
from schemas.make import first
from schemas.pacs import SourceTested, TestOutcome
from streams.clock import utc_now
from streams.errors import Misconfigured, Rejected
from streams.ids import fresh_id
from streams.opening import open_producer
from streams.publishing import publish
from streams.settings import Settings

WORDS: Final[dict[TestOutcome, str]] = {
    "ok": "It answered.",
    "unreachable": "No connection: check host, port, firewall, and that it runs.",
    "tls-failed": "It took the connection and there is no TLS with it: check that this port speaks TLS, "
    "that its certificate is of this name and of an authority in CHIPS_DICOM_TLS_CLIENT_CA_FILE, and that it "
    "knows the authority of ours.",
    "silent": f"It took the connection and did not answer within {TIMEOUT_S:g} s: "
    "check whether TLS is spoken on this port; `reply` says so by tls = true.",
    "rejected": "It refused the association: make our AE title known to it, check the AE title in `reply`.",
    "no-echo": "It took the association and offers no Verification: it can't be tested, and may work.",
    "failed": "It broke off or failed on the C-ECHO: see its log.",
}


async def try_source(name: str) -> int:
    """Test a source.

    Raises
    ------
    streams.errors.Misconfigured
        When there is no file of sources, it can't be followed, or the source needs certificates that can't be
        used.
    streams.errors.Rejected
        When it names no such source, or not where it takes answers.
    streams.errors.Unavailable
        When the bus is away.
    """
    settings = settings_here().settings
    source = _named(settings, name)
    if source.reply is None:
        raise Rejected(
            f'Source {name} has no address: add reply = {{host = "…", port = 104, ae = "…"}} to it in '
            f"{settings.sources_file}."
        )
    tls = peer_context(files_of(settings)) if source.reply.is_tls else None
    peer = Peer(source.reply.host, source.reply.port, source.reply.ae, settings.dicom_ae, tls)
    verified = await asyncio.to_thread(verify, peer)
    detail = f" ({verified.detail})" if verified.detail else ""
    say(f"{name}, {peer.called_ae} at {peer.host}:{peer.port}, {verified.seconds:.1f} s: ")
    say(f"{WORDS[verified.outcome]}{detail}")
    producer = open_producer(settings)
    try:
        await publish(producer, [_event(source.project or settings.project, name, verified, utc_now())])
    finally:
        await producer.close()
    return Exit.OK if verified.outcome == "ok" else Exit.NO


def _named(settings: Settings, name: str) -> Source:
    if not settings.sources_file:
        raise Misconfigured("There is no file of sources: set CHIPS_SOURCES_FILE.")
    for rule in load(Path(settings.sources_file)).sources:
        if rule.source.name == name:
            return rule.source
    raise Rejected(f"{settings.sources_file} has no source {name}: `chips sources check` lists them.")


def _event(project: str, name: str, verified: Verified, now: datetime) -> Event:
    return first(
        SourceTested(project=project, source=name, outcome=verified.outcome, seconds=verified.seconds),
        event_id=fresh_id(),
        source="/chips/sources",
        subject=f"source/{project}/{quote(name, safe='')}",
        time=now,
    )
