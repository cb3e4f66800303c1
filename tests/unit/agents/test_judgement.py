from __future__ import annotations

import pytest

from agents.judgement import Verdict, describe, judge
from schemas.envelope import InvalidEvent
from streams.errors import Conflict, NoSpace, Poison, Refused, Rejected, Unavailable


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, Verdict.DONE),
        (Rejected("no such feed"), Verdict.DONE),
        (Refused("no topic"), Verdict.FAILED),
        (Poison("no pixels"), Verdict.DEAD),
        (InvalidEvent("not JSON"), Verdict.DEAD),
        (Unavailable("away"), Verdict.AWAY),
        (Conflict("feed/p/f", 1, 2), Verdict.AWAY),
        (NoSpace("full"), Verdict.AWAY),
        (TimeoutError(), Verdict.FAILED),
        (KeyError("x"), Verdict.FAILED),
        (OSError(5, "input/output error"), Verdict.FAILED),
    ],
)
def test_each_error_has_its_verdict(error, verdict):
    assert judge(error) is verdict


def test_an_unexpected_error_is_described_without_its_text():
    try:
        int("DOE^JANE")
    except ValueError as error:
        text = describe(error)
    assert text.startswith("ValueError at test_judgement.py:")
    assert "DOE" not in text


def test_errors_of_ours_tell_their_text():
    assert describe(Poison("no pixels")) == "Poison: no pixels"
