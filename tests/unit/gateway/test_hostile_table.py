"""The table of bad input is whole, and its page is made of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.hostile.case import GROUPS
from tests.hostile.page import page
from tests.hostile.table import CASES, ELSEWHERE

ROOT = Path(__file__).parents[3]


def test_the_page_is_made_of_the_table():
    assert (ROOT / "docs" / "hostile-input.md").read_text() == page(), "python -m tests.hostile.page > docs/…"


def test_every_group_that_touches_receiving_has_cases_with_names_of_their_own():
    shown = {case.group for case in CASES} | {one.group for one in ELSEWHERE}
    assert shown == set(range(1, 28)) - {25}
    assert {case.group for case in CASES} == GROUPS.keys()
    assert Counter((case.group, case.name) for case in CASES).most_common(1)[0][1] == 1


def test_tests_that_show_the_rest_are_there():
    for one in ELSEWHERE:
        file, _, name = one.test.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(), one.test
