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
from ui.auth.sessions import COOKIE, SECURE_COOKIE, Sessions
from ui.live.hub import Hub
from ui.proxies import Network
from ui.subjects.texts import Texts


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
    texts: Texts
    hub: Hub
    clock: Clock
    proxies: tuple[Network, ...] = ()
    """Proxies whose word we take on where a request comes from."""

    @property
    def origin(self) -> str:
        """The origin that browsers must come from."""
        return self.settings.origin

    @property
    def secure(self) -> bool:
        """Whether browsers come by https, so that the session's cookie needs no other way."""
        return self.origin.startswith("https://")

    @property
    def cookie(self) -> str:
        """The name of the session's cookie."""
        return SECURE_COOKIE if self.secure else COOKIE


BACKEND: web.AppKey[Backend] = web.AppKey("backend", Backend)
