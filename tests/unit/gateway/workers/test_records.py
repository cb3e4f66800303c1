"""Journal entries from a worker: durable before it hears so, and what went wrong as the journal said it."""

from __future__ import annotations

import errno
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import JournalBroken
from gateway.journal import Journal
from gateway.workers.records import Recorder, keep_records
from streams.errors import Unavailable


@pytest.fixture
def linked():
    """Give what connects a recorder to any journal."""
    opened = []

    def link(journal):
        ours, theirs = socket.socketpair()
        keeper = threading.Thread(target=keep_records, args=(theirs, journal))
        keeper.start()
        opened.append((ours, theirs, keeper))
        return Recorder(ours), theirs

    yield link
    for ours, theirs, keeper in opened:
        ours.close()
        keeper.join(30)
        assert not keeper.is_alive(), "it ends with its worker"
        theirs.close()


def test_what_many_threads_append_is_in_the_journal(tmp_path, linked):
    journal = Journal(tmp_path / "journal")
    recorder, _ = linked(journal)
    payloads = [[b"%d.%d" % (number, part) for part in range(3)] for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        for one in [threads.submit(recorder.append, payload) for payload in payloads]:
            one.result(30)
    found = journal.read(1000)
    assert sorted(found) == sorted(one for payload in payloads for one in payload)
    assert all(found[at + 1 : at + 3] == group[1:] for group in payloads for at in [found.index(group[0])])
    journal.close()


def test_more_than_one_message_holds_arrives(tmp_path, linked):
    journal = Journal(tmp_path / "journal")
    recorder, _ = linked(journal)
    recorder.append([b"%d" % number for number in range(1000)])
    assert journal.end == 1000
    journal.close()


class Failing:
    def __init__(self, error):
        self.error = error

    def append(self, _):
        raise self.error


@pytest.mark.parametrize(
    ("error", "family", "number"),
    [
        (OSError(errno.ENOSPC, "full"), OSError, errno.ENOSPC),
        (OSError(errno.EIO, "sick"), OSError, errno.EIO),
        (JournalBroken("broken"), JournalBroken, None),
    ],
)
def test_what_the_journal_says_is_said(linked, error, family, number):
    recorder, _ = linked(Failing(error))
    for _ in range(2):  # the link goes on
        with pytest.raises(family) as caught:
            recorder.append([b"x"])
        assert getattr(caught.value, "errno", None) == number


def test_without_a_gateway_nothing_is_acknowledged(linked):
    class Dies:
        def append(self, _):
            gateway.shutdown(socket.SHUT_RDWR)

    recorder, gateway = linked(Dies())
    with pytest.raises(Unavailable):
        recorder.append([b"x"])
