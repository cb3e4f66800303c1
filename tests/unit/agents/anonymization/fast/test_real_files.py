"""All files of pydicom and pydicom-data by both ways; prints how many the fast one takes."""

from __future__ import annotations

import collections
from pathlib import Path

import data_store
import pydicom
import pytest

from tests.unit.agents.anonymization.fast.comparing import POLICIES, carefully, fast_path, plain

FILES = [
    path
    for folder in (Path(pydicom.__file__).parent, Path(data_store.__file__).parent)
    for path in sorted((folder / "data").rglob("*"))
    if path.is_file() and path.read_bytes()[128:132] == b"DICM"
]


@pytest.mark.parametrize("name", list(POLICIES))
def test_whatever_it_takes_comes_out_alike(name):
    """Twice in a row, from a path and from bytes: what it remembers changes nothing."""
    ways = collections.Counter()
    for path in FILES:
        careful = plain(carefully(path.read_bytes(), POLICIES[name]))
        taken = [fast_path(name).take(path), fast_path(name).take(path.read_bytes())]
        assert (taken[0] is None) == (taken[1] is None), path.name
        assert taken[0] is None or [plain(one) for one in taken] == [careful, careful], path.name
        ways["taken" if taken[0] else "passed on" if careful else "refused by both"] += 1
    print(f"\n{name}: {dict(ways)} of {len(FILES)}")
    # Not: big endian, overlays when they are to be looked at, pixels with something beside their image.
    assert ways["taken"] >= 100
    assert ways["taken"] > 4 * ways["passed on"]
