"""Reports that wait, and how they are brought to their address."""

from __future__ import annotations

import os
import threading

import pytest

from gateway.admission import ReplyTo
from gateway.commitment import reports as module
from gateway.commitment.delivering import GIVEN_UP_S, Delivering, Rest, rested
from gateway.commitment.messages import Asked, Failure, Reference
from gateway.commitment.reports import Report, Reports
from streams.errors import NoSpace
from tests.door import until

REFERENCE = Reference("1.2.840.10008.5.1.4.1.1.2", "1.2.3.4")
HERE, THERE = ReplyTo("127.0.0.1", 104, "HERE"), ReplyTo("127.0.0.1", 105, "THERE")


def made(reply: ReplyTo | None = HERE) -> Report:
    return Report(
        association="a",
        source="ct-2",
        reply=reply,
        calling_ae="CHIPS",
        asked=Asked("1.2.3", (REFERENCE,)),
        failures=(Failure(REFERENCE, 0x0112),),
    )


@pytest.fixture
def reports(tmp_path):
    return Reports(tmp_path / "reports")


def test_a_report_reads_back_and_is_due_only_when_it_was_left(reports):
    path = reports.put(made())
    assert reports.read(path) == made()
    assert path.stat().st_mode & 0o77 == path.parent.stat().st_mode & 0o77 == 0
    assert reports.due() == []
    reports.leave(path)
    (due,) = reports.due()
    assert reports.read(due) == made()
    reports.done(due)
    assert reports.due() == []


def test_what_a_dead_process_had_is_left_and_nothing_else(reports):
    mine = reports.put(made())
    other = mine.with_name(mine.name.replace(str(os.getpid()), "1"))
    mine.rename(other)
    mine = reports.put(made(THERE))
    reports.leave_all(1)
    assert [reports.read(path).reply for path in reports.due()] == [HERE]
    reports.leave_all()
    assert not mine.exists()
    assert len(reports.due()) == 2


def test_no_more_wait_than_may(reports, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    reports.put(made())
    reports.put(made())
    with pytest.raises(NoSpace):
        reports.put(made())


def test_an_address_rests_longer_each_time_and_not_for_ever():
    rest = rested(None, 100.0, (5.0, 15.0))
    assert rest == Rest(105.0, 5.0)
    assert [rest := rested(rest, 100.0, (5.0, 15.0)) for _ in range(3)] == [
        Rest(110.0, 10.0),
        Rest(115.0, 15.0),
        Rest(115.0, 15.0),
    ]


class Delivered:
    """Runs a delivery whose addresses answer as they are told."""

    def __init__(self, reports: Reports, takes: set[ReplyTo]) -> None:
        self.takes = takes
        self.tried: list[ReplyTo] = []
        self.outcomes: list[str] = []
        self.lock = threading.Lock()
        self.delivering = Delivering(
            reports, self.outcomes.append, self.deliver, look_s=0.01, rest_s=(0.05, 0.1)
        )
        self.delivering.start()

    def deliver(self, report: Report, reply: ReplyTo) -> bool:
        assert report.reply == reply
        with self.lock:
            self.tried.append(reply)
        if reply not in self.takes:
            raise ConnectionRefusedError
        return True


def test_an_address_that_is_away_holds_up_no_other_and_hears_it_once_it_is_back(reports):
    for reply in (THERE, HERE, THERE):
        reports.leave(reports.put(made(reply)))
    delivered = Delivered(reports, {HERE})
    try:
        until(lambda: delivered.outcomes == ["delivered"] and delivered.tried.count(THERE) >= 3)
        delivered.takes.add(THERE)
        until(lambda: delivered.outcomes == ["delivered"] * 3)
        assert reports.due() == []
    finally:
        delivered.delivering.close(5)


def test_of_one_without_an_address_that_is_said(reports):
    reports.leave(reports.put(made(None)))
    delivered = Delivered(reports, {HERE})
    try:
        until(lambda: delivered.outcomes == ["no-address"])
    finally:
        delivered.delivering.close(5)


def test_what_is_too_old_or_damaged_is_given_up(reports):
    old, damaged = (reports.put(made()) for _ in range(2))
    for path in (old, damaged):
        reports.leave(path)
    old, damaged = reports.due()
    waits = old.stat().st_mtime - GIVEN_UP_S - 1
    os.utime(old, (waits, waits))
    damaged.write_bytes(damaged.read_bytes()[:-3])
    delivered = Delivered(reports, {HERE})
    try:
        until(lambda: delivered.outcomes == ["given-up"] * 2)
        assert delivered.tried == []
    finally:
        delivered.delivering.close(5)
