"""The format stamp: the data's format and who wrote it. A newer one is refused, an older one migrated."""

from __future__ import annotations

from datetime import datetime

import msgspec

from streams.errors import NewerFormat, Unavailable
from streams.store.api import Records, Stored
from streams.version import version

FORMAT = 1
"""The format that this CHIPS reads and writes. Each step up has a migration in every store."""

KIND, KEY = "format", "store"


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the store."""

    format: int
    written_by: str
    migrated: datetime


def encoded_stamp(number: int, now: datetime) -> bytes:
    """Encode this CHIPS' stamp of a format."""
    return msgspec.json.encode(Stamp(format=number, written_by=version(), migrated=now))


def steps(found: Stored | None) -> list[int]:
    """Give the formats to migrate to, in order; empty when the data has ours.

    Raises
    ------
    NewerFormat
        When a newer CHIPS wrote the data.
    """
    if found is None:
        return list(range(1, FORMAT + 1))
    stamp = msgspec.json.decode(found.body, type=Stamp)
    if stamp.format > FORMAT:
        raise NewerFormat(
            f"The store has format {stamp.format}, written by CHIPS {stamp.written_by}; this CHIPS knows "
            f"format {FORMAT}. Run that CHIPS or a newer one."
        )
    return list(range(stamp.format + 1, FORMAT + 1))


async def check_stamp(records: Records) -> None:
    """Tell whether the store has our format.

    Raises
    ------
    Unavailable
        When it has none or an older one, and ``chips migrate`` must run.
    NewerFormat
        When a newer CHIPS wrote the data.
    """
    if steps(await records.get(KIND, KEY)):
        raise Unavailable("The store has no tables of this format yet: run `chips migrate`")


async def write_stamp(records: Records, number: int, now: datetime) -> None:
    """Stamp the store with a format; to be done after all of its step is."""
    await records.put(KIND, KEY, encoded_stamp(number, now))
