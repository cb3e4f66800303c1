"""Which files of a watched folder are whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.importing.watching import look
from gateway.manifest import Mark

QUIET = 5.0


def test_a_file_is_whole_once_it_stood_still():
    mark = Mark("a", 1, 1)
    first = look({}, [mark], 100.0, QUIET)
    assert first.whole == []
    second = look(first.seen, [mark], 104.0, QUIET)
    assert second.whole == []
    assert look(second.seen, [mark], 105.0, QUIET).whole == [mark]
    grown = Mark("a", 2, 2)
    third = look(second.seen, [grown], 105.0, QUIET)
    assert third.whole == []
    assert look(third.seen, [grown], 110.0, QUIET).whole == [grown]


@given(
    st.lists(
        st.tuples(st.floats(0.1, 9), st.dictionaries(st.sampled_from("abc"), st.integers(1, 3), max_size=3)),
        max_size=12,
    )
)
def test_no_file_is_whole_that_changed_lately_and_gone_ones_are_forgotten(looks):
    now, seen = 0.0, {}
    history: list[tuple[float, dict[str, int]]] = []
    for wait, sizes in looks:
        now += wait
        history.append((now, sizes))
        looked = look(seen, [Mark(path, size, size) for path, size in sizes.items()], now, QUIET)
        seen = looked.seen
        assert set(seen) == set(sizes)
        for path, size in sizes.items():
            still = now
            for time, then in reversed(history):
                if then.get(path) != size:
                    break
                still = time
            assert (Mark(path, size, size) in looked.whole) == (now - still >= QUIET)
