"""``chips announce``: say what a series consists of, by the UIDs that the hospital knows. Inner zone."""

from __future__ import annotations

import re
from pathlib import Path

from deploy.exits import Exit
from deploy.process import settings_here
from deploy.terminal import say
from gateway.announcing import Announcement, announce_count, announce_list
from gateway.identity import ProjectKey, instance_key, series_key
from gateway.keys import Keyring
from schemas.envelope import Event
from streams.clock import utc_now
from streams.errors import Rejected
from streams.ids import fresh_id
from streams.opening import open_producer
from streams.publishing import publish

MOST = 1_000_000
"""Images of a series that can be announced."""
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LIST_BYTES = MOST * 66
"""UIDs have 64 characters at most."""


async def announce(series_uid: str, *, instances: int | None, listed: Path | None) -> int:
    """Announce a series: how many images it has, or which.

    Raises
    ------
    streams.errors.Rejected
        When a UID is none, neither or both were said, or the project has no key yet.
    streams.errors.Unavailable
        When the bus is away.
    """
    settings = settings_here().settings
    _check_uid(series_uid, "The series UID")
    key = Keyring(settings.path("vault")).known_key(settings.project)
    if key is None:
        raise Rejected(
            f"Project {settings.project} has no key yet: announce where the vault is, once the gateway ran."
        )
    events = _events(key, series_uid, instances, listed)
    producer = open_producer(settings)
    try:
        await publish(producer, events)
    finally:
        await producer.close()
    say(f"Announced: {events[0].data.instances} images.")
    return Exit.OK


def _events(key: ProjectKey, series_uid: str, instances: int | None, listed: Path | None) -> list[Event]:
    announcement = Announcement(key.project, "announcement", fresh_id(), utc_now())
    series = series_key(key, series_uid)
    if (instances is None) == (listed is None):
        raise Rejected(
            "Say how many images the series has (--instances N) or which (--list FILE), one of them."
        )
    if listed is not None:
        return announce_list(announcement, series, [instance_key(key, uid) for uid in _uids(listed)])
    if instances is None or not 1 <= instances <= MOST:
        raise Rejected(f"--instances takes 1 to {MOST}.")
    return announce_count(announcement, series, instances)


def _uids(file: Path) -> list[str]:
    if not file.is_file() or file.stat().st_size > _LIST_BYTES:
        raise Rejected(f"{file} is no file with at most {MOST} UIDs, one a line.")
    try:
        lines = file.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected(f"{file} can't be read as a list of UIDs.") from error
    for number, line in enumerate(lines, 1):
        _check_uid(line, f"UID {number} of {file}")
    if not lines:
        raise Rejected(f"{file} lists no UID.")
    return lines


def _check_uid(uid: str, what: str) -> None:
    # Without its value: it is the hospital's.
    if len(uid) > 64 or not _UID.fullmatch(uid):  # noqa: PLR2004 - the length of a UID (PS3.5, 9.1)
        raise Rejected(f"{what} is no UID: those are digits and dots, 64 characters at most.")
