"""Who has associations open is told as a whole, when it changed, and soon right again whatever got lost."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import pytest

from gateway.presence import MOST, Party, Presence
from schemas.catalogue import decode
from schemas.envelope import encode
from schemas.identity import derived_id
from schemas.pacs import SourceAssociations

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CT, MR = Party("default", "ct"), Party("default", "mr")


@pytest.fixture
def presence():
    ids = count()
    return Presence("default", lambda: derived_id("test", "id", next(ids)))


def told(presence, configured=()):
    return [decode(encode(event)).data for event in presence.due(NOON, configured)]


def test_a_gateway_that_starts_tells_that_nobody_is_there(presence):
    (first,) = told(presence, [CT])
    assert (first.sources, first.configured) == ([], ["ct"])
    assert told(presence, [CT]) == [], "what did not change is told again"


def test_an_association_that_came_and_went_unseen_is_told_once(presence):
    told(presence)
    presence.opened(CT, NOON)
    presence.opened(CT, NOON)
    presence.opened(MR, NOON)
    presence.ended(MR)
    (event,) = told(presence)
    assert event.sources == [
        SourceAssociations(source="ct", open=2, opened=2, last=NOON),
        SourceAssociations(source="mr", opened=1, last=NOON),
    ]
    presence.ended(CT)
    (event,) = told(presence)
    assert event.sources == [SourceAssociations(source="ct", open=1)]
    presence.ended(CT)
    (event,) = told(presence)
    assert event.sources == []


def test_projects_are_told_apart(presence):
    told(presence)
    presence.opened(Party("other", "ct"), NOON)
    (event,) = told(presence)
    assert event.project == "other"


def test_what_could_not_be_recorded_is_told_again(presence):
    presence.opened(CT, NOON)
    told(presence)
    presence.tell_again()
    (event,) = told(presence)
    assert event.sources == [SourceAssociations(source="ct", open=1)]


def test_a_file_that_names_another_source_is_told(presence):
    told(presence, [CT])
    (event,) = told(presence, [CT, MR])
    assert event.configured == ["ct", "mr"]


def test_a_flood_of_names_counts_under_none_and_ends_again(presence):
    parties = [Party("default", f"AE{number}") for number in range(2 * MOST)]
    for party in parties:
        presence.opened(party, NOON)
    (event,) = told(presence)
    assert len(event.sources) == MOST
    assert sum(one.open for one in event.sources) == len(parties)
    for party in parties:
        presence.ended(party)
    (event,) = told(presence)
    assert event.sources == []
