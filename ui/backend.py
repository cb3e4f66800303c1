"""What the handlers work with: the ports, opened by the entry point."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from streams.blobs import Blobs
from streams.bus import Producer
from streams.clock import Clock
from streams.settings import Settings
from streams.store.api import Store
from ui.auth.accounts import Accounts
from ui.auth.limit import LoginLimit
from ui.auth.sessions import Sessions
from ui.live.hub import Hub
from ui.proxies import Network


@dataclass(frozen=True, kw_only=True)
class Backend:
    """The ports of one ui process."""

    settings: Settings
    store: Store
    producer: Producer
    blobs: Blobs
    accounts: Accounts
    sessions: Sessions
    limit: LoginLimit
    hub: Hub
    clock: Clock
    proxies: tuple[Network, ...] = ()
    """Proxies whose word we take on where a request comes from."""

    @property
    def origin(self) -> str:
        """The origin that browsers must come from."""
        return self.settings.origin


BACKEND: web.AppKey[Backend] = web.AppKey("backend", Backend)
