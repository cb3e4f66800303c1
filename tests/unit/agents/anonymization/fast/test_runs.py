from __future__ import annotations

import struct
import threading

import pytest

from agents.anonymization.fast.engine import FastPath
from agents.anonymization.fast.runs import Came, Piece, Run, Runs
from tests.unit.agents.anonymization.fast.comparing import KEY, POLICIES, carefully, plain
from tests.unit.agents.anonymization.fast.writing import Element, ct_file, padded

MAKER = Element(0x00190010, "LO", b"BENCH MAKER ")


def slice_of(number, *more, implicit=False, patient="PID-12345"):
    return ct_file(
        Element(0x00080018, "UI", padded(f"1.2.3.4.{number}", b"\0")),
        Element(0x00100020, "LO", padded(patient)),
        Element(0x00200013, "IS", padded(str(number))),
        Element(0x00200032, "DS", padded(f"0\\0\\{number}.5")),
        *more,
        implicit=implicit,
    )


def runs_of(path):
    return [
        run
        for tables in path._tables.values()
        for table in tables._made.values()
        for run in table.runs.standing.values()
    ]


def alike(path, policy, content):
    fast = path.take(content)
    assert fast is not None
    assert plain(fast) == plain(carefully(content, POLICIES[policy]))


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("implicit", [False, True])
def test_a_series_is_read_in_runs(policy, implicit):
    path = FastPath(KEY, POLICIES[policy])
    for number in range(8):
        alike(path, policy, slice_of(number, implicit=implicit))
    # Around the three elements that move, and up to the pixels.
    assert 3 <= len(runs_of(path)) <= 6
    assert sum(run.cost for run in runs_of(path)) >= 20


@pytest.mark.parametrize("policy", list(POLICIES))
def test_what_stood_still_may_move_go_and_come(policy):
    path = FastPath(KEY, POLICIES[policy])
    still = [Element(0x00080070, "LO", b"Tomograf"), MAKER, Element(0x00191002, "LO", b"x ")]
    for number in range(6):
        alike(path, policy, slice_of(number, *still))
    for number, more in enumerate(
        [
            [MAKER, Element(0x00191002, "LO", b"y ")],
            [Element(0x00190010, "LO", b"SOMEBODY"), Element(0x00191002, "LO", b"x ")],
            [Element(0x00191002, "LO", b"x ")],
            [Element(0x00190001, "LO", b"x "), *still],
            [Element(0x0019000F, "LO", b"x "), *still],
            [*still, Element(0x00191003, "LO", b"x ")],
            [*still, Element(0x00191102, "LO", b"x ")],
            [Element(0x00100022, "CS", b"TEXT"), *still],
            [Element(0x00101001, "PN", b"Tomograf"), *still],
            [Element(0x00120062, "CS", b"NO"), *still],
            [],
        ]
    ):
        alike(path, policy, slice_of(number, *more))
        alike(path, policy, slice_of(number, *still))


@pytest.mark.parametrize("policy", ["basic", "private"])
def test_names_that_another_patient_has_are_found_in_what_stands_still(policy):
    path = FastPath(KEY, POLICIES[policy])
    station = Element(0x00080070, "LO", b"Room of ERIKA ")
    for number in range(6):
        alike(
            path, policy, slice_of(number, station, Element(0x00100010, "PN", b"Weiss^Dora"), patient="4711")
        )
    found = path.take(slice_of(6, station))
    assert b"ERIKA" not in found.content
    alike(path, policy, slice_of(6, station))


def test_a_run_is_taken_only_where_as_much_was_put_in_before():
    """An object without what made room for the pseudonym has it put in once all the same."""
    path = FastPath(KEY, POLICIES["basic"])
    for number in range(6):
        alike(path, "basic", slice_of(number, Element(0x00100032, "TM", f"10111{number}".encode())))
    content = ct_file(without=(0x00100010, 0x00100020, 0x00100021, 0x00100030))
    alike(path, "basic", content)
    assert path.take(content).content.count(b"\x10\0\x20\0LO") == 1


def test_two_threads_share_what_is_remembered():
    path = FastPath(KEY, POLICIES["private"])
    series = [
        [slice_of(number, *more, patient=patient) for number in range(40)]
        for patient, more in (("A1234", [MAKER]), ("B1234", [Element(0x00181030, "LO", b"Head")]))
    ]
    expected = [[plain(carefully(one, POLICIES["private"])) for one in files] for files in series]
    found = [[], []]
    barrier = threading.Barrier(2)

    def work(place):
        barrier.wait()
        for _ in range(3):
            found[place].append([plain(path.take(one)) for one in series[place]])

    threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[files] * 3 for files in expected]


def test_what_is_inside_of_runs_counts_among_the_elements_that_an_object_may_have():
    """21,000 elements, of which most stood still, are more than a file of this size may have."""

    def crowded(count):
        inside = [[Element(0x00090000 | number, "LO", b"") for number in range(1000)]]
        return ct_file(*(Element(0x00191000 | place, "SQ", inside) for place in range(count)))

    path = FastPath(KEY, POLICIES["basic"])
    content = crowded(18)
    for _ in range(5):
        assert path.take(content) is not None
    assert sum(run.cost for run in runs_of(path)) > 10_000
    assert path.take(crowded(21)) is None


NOTHING = Came([], [], [], {})


def piece(number, raw):
    key = struct.pack("<HH", 0x18, number) + b"LO"
    return Piece(key, raw, 0, len(raw), 0x00180000 | number, 0, 0, 1, 0, 0, 0, None)


def learn(runs, *raws):
    """Learn from an object, or let it pass when nobody is curious; tells which."""
    pieces = []
    while (place := sum(one.cost for one in pieces)) < len(raws):
        made = piece(place, raws[place])
        run = runs.standing.get(made.key)
        pieces.append(run if run and b"".join(raws[place:]).startswith(run.raw) else made)
    curious = runs.curious()
    if curious:
        runs.learn(pieces, NOTHING)
    else:
        runs.passed(len(pieces))
    return curious


def test_what_stands_still_three_times_is_joined_and_what_moves_is_not():
    runs = Runs()
    for moving in (b"1", b"2"):
        learn(runs, b"a", b"b", moving, b"c", b"d")
        assert not runs.standing
    learn(runs, b"a", b"b", b"3", b"c", b"d")
    assert sorted(run.raw for run in runs.standing.values()) == [b"ab", b"cd"]


def test_a_run_is_bounded_and_so_are_all():
    runs = Runs()
    for _ in range(3):
        learn(runs, *(bytes([number]) * 8000 for number in range(5)), bytes(9000))
    assert all(len(run.raw) <= 16384 for run in runs.standing.values())
    assert sum(len(run.raw) for run in runs.standing.values()) == 40000
    for start in range(0, 30000, 500):
        for _ in range(3):
            runs.learn([piece(start + number, b"x") for number in range(500)], NOTHING)
    assert len(runs.standing) <= 1024
    assert len(runs._watched) <= 1024


def test_a_run_that_moved_is_forgotten():
    runs = Runs()
    for _ in range(3):
        learn(runs, b"a", b"b")
    (run,) = runs.standing.values()
    assert isinstance(run, Run)
    runs.moved(run)
    assert not runs.standing
    learn(runs, b"a", b"c")
    assert [run.raw for run in runs.standing.values()] == [b"a"]


def test_what_moves_on_is_learned_from_seldom_and_yet_in_the_end():
    runs = Runs()
    curious = [learn(runs, b"a", b"%d" % moving, b"b") for moving in range(40)]
    assert sorted(run.raw for run in runs.standing.values()) == [b"a", b"b"]
    assert sum(curious) < 20
    assert any(curious[-8:])
    for _ in range(40):
        learn(runs, b"a", b"still", b"b")
    assert [run.raw for run in runs.standing.values()] == [b"astillb"]


def test_objects_of_another_number_of_pieces_are_learned_from_at_once():
    runs = Runs()
    for moving in range(2):
        learn(runs, b"%d" % moving)
    assert not runs.curious()
    runs.passed(2)
    assert runs.curious()
