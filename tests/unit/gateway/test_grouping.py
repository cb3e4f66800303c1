"""Many threads write in few goes, and each hears how its own went."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.grouping import Grouped


def test_what_comes_during_a_write_goes_with_the_next():
    goes, began, go_on = [], threading.Event(), threading.Event()

    def write(pieces):
        goes.append(list(pieces))
        began.set()
        assert go_on.wait(30)

    grouped = Grouped(write)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(grouped.add, [0])
        assert began.wait(30)
        others = [threads.submit(grouped.add, [number, -number]) for number in range(1, 8)]
        while len(grouped._group.waiting) < 14:
            pass
        go_on.set()
        for one in (first, *others):
            one.result(30)
    assert goes[0] == [0]
    assert len(goes) == 2
    pairs = list(zip(goes[1][::2], goes[1][1::2], strict=True))
    assert sorted(pairs) == [(number, -number) for number in range(1, 8)], "what belongs together stays so"


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.integers(0, 9), max_size=3), max_size=12), st.integers(0, 9))
def test_each_is_written_once_and_hears_of_failure(adds, poison):
    written = []

    def write(pieces):
        if poison in pieces:
            raise OSError("no room")
        written.extend(pieces)

    grouped = Grouped(write)

    def add(pieces):
        try:
            grouped.add(pieces)
        except OSError:
            return []
        return pieces

    with ThreadPoolExecutor(4) as threads:
        kept = list(threads.map(add, adds))
    assert sorted(written) == sorted(piece for pieces in kept for piece in pieces)
    assert poison not in written


def test_nothing_to_write_writes_nothing():
    Grouped(lambda _: pytest.fail("written")).add([])
