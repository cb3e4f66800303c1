"""Text that is drawn into pixels does not get out, and the test can read it as long as it is there."""

from __future__ import annotations

import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.installed import installed_tools
from agents.anonymization.outcome import Anonymized, Quarantine
from tests.canaries.checks import CLEAN, KEY, policy_with
from tests.canaries.classes import IMAGES
from tests.canaries.drawn import background, draw, legible, shown
from tests.canaries.drawn_objects import MARKED, UNMARKED, lines_about
from tests.canaries.finding import decoded
from tests.canaries.person import make_person
from tests.canaries.words import Words
from tests.canaries.writing import written


@pytest.mark.parametrize("name", MARKED)
def test_what_is_drawn_does_not_get_out(name):
    drawn = MARKED[name]()
    result = anonymize(drawn.content, key=KEY, policy=policy_with())
    assert isinstance(result, Quarantine) or legible(decoded(result.content), drawn.lines) == []


@pytest.mark.parametrize(
    "name", ["ultrasound, palette", "capture of sixteen bits", "marked CT", "radiograph that denies it"]
)
def test_what_is_drawn_is_blacked_out(name):
    """One of each way through the detector: its own tests have the others."""
    drawn = {**MARKED, **UNMARKED}[name]()
    policy = policy_with(*CLEAN)
    result = anonymize(drawn.content, key=KEY, policy=policy, tools=installed_tools(policy))
    assert isinstance(result, Anonymized), result
    out = decoded(result.content)
    assert legible(out, drawn.lines) == []
    assert out.BurnedInAnnotation == "NO"


@pytest.mark.parametrize("name", [*MARKED, *UNMARKED])
def test_what_is_drawn_can_be_read_in_the_original(name):
    drawn = {**MARKED, **UNMARKED}[name]()
    data = decoded(drawn.content)
    frames = int(data.get("NumberOfFrames", 1))
    assert len(legible(data, drawn.lines)) == frames * len(drawn.lines)


@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2", "RGB", "RGB planes", "YBR_FULL"])
@pytest.mark.parametrize("covered", [0, 90, 255])
def test_what_is_blacked_out_can_not(interpretation, covered):
    words = Words(1)
    person = make_person(words)
    first, *others = lines = lines_about(person)
    frames = draw(background(3), lines)
    for other in others:
        other.of(frames[0])[...] = covered
    data = decoded(written(shown(IMAGES["us"](words, person), frames, interpretation)))
    assert legible(data, lines) == [f"{first.text!r} in frame 0"]
