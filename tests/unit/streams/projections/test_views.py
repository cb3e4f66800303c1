"""Cards, pages and timelines say what the events say."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from schemas import command as c
from schemas.catalogue import TYPES
from schemas.identity import BlobRef
from schemas.image import ReasonCount
from schemas.job import Artefact
from schemas.pacs import Completeness, Grade
from schemas.views import MAX_CARD_REASONS, Card, FeedDetail, TimelineRow
from streams.aggregates.state import FeedState
from streams.projections.card import card
from streams.projections.timeline import timeline_row
from streams.projections.views import rows
from tests.sealing import sealed
from tests.unit.streams.aggregates.folding import FEED, PROJECT, command, key, uuid
from tests.unit.streams.aggregates.test_feed import (
    Feed,
    failed,
    queued,
    receive,
    record,
    started,
    succeeded,
)


def shown(feed):
    return msgspec.json.decode(rows("feed", feed.state, feed.events)[0].body, type=FeedDetail)


def after(*commands):
    feed = Feed()
    for data in commands:
        feed.send(data)
    return shown(feed).card


def test_a_card_goes_through_its_states():
    way = [receive(), record(), queued(), started(), succeeded()]
    states = [after(*way[: n + 1]).state for n in range(len(way))]
    assert states == ["receiving", "queued", "queued", "running", "done"]


def test_quarantine_asks_for_a_look_and_a_failure_says_so():
    assert after(record(quarantined=2), queued(), started(), succeeded()).state == "attention"
    assert after(record(anonymized=0, quarantined=2)).state == "attention"
    assert after(record(quarantined=2), queued(), started(), failed(final=True)).state == "failed"
    assert after(record(), queued(), started(), failed(), started(2)).state == "running"
    assert after(record(), queued(), started(), failed()).state == "queued"


GRADES = {
    grade: Completeness(grade=grade, received=10, missing=3 if grade == "partial" else 0)
    for grade in get_args(Grade)
}


@pytest.mark.parametrize(
    ("grade", "state"),
    [
        ("complete_expected", "queued"),
        ("complete_assumed", "queued"),
        ("partial", "attention"),
        ("quiescent", "receiving"),
    ],
)
def test_a_series_that_no_run_is_asked_for_is_not_queued(grade, state):
    assert after(record(completeness=GRADES[grade])).state == state


def test_a_partial_series_asks_for_a_look_whatever_its_run_says():
    card = after(record(completeness=GRADES["partial"]), queued(), started(), succeeded())
    assert (card.state, card.partial, card.missing) == ("attention", 1, 3)
    assert (card.open, card.outdated) == (msgspec.UNSET, msgspec.UNSET)


def test_a_page_tells_how_whole_a_series_is_and_a_card_how_many_are_not():
    feed = Feed()
    feed.send(record(completeness=GRADES["partial"]))
    feed.send(record(series=2, completeness=GRADES["quiescent"]))
    page = shown(feed)
    assert [one.completeness.grade for one in page.series] == ["partial", "quiescent"]
    assert (page.card.partial, page.card.open, page.card.missing) == (1, 1, 3)


def test_a_run_that_lacks_later_images_says_so_until_one_has_them():
    way = [record(), queued(), succeeded(), record(2, anonymized=12, since=2)]
    feed = Feed()
    for said in way:
        feed.send(said)
    assert (shown(feed).series[0].since, shown(feed).card.outdated) == (2, 1)
    row = timeline_row(feed.events[-1])
    assert (row.state, row.counts["version"], row.counts["outdated"]) == ("anonymized", 2, 1)
    feed.send(queued("k", 2))
    assert (shown(feed).series[0].since, shown(feed).card.outdated) == (2, msgspec.UNSET)
    assert not after(record(), queued(), succeeded(), record(2, since=1)).outdated


def test_the_timeline_tells_each_grade():
    feed = Feed()
    feed.send(record(completeness=GRADES["partial"]))
    feed.send(record(completeness=GRADES["complete_expected"], grading=1))
    first, again = (timeline_row(event) for event in feed.events[-2:])
    assert (first.state, first.grade, first.counts["missing"]) == ("anonymized", "partial", 3)
    assert (again.state, again.grade, again.counts["missing"]) == ("graded", "complete_expected", 0)


def reasons(*counts):
    return [ReasonCount(reason=code, message=f"{code} in words", instances=n) for code, n in counts]


def kept_back(series, *counts):
    command = record(series=series, quarantined=sum(n for _, n in counts))
    return msgspec.structs.replace(
        command, record=msgspec.structs.replace(command.record, reasons=reasons(*counts))
    )


def test_a_card_says_why_images_are_in_quarantine_over_all_its_series():
    card = after(kept_back(1, ("colour", 2), ("ultrasound", 2)), kept_back(2, ("ultrasound", 3), ("bomb", 2)))
    assert card.reasons == reasons(("ultrasound", 5), ("bomb", 2), ("colour", 2))
    assert sum(one.instances for one in card.reasons) == card.quarantined


def test_a_card_names_the_most_frequent_reasons_only():
    card = after(kept_back(1, *((f"reason-{n}", n) for n in range(1, MAX_CARD_REASONS + 5))))
    assert len(card.reasons) == MAX_CARD_REASONS
    assert card.reasons[0].instances == MAX_CARD_REASONS + 4


def test_a_card_without_quarantine_is_as_the_first_release_wrote_it():
    feed = Feed()
    feed.send(record())
    (row,) = rows("card", feed.state, feed.events)
    assert "reasons" not in msgspec.json.decode(row.body)


def test_the_newest_version_has_the_run_that_counts():
    card = after(record(1), queued("j", 1), started(), succeeded(), record(2), queued("k", 2))
    assert (card.state, card.measured) == ("queued", 0)


def test_a_version_of_the_same_images_has_no_run_of_its_own_and_is_done():
    assert after(record(1), queued("j", 1), started(), succeeded(), record(2)).state == "done"


def test_pictures_come_from_the_largest_series_in_their_order():
    def artefact(role, series):
        blob = BlobRef(sha256=f"{series:064x}", size=1, media_type="image/png")
        return Artefact(name=f"{role}.png", role=role, blob=blob)

    feed = Feed()
    for number, images in ((1, 10), (2, 99), (3, 500)):
        feed.send(record(series=number, anonymized=images))
    for number, job in ((1, "a"), (2, "b")):
        feed.send(queued(job, series=number))
        run = succeeded(job).run
        made = [artefact(role, number) for role in ("volume", "mip", "key_slice")]
        feed.send(c.RecordRunSucceeded(run=msgspec.structs.replace(run, artefacts=made)))
    pictures = shown(feed).card.pictures
    assert [(one.role, one.blob.sha256) for one in pictures] == [
        ("key_slice", f"{2:064x}"),
        ("mip", f"{2:064x}"),
    ]


def test_people_who_commented_latest_first_at_most_five():
    feed = Feed()
    feed.send(receive())
    for number, who in enumerate("abcdefab"):
        feed.send(c.PostComment(comment=uuid(number), text=sealed("t")), who)
    card = shown(feed).card
    assert card.people == ["b", "a", "f", "e", "d"]
    assert card.comments == 8


def test_a_feed_without_events_has_no_rows_and_no_card():
    assert rows("card", FeedState(), []) == []
    with pytest.raises(ValueError, match="no card"):
        card(FeedState(), [])


def test_rows_stand_where_pages_look():
    feed = Feed()
    feed.send(receive())
    (one,) = rows("card", feed.state, feed.events)
    assert (one.project, one.scope, one.key, one.version) == (PROJECT, "", feed.feed, 3)
    assert msgspec.json.decode(one.body, type=Card).series == [key(1)]
    told = rows("timeline", feed.state, feed.events)
    assert [(row.scope, row.key, row.version) for row in told] == [
        (feed.feed, f"{n:016d}", n) for n in (1, 2, 3)
    ]


def test_a_timeline_tells_who_said_what():
    feed = Feed()
    feed.send(receive())
    feed.send(c.PostComment(comment=uuid("c"), text=sealed("hello")), "anna")
    row = msgspec.json.decode(rows("timeline", feed.state, feed.events)[-1].body, type=TimelineRow)
    assert (row.kind, row.text, row.actor, row.system, row.seq) == (
        "comment",
        sealed("hello"),
        "anna",
        False,
        4,
    )


def test_the_timeline_knows_every_event_of_a_feed():
    feed = Feed()
    for data in (receive(), record(), queued(), started(), failed(), started(2), succeeded()):
        feed.send(data)
    feed.send(c.RenameFeed(title="T"), "anna")
    feed.send(c.TagFeed(tag="t"), "anna")
    feed.send(c.UntagFeed(tag="t"), "anna")
    feed.send(c.PostComment(comment=uuid("c"), text=sealed("a")), "anna")
    feed.send(c.EditComment(comment=uuid("c"), text=sealed("b")), "anna")
    told = {timeline_row(event).type for event in feed.events}
    assert told == {name for name in TYPES if name.startswith("chips.feed.")}


def test_the_timeline_refuses_what_is_no_event_of_a_feed():
    with pytest.raises(ValueError, match="not an event of a feed"):
        timeline_row(command(receive(), ident=uuid(1), subject=FEED))
