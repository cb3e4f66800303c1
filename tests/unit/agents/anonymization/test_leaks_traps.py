"""One thing each that must not get through: in text, around elements, in fragments, in pixels."""

from __future__ import annotations

import logging
import warnings

import pytest

from agents.anonymization.anonymize import anonymize
from tests.canaries.all_traps import TRAPS
from tests.canaries.checks import EVERYTHING, KEY, RESEARCH, nothing_gets_through, policy_with


@pytest.mark.parametrize("name", TRAPS)
def test_nothing_gets_through(name):
    nothing_gets_through(name)


@pytest.mark.parametrize("options", [RESEARCH, EVERYTHING], ids=["research", "everything"])
@pytest.mark.parametrize("name", TRAPS)
def test_nothing_gets_through_when_text_is_kept(name, options):
    nothing_gets_through(name, *options)


def test_nothing_is_logged_or_warned(caplog):
    """A log is read by others than those who may see an original."""
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for name in TRAPS:
            trap = TRAPS[name]()
            caplog.clear()
            del warned[:]
            anonymize(trap.content, key=KEY, policy=policy_with(*RESEARCH))
            said = caplog.text + "".join(str(warning.message) for warning in warned)
            assert trap.finder().find(said.encode()) == [], name
