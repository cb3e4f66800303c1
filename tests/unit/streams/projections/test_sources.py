"""What a page shows of who sends, as events tell it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import pytest

from schemas import pacs
from schemas.envelope import encode
from schemas.identity import BlobRef, default_feed, derived_id
from schemas.live import SourceChanged
from schemas.make import first
from schemas.sources import Sources
from streams.projections.sources import MOST_SERIES, MOST_SOURCES, OPEN_FOR, changed, fold

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IDS = count()


def at(seconds=0.0):
    return NOON + timedelta(seconds=seconds)


def key(number):
    return f"{number:032x}"


def event(data, time=NOON):
    return first(
        data, event_id=derived_id("test", "event", next(IDS)), source="/test", subject="test", time=time
    )


def stored(series=1, *, seconds=0.0, origin="ct", size=10):
    return pacs.InstanceStored(
        project="default",
        patient=key(0),
        study=key(7),
        series=key(series),
        instance=key(next(IDS)),
        digest="0" * 64,
        blob=BlobRef(sha256="0" * 64, size=size, media_type="application/dicom"),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        modality="CT",
        association=derived_id("test", "association"),
        origin=origin,
        received=at(seconds),
    )


def settled(grade, series=1, *, received=3, missing=0, lacks=()):
    return pacs.SeriesSettled(
        project="default",
        patient=key(0),
        study=key(7),
        series=key(series),
        modality="CT",
        version=1,
        instances=received,
        conflicts=0,
        evidence="released",
        completeness=pacs.Completeness(grade=grade, received=received, missing=missing, lacks=list(lacks)),
    )


def refused(source="ct", *, kind=pacs.AssociationRefused, reason="called-ae", number=1, seconds=0.0):
    return kind(
        project="default", source=source, reason=reason, count=number, since=at(seconds), until=at(seconds)
    )


def counted(*open_, configured=()):
    return pacs.AssociationsCounted(
        project="default",
        sources=[pacs.SourceAssociations(source=name, open=number, last=NOON) for name, number in open_],
        configured=list(configured),
    )


def seen(*data, before=None):
    sources = before or {}
    for one in data:
        sources = fold(sources, event(one))
    return sources


def shown(sources, name="ct"):
    return sources["default", name]


def test_images_are_counted_in_all_and_by_slices_that_forget():
    view = shown(seen(stored(), stored(seconds=5), stored(seconds=11), stored(seconds=61)))
    assert (view.images, view.bytes) == (4, 40)
    start = int(NOON.timestamp())
    assert view.recent == [(start, 2, 20), (start + 10, 1, 10), (start + 60, 1, 10)]
    assert view.minutes == [(start, 3, 30), (start + 60, 1, 10)]
    later = shown(seen(stored(), stored(seconds=3660)))
    assert [one[1] for one in later.recent] == [1]
    assert [one[1] for one in later.minutes] == [1]
    assert (later.since, later.seen, later.images) == (at(), at(3660), 2)


def test_an_image_that_is_told_late_finds_its_slice():
    view = shown(seen(stored(seconds=61), stored(seconds=2), stored(seconds=-7200)))
    assert [one[1] for one in view.minutes] == [1, 1]
    assert view.images == 3


def test_a_series_is_open_until_it_settles_and_stays_listed_while_it_lacks_something():
    arriving = seen(stored(), stored(seconds=1))
    (one,) = shown(arriving).incomplete
    assert (one.state, one.images, one.last) == ("open", 2, at(1))
    assert one.feed == default_feed("default", key(7))

    (one,) = shown(
        lacking := seen(settled("partial", missing=4, lacks=["number-gap"]), before=arriving)
    ).incomplete
    assert (one.state, one.images, one.missing, one.lacks) == ("partial", 3, 4, ["number-gap"])

    (one,) = shown(again := seen(stored(seconds=9), before=lacking)).incomplete
    assert (one.state, one.images) == ("partial", 3), "an image that was there already opens nothing"
    reopened = pacs.SeriesReopened(project="default", study=key(7), series=key(1), version=2)
    (one,) = shown(open_ := seen(reopened, before=again)).incomplete
    assert (one.state, one.missing, one.lacks) == ("open", 0, [])
    assert shown(seen(settled("complete_assumed"), before=open_)).incomplete == []


def test_a_whole_series_that_is_sent_again_is_not_open_for_ever():
    view = shown(seen(stored(), stored(2, seconds=OPEN_FOR.total_seconds() + 1)))
    assert [one.series for one in view.incomplete] == [key(2)]


def test_series_that_lack_something_are_bounded_the_newest_stay():
    sources = {}
    for number in range(MOST_SERIES + 5):
        sources = seen(stored(number, seconds=number), settled("partial", number), before=sources)
    assert [one.series for one in shown(sources).incomplete] == [
        key(number) for number in range(5, MOST_SERIES + 5)
    ]


def test_refusals_count_by_reason_for_an_hour():
    view = shown(
        seen(
            refused(number=2),
            refused(kind=pacs.ObjectRefused, reason="no-room"),
            refused(number=5, seconds=61),
        )
    )
    start = int(NOON.timestamp())
    assert [(one.kind, one.reason, one.minutes) for one in view.refusals] == [
        ("object", "no-room", [(start, 1)]),
        ("association", "called-ae", [(start, 2), (start + 60, 5)]),
    ]
    view = shown(seen(refused(), refused(seconds=3700)))
    assert [one[1] for one in view.refusals[0].minutes] == [1]


def test_whoever_is_not_named_has_no_association_open():
    there = seen(counted(("ct", 2), ("mr", 1), configured=["ct", "us"]))
    assert {name: (one.associations, one.is_configured) for (_, name), one in there.items()} == {
        "ct": (2, True),
        "mr": (1, False),
        "us": (0, True),
    }
    assert shown(there, "us").seen is None
    gone = seen(counted(configured=["us"]), before=there)
    assert [one.associations for one in gone.values()] == [0, 0, 0]
    assert not shown(gone).is_configured
    assert shown(gone).seen == NOON


def test_what_did_not_change_is_not_told():
    before = seen(counted(("ct", 2), configured=["ct"]), stored(origin="mr"))
    same = seen(pacs.AssociationsCounted(
        project="default",
        sources=[pacs.SourceAssociations(source="ct", open=2)],
        configured=["ct"],
    ), before=before)  # fmt: skip
    assert changed(before, same) == []
    assert [one.source for one in changed(before, seen(refused("mr"), before=before))] == ["mr"]


@pytest.mark.parametrize("name", ["", "Doe^John\n", "A\\B", "x" * 17 + " ", "Ä"])
def test_a_name_that_is_no_valid_title_is_not_shown(name):
    assert set(seen(refused(name))) == {("default", "")}


def test_strangers_who_try_names_push_nobody_out_who_sends():
    sources = seen(stored(), counted(("ct", 0), configured=["silent"]))
    for number in range(2 * MOST_SOURCES):
        sources = seen(refused(f"AE{number}", seconds=number), before=sources)
    assert len(sources) == MOST_SOURCES
    assert {("default", "ct"), ("default", "silent"), ("default", f"AE{2 * MOST_SOURCES - 1}")} <= set(
        sources
    )


def test_more_who_send_than_are_shown_count_together():
    sources = {}
    for number in range(MOST_SOURCES + 10):
        sources = seen(stored(origin=f"AE{number}"), before=sources)
    assert len(sources) <= MOST_SOURCES + 1
    assert sum(one.images for one in sources.values()) == MOST_SOURCES + 10


def test_the_last_test_of_a_connection_is_kept():
    test = pacs.SourceTested(project="default", source="ct", outcome="silent", seconds=10)
    view = shown(fold({}, event(test, at(5))))
    assert (view.test.outcome, view.test.at, view.seen) == ("silent", at(5), None)


def test_the_largest_view_fits_into_an_event_and_comes_back():
    sources = {}
    for minute in range(70):
        sources = seen(stored(minute, seconds=60 * minute, size=10**10), before=sources)
        lacks = ["shortfall", "aborted", "lost", "refused", "unended", "number-gap", "position-gap"]
        sources = seen(settled("partial", minute, missing=10**6, lacks=lacks), before=sources)
        for reason in range(20):
            sources = seen(
                refused(reason=f"{reason:064d}", number=10**9, seconds=60 * minute), before=sources
            )
    view = shown(sources)
    assert len(encode(event(SourceChanged(shown=view)))) < 64 * 1024
    kept = Sources(offsets={"0": 1}, sources=[view])
    assert msgspec.json.decode(msgspec.json.encode(kept), type=Sources) == kept
