"""A bus in a list, and what tests ask of the ui."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import uuid_utils

from schemas.catalogue import decode
from schemas.envelope import encode
from schemas.identity import BlobRef, derived_id
from schemas.image import SeriesAttributes
from schemas.job import Artefact
from schemas.make import derived
from schemas.views import Card, FeedDetail, RunView, SeriesView
from streams.bus import Message, Position, Record
from streams.store.api import Row
from streams.store.memory.store import MemoryStore
from ui.live.connection import Connection
from ui.subjects.keys import SubjectKeys
from ui.subjects.sealing import new_key
from ui.subjects.texts import Texts

FEED = derived_id("test", "feed")
SERIES = "a" * 32
PASSWORD = "correct horse battery"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Bus:
    """A producer and a tail over one list; decides commands when told how."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.records_: asyncio.Queue[Record] = asyncio.Queue()
        self.decide = None

    async def send(self, message: Message) -> Position:
        self.sent.append(message)
        if self.decide:
            event = decode(message.value)
            answer = derived(
                self.decide(event), cause=event, consumer="feeds", subject=event.subject, recorded=event.time
            )
            self.tell("chips.reply.v1", encode(answer))
        return Position(message.topic, 0, len(self.sent))

    def tell(self, topic: str, value: bytes) -> None:
        self.records_.put_nowait(Record(topic, 0, 0, 0, None, value))

    async def ends(self, topics):
        return {}

    async def records(self, topics, *, start):
        while True:
            yield await self.records_.get()

    async def close(self) -> None:
        pass


def tab_of(socket, store: MemoryStore, account: str = "ana") -> Connection:
    """A tab over a store."""
    texts = Texts(SubjectKeys(store.records, new_key()), "default")
    return Connection(socket, store, "default", account, texts)


async def login(client, password=PASSWORD, name="ana"):
    answer = await client.post("/api/login", json={"name": name, "password": password})
    if answer.status == 200:
        client.session.headers["X-CSRF-Token"] = (await answer.json())["csrf"]
    return answer


def card_of(feed: str, **changed) -> Card:
    card = Card(
        project="default",
        feed=feed,
        version=3,
        title="A study",
        tags=[],
        state="done",
        created=NOW,
        updated=NOW,
        patients=["b" * 32],
        studies=1,
        series=[SERIES],
        modalities=["MR"],
        attributes=SeriesAttributes(),
        anonymized=1,
        quarantined=0,
        conflicts=0,
        measured=1,
        not_volumes=0,
        failed=0,
        comments=0,
        people=[],
        pictures=[],
        steps=["succeeded"],
    )
    return msgspec.structs.replace(card, **changed)


async def put_card(backend, card: Card) -> None:
    await backend.store.views.put("card", 1, [Row("default", "", card.feed, 3, msgspec.json.encode(card))])


async def put_feed(backend, picture: BlobRef, comments=()) -> None:
    artefact = Artefact(name="key.webp", role="key_slice", blob=picture)
    card = card_of(FEED, pictures=[artefact])
    run = RunView(
        job=derived_id("test", "job"), plugin="volumetry", state="succeeded", version=1, artefacts=[artefact]
    )
    series = SeriesView(study="c" * 32, series=SERIES, modality="MR", version=1, anonymized=1, run=run)
    detail = FeedDetail(card=card, inputs=[], series=[series], comments=[*comments])
    for view, body in (("card", card), ("feed", detail)):
        await backend.store.views.put(view, 1, [Row("default", "", FEED, 3, msgspec.json.encode(body))])


async def raw(client, method: str, path: str, **headers: bytes) -> bytes:
    """Send headers that no client would, and give the answer's status line."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: x", b"Connection: close"]
    lines += [name.replace("_", "-").encode() + b": " + value for name, value in headers.items()]
    writer.write(b"\r\n".join([*lines, b"", b""]))
    status = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return status.split()[1]


def wish(kind="post_comment", **body):
    return {"id": str(uuid_utils.uuid7()), "feed": FEED, "type": kind, "body": body}
