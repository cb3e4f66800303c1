"""Seals what people write on its way in, and opens it on its way out to a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.command import EditComment, PostComment
from schemas.sealed import MAX_CLEAR, is_sealed
from schemas.views import FeedDetail
from streams.settings import Settings
from streams.store.api import Records
from ui.errors import Refused
from ui.subjects.key_file import file_of, wrapping_key
from ui.subjects.keys import Lost, SubjectKeys
from ui.subjects.sealing import Place, Unreadable, seal, unseal

# In a JSON string a quotation mark stands behind a backslash: these match a member, never a text.
_ROW = re.compile(rb'"kind":"(comment|edit)"')
_EVENT = b'"type":"chips.feed.comment.'

Keys = dict[str, bytes | Lost]


class Texts:
    """The texts of one project. What can't be shown is null with ``withheld``, a `Lost`, beside it."""

    def __init__(self, keys: SubjectKeys, project: str) -> None:
        self._keys = keys
        self._project = project

    async def sealed(self, data: msgspec.Struct, feed: str, author: str) -> msgspec.Struct:
        """Seal a command's text under its author's key; give other commands back as they are.

        Raises
        ------
        ui.errors.Refused
            When the text is blank or too long.
        streams.errors.Rejected
            When the author was erased.
        streams.errors.Unavailable
            When the store is away.
        """
        if not isinstance(data, PostComment | EditComment):
            return data
        if not data.text.strip():
            raise Refused(422, "A comment needs at least one letter: type one.")
        if len(data.text) > MAX_CLEAR:
            raise Refused(422, f"A comment has at most {MAX_CLEAR} characters: shorten it.")
        key = await self._keys.obtain(author)
        text = seal(key, Place(self._project, feed, data.comment, author), data.text)
        return msgspec.structs.replace(data, text=text)

    async def detail(self, detail: FeedDetail) -> dict[str, Any]:
        """Open the comments of a feed's page; give it as plain values."""
        shown: dict[str, Any] = msgspec.to_builtins(detail)
        keys = await self._keys_of(comment.author for comment in detail.comments)
        for at, one in enumerate(detail.comments):
            place = Place(self._project, detail.card.feed, one.comment, one.author)
            shown["comments"][at] |= _opened(keys[one.author], place, one.text)
        return shown

    async def rows(self, feed: str, bodies: list[bytes]) -> list[bytes]:
        """Open the encoded timeline rows of a feed."""
        told = {at: msgspec.json.decode(body) for at, body in enumerate(bodies) if _ROW.search(body)}
        keys = await self._keys_of(row.get("actor", "") for row in told.values())
        opened = list(bodies)
        for at, row in told.items():
            author = row.get("actor", "")
            place = Place(self._project, feed, row["comment"], author)
            opened[at] = msgspec.json.encode(row | _opened(keys[author], place, row["text"]))
        return opened

    async def event(self, feed: str, raw: bytes) -> bytes:
        """Open an encoded event of a feed."""
        if _EVENT not in raw:
            return raw
        event = msgspec.json.decode(raw)
        author, data = event.get("authid", ""), event["data"]
        keys = await self._keys_of([author])
        place = Place(self._project, feed, data["comment"], author)
        return msgspec.json.encode(event | {"data": data | _opened(keys[author], place, data["text"])})

    async def _keys_of(self, authors: Iterable[str]) -> Keys:
        return {author: await self._keys.find(author) for author in set(authors)}


def _opened(key: bytes | Lost, place: Place, stored: str) -> dict[str, Any]:
    """Give what a page is told of a text. One that an early release stored clear is shown as it is."""
    if key == "erased":
        return {"text": None, "withheld": "erased"}
    if not is_sealed(stored):
        return {"text": stored}
    if isinstance(key, bytes):
        try:
            return {"text": unseal(key, place, stored)}
        except Unreadable:
            pass
    return {"text": None, "withheld": "unreadable"}


async def open_texts(settings: Settings, records: Records) -> Texts:
    """Open the texts of the settings' project; raises what `wrapping_key` raises."""
    wrapping = await wrapping_key(file_of(settings), records)
    return Texts(SubjectKeys(records, wrapping), settings.project)
