"""Which causes a stream has taken effect for, so that a command delivered twice happens once. Pure."""

from __future__ import annotations

import msgspec

from schemas.envelope import Event

KEPT = 512
"""Causes remembered of each sort; system commands are harmless by themselves when older, so that they may
not push out what people asked."""


class Handled(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Causation ids with the stream version that their last event brought, in order."""

    people: dict[str, int] = {}
    system: dict[str, int] = {}

    def version_of(self, cause: str) -> int | None:
        """Give the version that a cause brought the stream to; None when it is not known to be handled."""
        return self.people.get(cause) or self.system.get(cause)


def remember(handled: Handled, event: Event) -> Handled:
    """Note the cause of an event of the stream."""
    if event.causationid is None:
        return handled
    if event.authtype == "app_user":
        return Handled(people=_added(handled.people, event.causationid, event.version), system=handled.system)
    return Handled(people=handled.people, system=_added(handled.system, event.causationid, event.version))


def _added(known: dict[str, int], cause: str, version: int) -> dict[str, int]:
    rest = {key: at for key, at in known.items() if key != cause}
    for oldest in list(rest)[: max(0, len(rest) + 1 - KEPT)]:
        del rest[oldest]
    return {**rest, cause: version}
