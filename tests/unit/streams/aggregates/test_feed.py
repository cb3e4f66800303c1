"""A feed: what people may do, what the system records, and that order and repetition don't matter."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import command as c
from schemas import feed as f
from schemas.identity import default_feed
from schemas.image import ReasonCount, SeriesAttributes
from schemas.job import Measure
from schemas.pacs import Completeness
from streams.aggregates.feed import Context, decide
from streams.aggregates.feed_evolution import evolve
from streams.aggregates.handled import Handled
from streams.aggregates.state import FeedState
from streams.errors import Rejected
from streams.projections.detail import detail
from tests.sealing import sealed
from tests.unit.streams.aggregates.folding import FEED, PATIENT, PROJECT, STUDY, apply, command, key, uuid

ID = default_feed(PROJECT, STUDY)
OTHER_STUDY = "6" * 32


class Feed:
    """A feed that commands are sent to."""

    def __init__(self, feed=ID):
        self.feed, self.state, self.events = feed, FeedState(), []

    def send(self, data, author=None, *, ident=None, patient=None):
        ident = ident or uuid(f"{len(self.events)}-{data}")
        context = Context(command=ident, project=PROJECT, feed=self.feed, author=author, patient=patient)
        cause = command(data, ident=ident, subject=FEED, author=author, seconds=len(self.events))
        self.state, made = apply(self.state, cause, decide(self.state, data, context), evolve)
        self.events += made
        return [one.data for one in made]


def receive(series=1, study=STUDY, feed=ID):
    return c.ReceiveSeries(
        project=PROJECT, feed=feed, patient=PATIENT, study=study, series=key(series), modality="CT"
    )


def record(version=1, series=1, anonymized=10, quarantined=0, **graded):
    return c.RecordSeries(
        project=PROJECT,
        feed=ID,
        patient=PATIENT,
        record=f.FeedSeriesAnonymized(
            study=STUDY,
            series=key(series),
            modality="CT",
            version=version,
            anonymized=anonymized,
            quarantined=quarantined,
            conflicts=0,
            attributes=SeriesAttributes(patient_sex="F"),
            reasons=[ReasonCount(reason="ultrasound", message="m", instances=quarantined)]
            if quarantined
            else [],
            **graded,
        ),
    )


def queued(job="j", version=1, series=1):
    return c.RecordRunQueued(
        run=f.RunQueued(job=uuid(job), series=key(series), version=version, plugin="volumetry")
    )


def started(attempt=1, job="j"):
    return c.RecordRunStarted(run=f.RunStarted(job=uuid(job), attempt=attempt, isolation="docker"))


def failed(attempt=1, job="j", *, final=False):
    return c.RecordRunFailed(
        run=f.RunFailed(job=uuid(job), attempt=attempt, cause=f"exit {attempt}", final=final)
    )


def succeeded(job="j"):
    return c.RecordRunSucceeded(
        run=f.RunSucceeded(
            job=uuid(job),
            outcome="measured",
            artefacts=[],
            measures=[Measure(name="volume", value=1.5, unit="mL")],
            findings=[],
            seconds=2,
        )
    )


def test_the_first_word_of_a_series_opens_the_default_feed():
    feed = Feed()
    kinds = [type(one) for one in feed.send(receive())]
    assert kinds == [f.FeedCreated, f.InputAdded, f.FeedSeriesReceiving]
    assert feed.send(receive()) == []
    assert feed.state.title == f"Study {STUDY[:8]}"


def test_the_default_rule_opens_only_its_own_feed():
    with pytest.raises(Rejected, match="not an input"):
        Feed(uuid("mine")).send(receive(feed=uuid("mine")))
    with pytest.raises(Rejected, match="another feed"):
        Feed(uuid("mine")).send(receive())


def test_a_second_study_is_added_by_a_person_and_its_series_come():
    feed = Feed()
    feed.send(receive())
    with pytest.raises(Rejected, match="no such study"):
        feed.send(c.AddInput(study=OTHER_STUDY), "anna")
    added = feed.send(c.AddInput(study=OTHER_STUDY), "anna", patient="b" * 32)
    assert added == [f.InputAdded(study=OTHER_STUDY, patient="b" * 32)]
    assert feed.send(c.AddInput(study=OTHER_STUDY), "anna", patient="b" * 32) == []
    assert len(feed.send(receive(series=2, study=OTHER_STUDY))) == 1


def test_an_older_version_never_overwrites_a_newer():
    feed = Feed()
    assert feed.send(record(version=2, anonymized=20))
    assert feed.send(record(version=1)) == []
    assert feed.state.series[key(1)].record.anonymized == 20


def test_people_create_rename_and_tag():
    feed = Feed(uuid("mine"))
    feed.send(c.CreateFeed(project=PROJECT, feed=uuid("mine"), title="Mine"), "anna")
    assert feed.send(c.RenameFeed(title="Ours"), "anna") == [f.FeedRenamed(title="Ours")]
    assert feed.send(c.RenameFeed(title="Ours"), "anna") == []
    assert feed.send(c.TagFeed(tag="liver"), "anna")
    assert feed.send(c.TagFeed(tag="liver"), "anna") == []
    assert feed.send(c.UntagFeed(tag="liver"), "anna")
    assert feed.send(c.UntagFeed(tag="liver"), "anna") == []
    with pytest.raises(Rejected, match="already"):
        feed.send(c.CreateFeed(project=PROJECT, feed=uuid("mine"), title="Again"), "anna")
    with pytest.raises(Rejected, match="at least one letter"):
        feed.send(c.RenameFeed(title="  "), "anna")


@pytest.mark.parametrize(
    "data",
    [
        c.RenameFeed(title="x"),
        c.TagFeed(tag="x"),
        c.UntagFeed(tag="x"),
        c.AddInput(study=STUDY),
        c.PostComment(comment=uuid(1), text=sealed("x")),
        c.EditComment(comment=uuid(1), text=sealed("x")),
    ],
)
def test_nothing_is_done_to_a_feed_that_is_not_there(data):
    with pytest.raises(Rejected, match="no such feed"):
        Feed().send(data, "anna")


def test_only_its_author_edits_a_comment():
    feed = Feed()
    feed.send(receive())
    post = c.PostComment(comment=uuid("c"), text=sealed("look here"))
    assert feed.send(post, "anna")
    assert feed.send(post, "anna") == []
    with pytest.raises(Rejected, match="already"):
        feed.send(post, "bob")
    with pytest.raises(Rejected, match="Only its author"):
        feed.send(c.EditComment(comment=uuid("c"), text=sealed("mine now")), "bob")
    assert feed.send(c.EditComment(comment=uuid("c"), text=sealed("look there")), "anna")
    assert feed.state.comments[uuid("c")].text == sealed("look there")
    assert feed.state.comments[uuid("c")].edited is not None
    with pytest.raises(Rejected, match="no such comment"):
        feed.send(c.EditComment(comment=uuid("d"), text=sealed("x")), "anna")
    with pytest.raises(Rejected, match="author"):
        feed.send(c.PostComment(comment=uuid("e"), text=sealed("x")))


@pytest.mark.parametrize(
    "clear", ["look here", "sealed:1:", sealed("x") + "\n", " " + sealed("x"), "sealed:2:x"]
)
def test_no_clear_word_enters_a_history(clear):
    feed = Feed()
    feed.send(receive())
    with pytest.raises(Rejected, match="must be sealed") as refused:
        feed.send(c.PostComment(comment=uuid("c"), text=clear), "anna")
    assert clear not in str(refused.value)
    feed.send(c.PostComment(comment=uuid("c"), text=sealed("x")), "anna")
    with pytest.raises(Rejected, match="must be sealed"):
        feed.send(c.EditComment(comment=uuid("c"), text=clear), "anna")


def test_a_wish_said_again_after_another_one_changes_nothing():
    feed = Feed()
    feed.send(receive())
    feed.send(c.RenameFeed(title="A"), "anna", ident=uuid("a"))
    feed.send(c.RenameFeed(title="B"), "anna", ident=uuid("b"))
    assert feed.send(c.RenameFeed(title="A"), "anna", ident=uuid("a")) == []
    assert feed.state.title == "B"


def test_a_run_that_was_not_queued_here_is_refused():
    feed = Feed()
    feed.send(receive())
    for data in (started(), failed(), succeeded()):
        with pytest.raises(Rejected, match="queued first"):
            feed.send(data)
    with pytest.raises(Rejected, match="record the series first"):
        feed.send(queued(series=9))


PREFIX = [receive(), queued()]
PARTIAL = Completeness(grade="partial", received=12, lacks=["lost"])
WHOLE = Completeness(grade="complete_assumed", received=12)
STORIES = [
    [receive()],
    [record(1)],
    [record(2, anonymized=12, quarantined=1, since=2, completeness=PARTIAL)],
    [record(2, anonymized=12, quarantined=1, since=2, completeness=WHOLE, grading=1)],
    [record(1, series=2)],
    [*PREFIX, started(1)],
    [*PREFIX, failed(1)],
    [*PREFIX, started(2)],
    [*PREFIX, succeeded()],
    [receive(), queued("k", 2)],
    [receive(), queued("k", 2), started(1, "k")],
    [receive(), queued("k", 2), failed(3, "k", final=True)],
]


@st.composite
def deliveries(draw):
    """Every story at least once, repeated, cut short by a crash and begun again, interleaved."""
    stories = [list(story) for story in STORIES]
    for number in draw(st.lists(st.integers(0, len(STORIES) - 1), max_size=6)):
        cut = draw(st.integers(0, len(STORIES[number])))
        stories.append([*STORIES[number][:cut], *STORIES[number]])
    order = draw(st.permutations([n for n, story in enumerate(stories) for _ in story]))
    return [stories[number].pop(0) for number in order]


def bare(state):
    """The state without what tells only of the way to it."""
    return msgspec.structs.replace(state, version=0, created=None, updated=None, handled=Handled())


def delivered(commands):
    feed = Feed()
    for data in commands:
        feed.send(data, ident=uuid(str(data)))
    return feed


@given(deliveries())
def test_system_commands_in_any_order_and_number_end_in_the_same_state(commands):
    feed = delivered(commands)
    assert bare(feed.state) == bare(delivered([one for story in STORIES for one in story]).state)
    assert [event.version for event in feed.events] == list(range(1, len(feed.events) + 1))
    replayed = FeedState()
    for event in feed.events:
        replayed = evolve(replayed, event)
    assert replayed == feed.state


def test_a_version_that_is_graded_anew_is_recorded_and_an_older_grading_says_nothing():
    feed = Feed()
    feed.send(record(completeness=WHOLE, grading=1))
    assert feed.send(record(completeness=PARTIAL)) == []
    assert feed.send(record(completeness=WHOLE, grading=1)) == []
    (again,) = feed.send(record(completeness=PARTIAL, grading=2))
    assert (again.completeness, again.grading) == (PARTIAL, 2)


def test_a_version_with_other_images_names_the_runs_that_lack_them_once():
    feed = Feed()
    for said in (record(1), queued("j", 1), succeeded(), queued("dead", 1), failed(job="dead", final=True)):
        feed.send(said)
    (conflict,) = feed.send(record(2, since=1))
    assert conflict.outdated == []
    (other,) = feed.send(record(3, anonymized=11, since=3))
    assert other.outdated == [uuid("j")]
    feed.send(queued("k", 3))
    assert [one.outdated for one in feed.send(record(3, anonymized=11, since=3, grading=1))] == [[]]
    (more,) = feed.send(record(4, anonymized=12, since=4))
    assert more.outdated == [uuid("k")]


@given(deliveries())
def test_a_card_adds_up_after_every_command(commands):
    feed = Feed()
    for data in commands:
        feed.send(data, ident=uuid(str(data)))
        page = detail(feed.state)
        card = page.card
        assert card.version == feed.state.version
        assert len(card.steps) == len(card.series) == len(page.series)
        assert card.anonymized == sum(one.anonymized for one in page.series)
        assert card.failed == card.steps.count("failed")
        assert card.measured + card.not_volumes == card.steps.count("succeeded")
        held = [one for one in page.series if not one.run and one.completeness == PARTIAL]
        assert card.steps.count("held") == len(held)
        assert (card.state == "receiving") == ("receiving" in card.steps)
        assert (card.state == "empty") == (not card.series)


def test_a_state_survives_its_snapshot():
    state = delivered([one for story in STORIES for one in story]).state
    assert msgspec.json.decode(msgspec.json.encode(state), type=FeedState) == state
