from __future__ import annotations

import errno
import os
import threading

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway import segments
from gateway.entries import ENTRY_HEADER, FORMAT, MAX_BYTES, SEGMENT_HEADER, pack, parse
from gateway.errors import JournalBroken, JournalDamaged
from gateway.journal import Journal
from streams.errors import NewerFormat, Rejected

payloads = st.lists(st.binary(min_size=1, max_size=200), max_size=30)


def entry(number: int) -> bytes:
    return f"entry {number}".encode()


def all_of(journal: Journal) -> list[bytes]:
    found = []
    while batch := journal.read(7):
        found += batch
    return found


@given(payloads, st.binary(max_size=20))
def test_entries_read_back_up_to_what_is_not_whole(entries, tail):
    data = b"".join(map(pack, entries))
    parsed = parse(data + tail)
    assert parsed.payloads[: len(entries)] == entries
    assert parse(data, 2).payloads == entries[:2]


@pytest.mark.parametrize("payload", [b"", bytes(MAX_BYTES + 1)])
def test_entries_no_event_could_be_are_refused(payload):
    with pytest.raises(ValueError, match="journal entry"):
        pack(payload)


def test_zeros_after_a_power_loss_are_no_entries():
    assert parse(pack(b"one") + bytes(4096)).payloads == [b"one"]


def test_what_was_appended_is_read_in_order_across_segments_and_starts(tmp_path):
    for start in range(3):
        journal = Journal(tmp_path / "journal", segment_bytes=100)
        for number in range(start * 10, start * 10 + 10):
            journal.append([entry(number)])
        assert all_of(journal) == [entry(number) for number in range(start * 10 + 10)]
        assert journal.backlog == start * 10 + 10
        journal.close()
    assert len(list((tmp_path / "journal").glob("*.journal"))) > 3


def test_reading_follows_writing_over_the_border_of_a_segment(tmp_path):
    journal = Journal(tmp_path / "journal", segment_bytes=SEGMENT_HEADER + 2 * (ENTRY_HEADER + 7))
    for number in range(9):
        journal.append([entry(number)])
        assert journal.read(5) == [entry(number)]
        assert journal.read(5) == []
    journal.close()


def test_confirmed_entries_are_gone_and_the_others_stay(tmp_path):
    folder = tmp_path / "journal"
    journal = Journal(folder, segment_bytes=100)
    journal.append([entry(number) for number in range(5)])
    for number in range(5, 50):
        journal.append([entry(number)])
    read = []
    while len(read) < 30:
        read += journal.read(30 - len(read))
    before = len(list(folder.glob("*.journal")))
    journal.confirm(23)
    assert len(list(folder.glob("*.journal"))) < before
    journal.close()

    again = Journal(folder, segment_bytes=100)
    assert again.backlog == 27
    assert all_of(again) == [entry(number) for number in range(23, 50)]
    again.confirm(27)
    assert len(list(folder.glob("*.journal"))) == 1
    again.close()


def test_rewound_it_reads_from_the_confirmed_entries_on(tmp_path):
    journal = Journal(tmp_path / "journal", segment_bytes=100)
    journal.append([entry(number) for number in range(20)])
    journal.read(3)
    journal.confirm(3)
    assert all_of(journal) == [entry(number) for number in range(3, 20)]
    journal.rewind()
    assert all_of(journal) == [entry(number) for number in range(3, 20)]


def test_who_comes_late_is_told_that_nothing_is_durable(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.append([entry(0)])
    journal.close()
    with pytest.raises(JournalBroken):
        journal.append([entry(1)])


def test_more_than_was_read_cant_be_confirmed(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.append([b"a", b"b"])
    journal.read(1)
    with pytest.raises(ValueError, match="not read"):
        journal.confirm(2)


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 12])
def test_a_lost_position_publishes_again_and_loses_nothing(tmp_path, damage):
    journal = Journal(tmp_path / "journal")
    journal.append([b"a", b"b"])
    journal.read(2)
    journal.confirm(1)
    journal.close()
    (tmp_path / "journal" / "confirmed").write_bytes(damage)
    assert all_of(Journal(tmp_path / "journal")) == [b"a", b"b"]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), entries=st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=12))
def test_a_tail_torn_at_any_byte_is_cut_and_the_rest_stands(tmp_path_factory, data, entries):
    folder = tmp_path_factory.mktemp("torn") / "journal"
    journal = Journal(folder)
    ends = [SEGMENT_HEADER]
    for payload in entries:
        journal.append([payload])
        ends.append(ends[-1] + ENTRY_HEADER + len(payload))
    journal.close()
    (segment,) = folder.glob("*.journal")
    cut = data.draw(st.integers(0, ends[-1]))
    garbage = data.draw(st.sampled_from([b"", bytes(64), b"\xff" * 40]))
    torn = segment.read_bytes()[cut : next((end for end in ends if end > cut), cut)]
    assume(not (torn and garbage.startswith(torn)))  # what stands there is the entry after all
    with segment.open("r+b") as file:
        file.truncate(cut)
        file.seek(cut)
        file.write(garbage if cut >= SEGMENT_HEADER else b"")
    whole = sum(end <= cut for end in ends[1:])

    again = Journal(folder)
    assert all_of(again) == entries[:whole]
    if cut >= SEGMENT_HEADER:
        assert again.cut == cut - ends[whole] + len(garbage)
    again.append([b"after"])
    again.close()
    assert all_of(Journal(folder)) == [*entries[:whole], b"after"]


def test_what_lay_behind_a_torn_entry_does_not_come_back(tmp_path):
    """After a power loss a later page may be there without an earlier one; none of it was acknowledged."""
    journal = Journal(tmp_path / "journal")
    journal.append([b"one", b"two", b"six"])
    journal.close()
    (segment,) = (tmp_path / "journal").glob("*.journal")
    raw = segment.read_bytes()
    segment.write_bytes(raw.replace(b"two", b"\0\0\0"))
    again = Journal(tmp_path / "journal")
    again.append([b"new"])
    again.close()
    assert all_of(Journal(tmp_path / "journal")) == [b"one", b"new"]


def test_a_finished_segment_that_lost_bytes_is_told_and_not_skipped(tmp_path):
    folder = tmp_path / "journal"
    journal = Journal(folder, segment_bytes=60)
    for number in range(20):
        journal.append([entry(number)])
    oldest = min(folder.glob("*.journal"))
    raw = bytearray(oldest.read_bytes())
    raw[-1] ^= 1
    oldest.write_bytes(raw)
    with pytest.raises(JournalDamaged, match=oldest.name):
        all_of(journal)


def test_a_damaged_header_of_a_segment_with_entries_is_told(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.append([b"a"])
    journal.close()
    (segment,) = (tmp_path / "journal").glob("*.journal")
    with segment.open("r+b") as file:
        file.write(b"XX")
    with pytest.raises(JournalDamaged, match="header") as damaged:
        Journal(tmp_path / "journal")
    assert isinstance(damaged.value, Rejected)
    assert "restore it from a backup" in str(damaged.value)


@pytest.mark.parametrize("which", [0, -1], ids=["oldest", "newest"])
@pytest.mark.parametrize("body", [b"", b"\0" * 8, b"whatever a later format writes" * 9])
def test_a_journal_of_a_newer_chips_is_refused_and_left_as_it_is(tmp_path, which, body):
    folder = tmp_path / "journal"
    journal = Journal(folder, segment_bytes=60)
    for number in range(20):
        journal.append([entry(number)])
    journal.close()
    newer = sorted(folder.glob("*.journal"))[which]
    newer.write_bytes(b"CHIPSJ%02d" % (FORMAT + 1) + body)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(NewerFormat, match="newer one"):
        Journal(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_many_threads_share_syncs_and_lose_nothing(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "journal", segment_bytes=2000)
    journal.append([entry(99)])  # the segment is there
    syncs = []
    first_sync = threading.Event()
    go_on = threading.Event()
    real = os.fsync

    def slow(fd):
        syncs.append(1)
        if len(syncs) == 1:
            first_sync.set()
            assert go_on.wait(30)
        real(fd)

    monkeypatch.setattr(os, "fsync", slow)
    threads = [threading.Thread(target=lambda n=n: journal.append([entry(n)])) for n in range(20)]
    threads[0].start()
    assert first_sync.wait(30)
    for thread in threads[1:]:
        thread.start()
    while len(journal._grouped._group.waiting) < 19:
        pass
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert sorted(all_of(journal)) == sorted(entry(n) for n in [*range(20), 99])
    assert len(syncs) == 2


def test_an_append_is_told_only_when_it_is_synced(tmp_path, monkeypatch):
    order = []
    real = os.fsync
    journal = Journal(tmp_path / "journal")
    journal.append([b"the segment is there"])
    monkeypatch.setattr(os, "fsync", lambda fd: (real(fd), order.append("synced")))
    journal.on_durable = lambda: order.append("told")
    journal.append([b"a"])
    assert order == ["synced", "told"]


def fail(code: int, times: int, real):
    left = [times]

    def failing(*args):
        if left[0]:
            left[0] -= 1
            raise OSError(code, os.strerror(code))
        return real(*args)

    return failing


def test_no_room_fails_only_who_appends_and_goes_on_when_there_is(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "journal")
    journal.append([b"a"])
    (segment,) = (tmp_path / "journal").glob("*.journal")
    size = segment.stat().st_size
    real, parts = os.pwrite, []

    def full(fd, data, at):
        if not parts:
            parts.append(real(fd, data[:5], at))  # a part fits, then the disk is full
            return 5
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(segments.os, "pwrite", full)
        with pytest.raises(OSError, match="full"):
            journal.append([b"lost", b"also lost"])
    assert segment.stat().st_size == size
    journal.append([b"b"])
    assert all_of(journal) == [b"a", b"b"]


def test_no_room_for_a_new_segment_leaves_none(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "journal")
    with monkeypatch.context() as patch:
        patch.setattr(segments.os, "pwrite", fail(errno.ENOSPC, 9, os.pwrite))
        with pytest.raises(OSError, match="space"):
            journal.append([b"a"])
    assert list((tmp_path / "journal").glob("*.journal")) == []
    journal.append([b"b"])
    assert all_of(journal) == [b"b"]


def test_a_failed_sync_is_never_trusted_again(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "journal")
    journal.append([b"a"])
    monkeypatch.setattr(os, "fsync", fail(errno.EIO, 1, os.fsync))
    for payload in (b"b", b"c"):
        with pytest.raises(JournalBroken):
            journal.append([payload])
    assert all_of(journal) == [b"a"]
