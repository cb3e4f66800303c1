"""Lists that are cut: cards and studies."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from schemas.facts import StudyOfProject
from schemas.identity import default_feed, derived_id
from streams.store.api import Fact
from tests.unit.ui.serving import NOW, card_of, login, put_card
from ui.api import feeds, newest, studies


@pytest.fixture
def many(monkeypatch):
    """Pages and lists so short that a few cards are many."""
    monkeypatch.setattr(newest, "PAGE", 3)
    monkeypatch.setattr(feeds, "MAX_CARDS", 4)
    monkeypatch.setattr(studies, "MAX_STUDIES", 4)


@pytest.mark.parametrize(("cards", "more"), [(0, None), (3, None), (4, None), (5, 1), (10, 6)])
async def test_the_home_page_gets_the_cards_that_changed_last_and_how_many_there_are_besides(
    client, backend, many, cards, more
):
    await login(client)
    feeds_by_age = [derived_id("test", str(index)) for index in range(cards)]
    for hours, feed in enumerate(feeds_by_age):
        await put_card(backend, card_of(feed, updated=NOW + timedelta(hours=hours)))
    told = await (await client.get("/api/feeds")).json()
    assert [card["feed"] for card in told["cards"]] == feeds_by_age[::-1][:4]
    assert told.get("more") == more


async def test_cards_are_looked_at_up_to_a_bound(client, backend, many, monkeypatch):
    monkeypatch.setattr(newest, "MAX_READ", 6)
    await login(client)
    for index in range(10):
        await put_card(backend, card_of(derived_id("test", str(index))))
    told = await (await client.get("/api/feeds")).json()
    assert (len(told["cards"]), told["more"]) == (4, 2)


@pytest.mark.parametrize(("arrived", "more"), [(4, None), (9, 5)])
async def test_studies_to_choose_from_are_those_that_came_last(client, backend, many, arrived, more):
    await login(client)
    keys = [f"{derived_id('test', str(index)).replace('-', '')}" for index in range(arrived)]
    for hours, key in enumerate(keys):
        body = msgspec.json.encode(StudyOfProject(patient="b" * 32, study=key))
        await backend.store.facts.put([Fact("default", "study", "default", key, body)])
        created = NOW + timedelta(hours=hours)
        await put_card(backend, card_of(default_feed("default", key), created=created))
    told = await (await client.get("/api/studies")).json()
    assert [study["study"] for study in told["studies"]] == keys[::-1][:4]
    assert told.get("more") == more
