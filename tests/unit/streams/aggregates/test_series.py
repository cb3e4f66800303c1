"""A series settles in versions; late images open the next, and none is refused."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.facts import SeriesOfStudy, StoredInstance
from schemas.identity import BlobRef, series_stream
from schemas.pacs import Completeness, SeriesReopened, SeriesSettled
from streams.aggregates import series
from streams.aggregates.state import SeriesState
from tests.unit.streams.aggregates.folding import PATIENT, PROJECT, STUDY, apply, command, key, uuid

SERIES = SeriesOfStudy(patient=PATIENT, study=STUDY, series=key(7), modality="CT")
STREAM = series_stream(PROJECT, key(7))
WHOLE = Completeness(grade="complete_assumed", received=1)


def stored(instance, digest=0, association=1):
    return StoredInstance(
        instance=key(instance),
        digest=f"{digest:064x}",
        blob=BlobRef(sha256=f"{digest:064x}", size=1, media_type="application/dicom"),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        modality="CT",
        association=uuid(association),
        received=datetime(2026, 1, 1, tzinfo=UTC),
    )


def step(state, datas, number):
    cause = command(
        SeriesReopened(project=PROJECT, study=STUDY, series=key(7), version=1),
        ident=uuid(number),
        subject=STREAM,
    )
    return apply(state, cause, datas, series.evolve, "arrivals")[0]


def test_census_counts_sets_and_keeps_conflicts():
    counted = series.census([stored(1), stored(2), stored(2, digest=9)], {uuid(1): "released"})
    assert (counted.instances, counted.conflicts, counted.evidence, counted.rows) == (2, 1, "released", 3)


def test_the_worst_end_counts_and_an_untold_end_means_quiet():
    images = [stored(1), stored(2, association=2)]
    assert series.census(images, {uuid(1): "released", uuid(2): "lost"}).evidence == "lost"
    assert series.census(images, {uuid(1): "released"}).evidence == "quiet"
    assert series.census([], {}).evidence == "quiet"


def test_settling_needs_something_new():
    state = SeriesState()
    counted = series.census([stored(1)], {})
    decided = series.decide_due(state, PROJECT, SERIES, counted, WHOLE)
    assert [type(one) for one in decided] == [SeriesSettled]
    assert decided[0].version == 1
    state = step(state, decided, 1)
    assert series.decide_due(state, PROJECT, SERIES, counted, WHOLE) == []


def test_a_late_image_reopens_once_then_settles_as_the_next_version():
    state = step(
        SeriesState(),
        series.decide_due(SeriesState(), PROJECT, SERIES, series.census([stored(1)], {}), WHOLE),
        1,
    )
    reopened = series.decide_arrival(state, PROJECT, SERIES)
    assert [(type(one), one.version) for one in reopened] == [(SeriesReopened, 2)]
    state = step(state, reopened, 2)
    assert series.decide_arrival(state, PROJECT, SERIES) == []
    settled = series.decide_due(state, PROJECT, SERIES, series.census([stored(1), stored(2)], {}), WHOLE)
    assert [(type(one), one.version) for one in settled] == [(SeriesSettled, 2)]


def test_other_evidence_of_the_same_images_grades_the_version_anew_and_the_same_says_nothing():
    counted = series.census([stored(1)], {})
    state = step(SeriesState(), series.decide_due(SeriesState(), PROJECT, SERIES, counted, WHOLE), 1)
    short = Completeness(grade="partial", received=1, expected=2, missing=1, lacks=["shortfall"])
    decided = series.decide_due(state, PROJECT, SERIES, counted, short)
    assert [(type(one), one.version, one.grading) for one in decided] == [(SeriesSettled, 1, 1)]
    assert decided[0].completeness == short
    state = step(state, decided, 2)
    assert series.decide_due(state, PROJECT, SERIES, counted, short) == []
    later = series.decide_due(state, PROJECT, SERIES, series.census([stored(1), stored(2)], {}), WHOLE)
    assert [(one.version, getattr(one, "grading", None)) for one in later] == [(2, None), (2, 0)]


def test_a_reopening_lost_in_a_crash_is_made_up_for():
    state = step(
        SeriesState(),
        series.decide_due(SeriesState(), PROJECT, SERIES, series.census([stored(1)], {}), WHOLE),
        1,
    )
    decided = series.decide_due(state, PROJECT, SERIES, series.census([stored(1), stored(2)], {}), WHOLE)
    assert [type(one) for one in decided] == [SeriesReopened, SeriesSettled]


@given(st.lists(st.one_of(st.integers(1, 30), st.just("due")), max_size=60))
def test_any_order_of_arrivals_and_deadlines_ends_with_every_image_in_a_version(steps):
    state, images, versions = SeriesState(), {}, []
    for number, what in enumerate([*steps, "due"]):
        if what == "due":
            decided = series.decide_due(state, PROJECT, SERIES, series.census(images.values(), {}), WHOLE)
            versions += [one.version for one in decided if isinstance(one, SeriesSettled)]
        else:
            decided = [] if what in images else series.decide_arrival(state, PROJECT, SERIES)
            images.setdefault(what, stored(what))
        state = step(state, decided, number)
    assert state.rows == len(images)
    assert versions == list(range(1, len(versions) + 1))
