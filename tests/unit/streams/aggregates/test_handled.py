"""What took effect is remembered, within bounds, and people's wishes longest."""

from __future__ import annotations

import msgspec

from schemas.command import TagFeed
from streams.aggregates.handled import KEPT, Handled, remember
from tests.unit.streams.aggregates.folding import FEED, command, uuid


def event(number, author=None):
    made = command(TagFeed(tag="x"), ident=uuid(number), subject=FEED, author=author)
    return msgspec.structs.replace(made, causationid=uuid(number), sequence=f"{number:016d}")


def test_the_last_ones_are_kept_and_no_more():
    handled = Handled()
    for number in range(1, KEPT + 11):
        handled = remember(handled, event(number))
    assert len(handled.system) == KEPT
    assert handled.version_of(uuid(10)) is None
    assert handled.version_of(uuid(11)) == 11


def test_the_system_pushes_out_no_persons_wish():
    handled = remember(Handled(), event(1, "anna"))
    for number in range(2, KEPT + 10):
        handled = remember(handled, event(number))
    assert handled.version_of(uuid(1)) == 1


def test_an_event_without_cause_is_not_remembered():
    made = msgspec.structs.replace(event(1), causationid=None)
    assert remember(Handled(), made) == Handled()
