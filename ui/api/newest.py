"""The newest of many cards. The view has them by key, which tells no time, so that all are looked at."""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from streams.store.api import Views

PAGE = 1_000
"""Cards in one read."""
MAX_READ = 20_000
"""Cards that are looked at to find the newest; the rest of a project that has more is left out."""


class Head(msgspec.Struct, frozen=True):
    """What of a card decides whether it is shown, and what is asked about it."""

    feed: str
    state: str
    created: datetime
    updated: datetime
    series: list[str]


class Found(NamedTuple):
    """A card, and its row as it rests in the view."""

    head: Head
    body: bytes


class Newest(NamedTuple):
    """The cards that changed last, newest first, and how many there are at least beside them."""

    cards: list[Found]
    more: int


_HEAD = msgspec.json.Decoder(Head)


async def pages(views: Views, project: str) -> AsyncIterator[list[Found]]:
    """Yield a project's cards by key, page by page, at most `MAX_READ`."""
    after, read = "", 0
    while read < MAX_READ:
        rows = await views.rows("card", project, "", after=after, limit=PAGE)
        if rows:
            yield [Found(_HEAD.decode(row.body), row.body) for row in rows]
        if len(rows) < PAGE:
            return
        after, read = rows[-1].key, read + len(rows)


async def newest(views: Views, project: str, limit: int) -> Newest:
    """Give the `limit` cards that changed last."""
    kept: list[Found] = []
    read = 0
    async for page in pages(views, project):
        read += len(page)
        kept = heapq.nlargest(limit, [*kept, *page], key=lambda found: found.head.updated)
    return Newest(kept, read - len(kept))
