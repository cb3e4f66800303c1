from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from streams.crashpoints import arm
from streams.errors import Rejected


def test_a_point_does_nothing_unless_it_is_named():
    deaths = []
    for environment in ({}, {"CHIPS_CRASH_AT": ""}, {"CHIPS_CRASH_AT": "other"}):
        point = arm(environment, lambda: deaths.append(1))
        point("here")
    assert deaths == []


def test_the_named_pass_dies_and_only_that():
    deaths = []
    point = arm({"CHIPS_CRASH_AT": "here:3"}, lambda: deaths.append(seen))
    for seen in range(1, 6):  # noqa: B007 - read by the closure above
        point("elsewhere")
        point("here")
    assert deaths == [3]


@pytest.mark.parametrize("text", ["here:0", "here:x", "here:-1"])
def test_a_senseless_pass_is_refused(text):
    with pytest.raises(Rejected, match="NAME:PASS"):
        arm({"CHIPS_CRASH_AT": text}, lambda: None)


def test_the_process_dies_by_sigkill():
    code = "from streams.crashpoints import crashpoint; crashpoint('a'); crashpoint('b'); print('alive')"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"CHIPS_CRASH_AT": "b"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, b"")
