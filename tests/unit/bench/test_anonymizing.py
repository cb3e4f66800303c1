"""What the bench of anonymizers finds left, and says of those that it can't have."""

from __future__ import annotations

import pytest

from tests.bench.bench_anonymize import TOOLS, Run, _row, markdown
from tests.bench.ct_series import left_in, write_slices
from tests.bench.peers import Peer, python_with


def test_every_planted_value_is_found_in_what_is_left_as_it_was(tmp_path):
    one, other = write_slices(tmp_path, 2)
    assert left_in(one.path.read_bytes(), one.canaries) == set(one.canaries)
    assert left_in(other.path.read_bytes(), one.canaries) < set(one.canaries)


@pytest.mark.parametrize("codec", ["ascii", "utf-16-le", "utf-16-be"])
def test_what_is_left_is_found_in_any_spelling(codec):
    assert left_in(b"x" + "CANARY".encode(codec) + b"x", {"name": "CANARY", "id": "OTHER"}) == {"name"}


def test_an_anonymizer_that_pip_can_not_have_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert python_with(Peer("no-such-anonymizer", "1.0"), tmp_path) is None
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]
    copies, deid = [Run(1e-3, 2e-3, [{"name"}])], TOOLS[-3]
    told = markdown([_row(TOOLS[0], copies, copies, 1e6), _row(deid, [], copies, 1e6)])
    assert "| a plain copy" in told
    assert "Not measured: deid" in told
    assert "| deid" not in told
