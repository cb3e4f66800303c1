from __future__ import annotations

import asyncio
import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.command import EditComment, PostComment, TagFeed
from schemas.envelope import encode, sequence_of
from schemas.feed import CommentPosted
from schemas.identity import feed_stream
from schemas.make import first
from schemas.samples import NOON
from schemas.sealed import is_sealed
from streams.errors import Rejected
from streams.projections.timeline import timeline_row
from streams.store.memory.store import MemoryStore
from tests.sealing import sealed
from ui.subjects.keys import SubjectKeys, destroy
from ui.subjects.sealing import new_key
from ui.subjects.texts import Texts

FEED, COMMENT = str(uuid.uuid4()), str(uuid.uuid4())


class Desk:
    """Texts over a store in memory; its clock stands still, so that what is known stays known."""

    def __init__(self) -> None:
        self.records = MemoryStore().records
        self.wrapping = new_key()
        self.texts = self.another()

    def another(self) -> Texts:
        return Texts(SubjectKeys(self.records, self.wrapping, monotonic=lambda: 0.0), "default")

    async def says(self, text: str, author: str = "ana") -> str:
        data = await self.texts.sealed(PostComment(comment=COMMENT, text=text), FEED, author)
        return data.text


def event(text: str, author: str | None = "ana", comment: str = COMMENT):
    made = first(
        CommentPosted(comment=comment, text=text),
        event_id=str(uuid.uuid4()),
        source="/chips/tests",
        subject=feed_stream("default", FEED),
        time=NOON,
        authtype="app_user",
        authid=author,
    )
    return msgspec.structs.replace(made, sequence=sequence_of(1))


async def read(texts: Texts, one, feed: str = FEED):
    """Read it as an event and as a row, which must tell alike."""
    told = msgspec.json.decode(await texts.event(feed, encode(one)))["data"]
    (body,) = await texts.rows(feed, [msgspec.json.encode(timeline_row(one))])
    row = msgspec.json.decode(body)
    assert (row["text"], row.get("withheld")) == (told["text"], told.get("withheld"))
    return told["text"], told.get("withheld")


async def test_only_texts_of_people_are_sealed_and_each_under_its_author():
    desk = Desk()
    tag = TagFeed(tag="x")
    assert await desk.texts.sealed(tag, FEED, "ana") is tag
    edit = await desk.texts.sealed(EditComment(comment=COMMENT, text="hello"), FEED, "ana")
    assert is_sealed(edit.text)
    assert edit.text == await desk.says("hello")
    assert edit.text != await desk.says("hello", "ben")
    assert len(await desk.records.list("subject_key")) == 2


async def test_a_text_that_looks_sealed_is_sealed_like_any():
    desk = Desk()
    text = sealed("as if")
    assert await read(desk.texts, event(await desk.says(text))) == (text, None)


async def test_moved_or_made_up_texts_are_unreadable_and_raise_nothing():
    desk = Desk()
    said = await desk.says("hello")
    await desk.says("hello", "ben")
    unreadable = (None, "unreadable")
    assert await read(desk.texts, event(said, "ben")) == unreadable
    assert await read(desk.texts, event(said, comment=str(uuid.uuid4()))) == unreadable
    assert await read(desk.texts, event(said), feed=str(uuid.uuid4())) == unreadable
    assert await read(desk.texts, event(sealed("as if"))) == unreadable
    assert await read(desk.texts, event(said, "nobody")) == unreadable
    assert await read(desk.texts, event(said, None)) == unreadable
    await desk.records.put("subject_key", "ana", b"rubbish")
    assert await read(desk.another(), event(said)) == unreadable


@given(st.text(min_size=1, max_size=100).filter(lambda text: text.isprintable()))
def test_what_was_stored_clear_is_shown_as_it_is_until_its_author_is_erased(text):
    async def play():
        desk = Desk()
        assert await read(desk.texts, event(text)) == (text, None)
        await destroy(desk.records, "ana")
        assert await read(desk.texts, event(text)) == (None, "erased")

    asyncio.run(play())


async def test_whatever_is_no_comment_passes_untouched():
    desk = Desk()
    raw = encode(event("x")).replace(b"comment.posted", b"tagged") + b" "
    assert await desk.texts.event(FEED, raw) is raw
    row = b'{"kind":"tagged","text":"\\"kind\\":\\"comment\\""}'
    assert await desk.texts.rows(FEED, [row]) == [row]


async def test_nothing_is_sealed_for_an_erased_author_by_a_process_that_did_not_know_the_key():
    desk = Desk()
    await destroy(desk.records, "ana")
    with pytest.raises(Rejected, match="erased"):
        await desk.says("hello")
