"""The table of cases of `docs/completeness.md`, and what order and repetition must not change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.facts import SeriesOfStudy
from schemas.pacs import SeriesReopened, SeriesSettled
from streams.aggregates import series
from streams.aggregates.state import SeriesState
from streams.completeness.grading import TOLD, Evidence, judge
from tests.unit.streams.aggregates.folding import PATIENT, PROJECT, STUDY, apply, command
from tests.unit.streams.completeness.evidence import (
    LATE,
    PATIENCE,
    announced,
    at,
    end,
    image,
    key,
    slices,
    stack,
    uuid,
)


def ends(**told):
    return {uuid(name): one for name, one in told.items()}


def graded(images, told=None, announcements=(), now=LATE):
    return judge(Evidence(images, told or {}, announcements), now, PATIENCE).completeness


WHOLE = slices(range(1, 6))
GAP = slices([1, 2, 4, 5])
HOLE = stack([0, 1, 2, 3, 5, 6])
BACK = [*WHOLE, image(9, number=6, by="B", second=90)]

CASES = {
    "a released association, no gap": (WHOLE, ends(A=end()), [], "complete_assumed", []),
    "no numbers, nothing against it": (slices([None, None]), ends(A=end()), [], "complete_assumed", []),
    "a gap in the numbers": (GAP, ends(A=end()), [], "partial", ["number-gap"]),
    "a hole between positions": (HOLE, ends(A=end()), [], "partial", ["position-gap"]),
    "aborted": (WHOLE, ends(A=end("aborted")), [], "partial", ["aborted"]),
    "lost": (WHOLE, ends(A=end("lost")), [], "partial", ["lost"]),
    "lost, and the sender came back": (
        BACK,
        ends(A=end("lost", second=60), B=end(second=99, began=61)),
        [],
        "complete_assumed",
        [],
    ),
    "lost, when it had gone on to another series": (
        WHOLE,
        ends(A=end("lost", left=True)),
        [],
        "complete_assumed",
        [],
    ),
    "released, but something was refused": (WHOLE, ends(A=end(refused=1)), [], "partial", ["refused"]),
    "its end was never told": (WHOLE, {}, [], "partial", ["unended"]),
    "as many as announced": (WHOLE, ends(A=end()), [announced(5)], "complete_expected", []),
    "as announced, though it broke off": (
        WHOLE,
        ends(A=end("aborted")),
        [announced(5)],
        "complete_expected",
        [],
    ),
    "as announced, though numbers have a gap": (GAP, ends(A=end()), [announced(4)], "complete_expected", []),
    "just the listed ones": (
        WHOLE,
        {},
        [announced(5, listed=range(1, 6), by="commitment")],
        "complete_expected",
        [],
    ),
    "fewer than announced": (WHOLE, ends(A=end()), [announced(6)], "partial", ["shortfall"]),
    "fewer, and a gap shows which": (
        GAP,
        ends(A=end()),
        [announced(5)],
        "partial",
        ["shortfall", "number-gap"],
    ),
    "others than listed": (
        WHOLE,
        ends(A=end()),
        [announced(5, listed=range(2, 7))],
        "partial",
        ["shortfall"],
    ),
    "more than announced, nothing against it": (WHOLE, ends(A=end()), [announced(4)], "complete_assumed", []),
    "more than announced, and a gap": (GAP, ends(A=end()), [announced(3)], "partial", ["number-gap"]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_table_of_cases(case):
    images, told, announcements, grade, lacks = CASES[case]
    found = graded(images, told, announcements)
    assert (found.grade, found.lacks) == (grade, lacks)
    assert found.received == len(images)


def test_a_series_is_open_while_images_may_come():
    images = slices([1, 2], second=5)
    assert judge(Evidence(images, {}), at(14.9), PATIENCE) == (None, at(15))
    assert judge(Evidence(images, ends(A=end(second=7))), at(7.9), PATIENCE) == (None, at(8))
    assert graded(images, ends(A=end(second=7)), now=at(8)).grade == "complete_assumed"


def test_another_association_that_brings_images_keeps_it_open():
    images = [*slices([1, 2], second=5), image(3, number=3, by="B", second=6)]
    assert judge(Evidence(images, ends(A=end(second=7))), at(15), PATIENCE) == (None, at(16))


def test_a_series_is_quiescent_while_an_end_is_waited_for_and_partial_when_none_came():
    images = slices([1, 2, 4], second=5)
    waiting = judge(Evidence(images, {}), at(15), PATIENCE)
    assert (waiting.completeness.grade, waiting.completeness.lacks) == ("quiescent", ["unended"])
    assert waiting.again == at(5 + 15 * 60)
    over = judge(Evidence(images, {}), waiting.again, PATIENCE)
    assert (over.completeness.grade, over.again) == ("partial", None)
    assert over.completeness.lacks == ["unended", "number-gap"]


def test_what_is_expected_is_not_waited_for_any_longer():
    assert graded(WHOLE, {}, [announced(5)], now=at(15)).grade == "complete_expected"


def test_evidence_says_what_is_missing_and_how_it_is_known():
    found = graded(
        [*GAP, image(4, number=5, digest=77, second=3)],
        ends(A=end("aborted")),
        [announced(7, by="query")],
    )
    assert (found.received, found.expected, found.by, found.missing) == (4, 7, "query", 3)
    assert [(gap.first, gap.last) for gap in found.gaps] == [(3, 3)]
    assert found.broken == [uuid("A")]


def test_evidence_says_that_an_association_broke_off_later():
    assert graded(WHOLE, ends(A=end("lost", left=True))).left == 1
    assert graded(WHOLE, ends(A=end(left=True))).left == 0


def test_evidence_is_bounded():
    many = slices([number for start in range(0, 300, 3) for number in (start, start + 1)])
    broken = {uuid(f"A{number}"): end("lost", second=number) for number in range(40)}
    found = graded(many, broken)
    assert (len(found.gaps), len(found.broken), found.missing) == (TOLD, TOLD, 99)


# -- any order, repetition and loss of messages, against the sender's own manifest


@st.composite
def pushes(draw):
    """How many images a manifest has, what was not lost of its messages, whether it was announced."""
    count = draw(st.integers(2, 12))
    first = draw(st.integers(0, 3))
    associations = draw(st.integers(1, 3))
    messages = []
    for number in range(count):
        by = draw(st.integers(0, associations - 1))
        messages.append(image(1 + number, number=first + number, by=by, second=10 * by + 5))
    for by in range(associations):
        outcome = draw(st.sampled_from(["released", "aborted", "lost"]))
        told = {"left": draw(st.booleans()), "refused": draw(st.sampled_from([0, 0, 1]))}
        messages.append((uuid(by), end(outcome, second=10 * by + 9, began=10 * by, **told)))
    expecting = draw(st.sampled_from(["nothing", "count", "list", "parts"]))
    listed = list(range(1, count + 1))
    told = {
        "nothing": [],
        "count": [announced(count)],
        "list": [announced(count, listed=listed)],
        "parts": [announced(count, listed=listed[:1]), announced(count, listed=listed[1:], part=1)],
    }[expecting]
    lost = draw(st.sets(st.integers(0, len(messages) - 1), max_size=len(messages) - 1))
    kept = [message for index, message in enumerate(messages) if index not in lost]
    return count, [*kept, *told], bool(told)


def evidence_of(messages):
    """Fold messages as facts are: sets under their keys, of which the first stays."""
    stored, told, announcements = {}, {}, {}
    for message in messages:
        if isinstance(message, tuple):
            told.setdefault(message[0], message[1])
        elif hasattr(message, "announcement"):
            announcements.setdefault((message.announcement, message.part), message)
        else:
            stored.setdefault((message.instance, message.digest), message)
    return Evidence(list(stored.values()), told, list(announcements.values()))


@given(pushes())
def test_nothing_of_the_manifest_is_missing_in_what_is_called_complete(push):
    count, messages, told = push
    evidence = evidence_of(messages)
    if not evidence.stored:
        return
    found = judge(evidence, LATE, PATIENCE).completeness
    arrived = len({one.instance for one in evidence.stored})
    if told:
        assert (found.grade == "complete_expected") == (arrived == count)
        assert (found.grade == "partial") == (arrived < count)
        assert found.missing == count - arrived
    else:
        assert found.grade in {"complete_assumed", "partial"}
        if found.grade == "complete_assumed":
            numbers = sorted(one.placement.number for one in evidence.stored)
            assert numbers == list(range(numbers[0], numbers[-1] + 1)) or found.numbers == "unknown"
            assert {one.association for one in evidence.stored} <= evidence.ends.keys()


@given(pushes(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_gives_the_same_grade(push, chance):
    _, messages, _ = push
    shuffled = [*messages, *chance.choices(messages, k=len(messages))]
    chance.shuffle(shuffled)
    once, again = evidence_of(messages), evidence_of(shuffled)
    if once.stored:
        assert judge(once, LATE, PATIENCE) == judge(again, LATE, PATIENCE)


SERIES = SeriesOfStudy(patient=PATIENT, study=STUDY, series=key(7), modality="CT")


def looked_at(state, messages, number):
    """Look at the series as arrivals does when it is due; give its state and what is told."""
    evidence = evidence_of(messages)
    if not evidence.stored:
        return state, []
    counted = series.census(evidence.stored, {})
    completeness = judge(evidence, LATE, PATIENCE).completeness
    decided = series.decide_due(state, PROJECT, SERIES, counted, completeness)
    cause = command(
        SeriesReopened(project=PROJECT, study=STUDY, series=key(7), version=1),
        ident=uuid(number),
        subject=f"series/{PROJECT}/{key(7)}",
    )
    return apply(state, cause, decided, series.evolve, "arrivals")[0], decided


@given(pushes(), st.randoms(use_true_random=False), st.sets(st.integers(0, 30)))
def test_however_often_it_is_looked_at_the_last_word_is_the_same_and_late_images_make_versions(
    push, chance, looks
):
    _, messages, _ = push
    if not evidence_of(messages).stored:
        return
    chance.shuffle(messages)
    plain, _ = looked_at(SeriesState(), messages, "only")
    state, told = SeriesState(), []
    for number in range(1, len(messages) + 1):
        if number in looks or number == len(messages):
            known = state.rows
            state, decided = looked_at(state, messages[:number], number)
            told += decided
            settled = [one for one in decided if isinstance(one, SeriesSettled)]
            late = known and state.rows > known
            assert [one.version for one in decided if isinstance(one, SeriesReopened)] == (
                [settled[0].version] if late else []
            )
    assert (state.completeness, state.rows) == (plain.completeness, plain.rows)
    assert looked_at(state, [*messages, *messages], "again")[1] == []
    versions = [(one.version, one.grading) for one in told if isinstance(one, SeriesSettled)]
    assert versions == sorted(set(versions))
    assert {version for version, _ in versions} == set(range(1, state.settled + 1))
