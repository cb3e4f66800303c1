"""Who sends, as a page reads it, and hears of it."""

from __future__ import annotations

import msgspec

from schemas.envelope import encode
from schemas.identity import derived_id
from schemas.live import SourceChanged
from schemas.make import first
from schemas.sources import RECORD, Sources, SourceView
from tests.unit.ui.serving import NOW, login

CT = SourceView(project="default", source="ct", version=3, images=7)
FOREIGN = SourceView(project="other", source="ct", version=9)


def told(view):
    return encode(
        first(
            SourceChanged(shown=view),
            event_id=derived_id("test", view.project, view.version),
            source="/chips/agents/arrivals",
            subject="source/x",
            time=NOW,
        )
    )


async def read(client):
    answer = await client.get("/api/sources")
    assert answer.status == 200
    return await answer.json()


async def test_only_who_is_logged_in_reads_it(client):
    assert (await client.get("/api/sources")).status == 401


async def test_the_sources_of_our_project_and_what_time_it_is(client, backend):
    await login(client)
    assert (await read(client))["sources"] == []
    kept = Sources(offsets={"0": 1}, sources=[CT, FOREIGN])
    await backend.store.records.put(RECORD, RECORD, msgspec.json.encode(kept))
    answer = await read(client)
    assert answer["sources"] == [{"project": "default", "source": "ct", "version": 3, "images": 7}]
    assert answer["now"].startswith("20")


async def test_a_record_of_another_format_is_as_none(client, backend):
    await login(client)
    for body in (b'{"format": 2, "sources": []}', b"rubbish"):
        await backend.store.records.put(RECORD, RECORD, body)
        assert (await read(client))["sources"] == []


async def test_a_page_that_asks_hears_of_changes_in_its_project_and_no_other_page_does(client, backend):
    await login(client)
    options = {"headers": {"Origin": backend.origin}}
    async with (
        client.ws_connect("/api/live", **options) as asking,
        client.ws_connect("/api/live", **options) as other,
    ):
        for socket, asks in ((asking, ["sources", "home"]), (other, ["home"])):
            for ask in asks:
                await socket.send_json({"t": ask})
            assert await socket.receive_json(timeout=5) == {"t": "home"}
        backend.producer.tell("chips.live.v1", told(FOREIGN))
        backend.producer.tell("chips.live.v1", told(CT))
        frame = await asking.receive_json(timeout=5)
        assert frame == {
            "t": "source",
            "source": {"project": "default", "source": "ct", "version": 3, "images": 7},
        }
        await other.send_json({"t": "home"})
        assert await other.receive_json(timeout=5) == {"t": "home"}
