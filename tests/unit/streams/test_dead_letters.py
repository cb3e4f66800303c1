from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streams.bus import Record
from streams.dead_letters import WHY_LENGTH, Letter, compose, key_text, read

AT = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
RECORD = Record(
    "chips.pacs.v1", 3, 41, 1000, "series/p/ä".encode(), b"\x00not json", (("a", b"\xff"), ("a", b""))
)


def lie(message):
    """As it lies in its topic."""
    return Record(message.topic, 0, 0, 0, message.key.encode(), message.value, message.headers)


def test_a_dead_letter_keeps_the_message_and_says_why():
    message = compose(
        RECORD, to="chips.dlq.arrivals.v1", reason="poison", why="not an event", attempts=2, at=AT
    )
    assert (message.topic, message.value, message.key) == (
        "chips.dlq.arrivals.v1",
        RECORD.value,
        "series/p/ä",
    )
    letter = read(lie(message))
    assert letter[:7] == ("chips.pacs.v1", 3, 41, "poison", "not an event", 2, AT)
    assert isinstance(letter, Letter)
    assert letter.original.headers == RECORD.headers
    assert letter.original.value == RECORD.value
    assert letter.original.topic == "chips.pacs.v1"


def test_one_that_died_again_tells_its_last_death():
    first = compose(RECORD, to="chips.dlq.arrivals.v1", reason="poison", why="one", attempts=1, at=AT)
    released = Record("chips.pacs.v1", 3, 77, 0, RECORD.key, first.value, first.headers)
    letter = read(lie(compose(released, to=first.topic, reason="failed", why="two", attempts=5, at=AT)))
    assert (letter.offset, letter.reason, letter.why) == (77, "failed", "two")
    assert letter.original.headers == RECORD.headers


def test_why_is_bounded():
    letter = read(lie(compose(RECORD, to="x", reason="failed", why="y" * 9999, attempts=1, at=AT)))
    assert len(letter.why) == WHY_LENGTH


def test_a_key_that_is_not_ours_is_written_with_escapes():
    assert key_text(b"\xff\x00a") == "\\xff\x00a"
    assert key_text(None) == key_text(b"") == "-"


@pytest.mark.parametrize("headers", [(), (("chips-dlq-topic", b"t"),)])
def test_a_message_that_is_no_dead_letter_is_said_so(headers):
    with pytest.raises(ValueError, match="no dead letter"):
        read(Record("t", 0, 0, 0, b"k", b"", headers))
