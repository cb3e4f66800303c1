"""What workers ask: quotas are counted and objects known in one place, whoever asks, until it is gone."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from gateway.commitment.index import Held
from gateway.quotas import HOUR_S, Counted
from gateway.workers.questions import Asking, answer_questions
from streams.errors import Unavailable

CT = "1.2.840.10008.5.1.4.1.1.2"


class Known:
    """Knows each instance but one, and none of a project that is away."""

    def find(self, project, instances):
        if project == "away":
            raise Unavailable("not now")
        return {one: held(one) for one in instances if one != "f" * 32}


def held(instance: str) -> Held:
    return Held(CT, 2 * instance, instance)


@contextlib.contextmanager
def asking(counted: Counted) -> Iterator[tuple[Asking, socket.socket, threading.Thread]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    thread = threading.Thread(target=answer_questions, args=(ours, counted, Known()))
    thread.start()
    with ours, theirs:
        yield Asking(theirs), theirs, thread
        with contextlib.suppress(OSError):
            theirs.shutdown(socket.SHUT_RDWR)
        thread.join(10)
    assert not thread.is_alive()


def test_workers_share_what_is_counted_and_leave_when_they_die():
    counted = Counted(lambda: 0.0)
    with asking(counted) as (one, end, _):
        with asking(counted) as (two, other_end, other):
            entered = [one.enter("a", 3), one.enter("a", 3), two.enter("a", 3), two.enter("a", 3)]
            assert entered == [True] * 3 + [False]
            one.leave("a")
            assert two.enter("a", 3)
            assert (one.spend("a", 10, 10), two.spend("a", 1, 10)) == (0, HOUR_S)
            other_end.close()
            other.join(10)
        assert [one.enter("a", 3), one.enter("a", 3), one.enter("a", 3)] == [True, True, False]
        end.shutdown(socket.SHUT_RDWR)
        with pytest.raises(Unavailable):
            one.spend("a", 1, 10)


def test_what_is_held_is_told_in_parts_of_what_a_message_takes():
    instances = [f"{number:032x}" for number in range(3000)]
    with asking(Counted(lambda: 0.0)) as (one, _, _):
        assert one.find("default", [*instances, "f" * 32]) == {key: held(key) for key in instances}
        assert one.find("default", []) == {}
        with pytest.raises(Unavailable):
            one.find("away", instances)
        assert one.enter("a", 1), "it answers on"
