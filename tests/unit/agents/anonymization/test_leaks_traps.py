"""One thing each that must not get through: in text, around elements, in fragments, in pixels."""

from __future__ import annotations

import logging
import warnings

import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Quarantine
from tests.canaries.all_traps import TRAPS
from tests.canaries.checks import KEY, policy_with, told
from tests.canaries.waiting import ALL_WAITING

REQUIRED = [name for name in TRAPS if name not in ALL_WAITING]


def nothing_gets_through(name: str, *options: str) -> None:
    trap = TRAPS[name]()
    result = anonymize(trap.content, key=KEY, policy=policy_with(*options))
    assert not trap.finder().find(told(result))
    assert isinstance(result, Quarantine) or trap.left(result.content) == []


@pytest.mark.parametrize("name", REQUIRED)
def test_nothing_gets_through(name):
    nothing_gets_through(name)


@pytest.mark.parametrize("name", REQUIRED)
def test_nothing_gets_through_with_options(name):
    nothing_gets_through(name, "retain_patient_characteristics", "retain_device_identity")


def test_nothing_is_logged_or_warned(caplog):
    """A log is read by others than those who may see an original."""
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for name in TRAPS:
            trap = TRAPS[name]()
            caplog.clear()
            del warned[:]
            anonymize(trap.content, key=KEY, policy=policy_with())
            said = caplog.text + "".join(str(warning.message) for warning in warned)
            assert trap.finder().find(said.encode()) == [], name


def test_only_traps_wait():
    assert TRAPS.keys() >= ALL_WAITING
