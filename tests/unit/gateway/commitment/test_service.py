"""Requests within bounds: how many go unanswered, how many are read at once, how small PDUs may be."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from pydicom.dataset import Dataset
from pynetdicom.dsutils import encode

from gateway.admission import ReplyTo, Source
from gateway.commitment import service as module
from gateway.commitment.messages import SOP_CLASS, SOP_INSTANCE, SYNTAXES
from gateway.commitment.reports import AT_ONCE
from gateway.commitment.service import RESOURCE_LIMITATION, Commitment
from gateway.dimse.conversation import Conversation
from gateway.dimse.exchange import Request
from gateway.dul.commands import RESPONSE, Command, Field
from gateway.dul.negotiation import Context, Proposal
from gateway.dul.pdus import HEAD, fragments
from gateway.identity import ProjectKey
from gateway.journal import Journal
from gateway.storing import Storing
from gateway.vault import Vault
from streams.clock import utc_now
from tests.reception import Kept

CONTEXT = Context(SOP_CLASS, SYNTAXES[0])


class Counting:
    def __init__(self) -> None:
        self.words: list[str] = []
        self.committed = self.reported = self.words.append


class Peer:
    """A conversation whose other side takes PDUs of a length, and keeps them."""

    def __init__(self, storing: Storing, source: Source, largest: int) -> None:
        self.pdus: list[bytes] = []
        self.counting = Counting()
        reception = SimpleNamespace(
            storing_for=lambda _: storing,
            new_id=lambda: "a",
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
            counting=self.counting,
            holdings=Kept(),
        )
        stream = SimpleNamespace(write=self.pdus.append)
        proposal = Proposal("TESTER", "CHIPS", None, largest, None)
        self.commitment = Commitment(Conversation(reception, stream, source, proposal, "127.0.0.1"))  # type: ignore[arg-type]

    def ask(self, references: int = 1) -> None:
        intake = self.commitment.begin(request())
        intake.write(memoryview(asked(references)))
        intake.finish()

    def statuses(self) -> list[int]:
        """Of the answers to N-ACTION."""
        found = []
        for pdu in self.pdus:
            for one in fragments(memoryview(pdu)[HEAD.size :]):
                raw = bytes(one.data)
                if one.is_command and b"\x00\x00\x00\x01\x02\x00\x00\x00\x30\x81" in raw:
                    at = raw.index(b"\x00\x00\x00\x09\x02\x00\x00\x00") + 8
                    found.append(int.from_bytes(raw[at : at + 2], "little"))
        return found


def request(field: int = Field.N_ACTION, **changes: int) -> Request:
    command = Command(field, 1, SOP_CLASS, SOP_INSTANCE, True, 1)
    return Request(1, CONTEXT, command._replace(**changes))


def asked(references: int) -> bytes:
    made = Dataset()
    made.TransactionUID = "1.2.3"
    made.ReferencedSOPSequence = []
    for number in range(references):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.3", f"1.2.3.{number}"
        made.ReferencedSOPSequence.append(item)
    return bytes(encode(made, False, True) or b"")


@pytest.fixture
def storing(tmp_path):
    journal = Journal(tmp_path / "vault" / "journal")
    key = ProjectKey(project="default", secret=bytes(32))
    yield Storing(key=key, vault=Vault(tmp_path / "vault", 0), journal=journal, clock=utc_now)
    journal.close()


@pytest.fixture
def peer(storing):
    return Peer(storing, Source("ct-2", reply=ReplyTo("127.0.0.1", 104, "CT2")), 16384)


def test_who_answers_no_report_asks_no_more(peer, monkeypatch):
    monkeypatch.setattr(module, "_MOST_OPEN", 3)
    for _ in range(4):
        peer.ask()
    assert peer.statuses() == [0, 0, 0, RESOURCE_LIMITATION]
    peer.commitment.answered(request(Field.N_EVENT_REPORT | RESPONSE, responded_to=2, status=0)).finish()
    peer.ask()
    assert peer.statuses()[-1] == 0
    assert peer.counting.words == ["incomplete"] * 3 + ["refused", "answered", "incomplete"]


def test_an_answer_to_what_was_not_asked_changes_nothing(peer, storing):
    peer.ask()
    peer.commitment.answered(request(Field.N_EVENT_REPORT | RESPONSE, responded_to=99, status=0)).finish()
    assert peer.counting.words == ["incomplete"]
    peer.commitment.close()
    assert len(storing.vault.reports.due()) == 1


def test_only_so_many_are_read_at_once_and_who_goes_makes_room(peer):
    reading = [peer.commitment.begin(request()) for _ in range(AT_ONCE)]
    peer.ask()
    assert peer.statuses() == [RESOURCE_LIMITATION]
    reading.pop().discard()
    peer.ask()
    assert peer.statuses() == [RESOURCE_LIMITATION, 0]
    reading[0].discard()
    reading[0].discard()  # the same once more gives no more room
    for one in reading[1:]:
        one.discard()
    assert all(peer.commitment._reports.desk.acquire(blocking=False) for _ in range(AT_ONCE))
    assert not peer.commitment._reports.desk.acquire(blocking=False)


def test_a_list_that_drips_gives_its_place_to_others_and_is_refused(peer, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "_LIST_S", 0.0)
        dripping = [peer.commitment.begin(request()) for _ in range(AT_ONCE)]
    for one in dripping:
        one.write(memoryview(asked(1))[:10])
    peer.ask()
    assert peer.statuses() == [0]
    for one in dripping:
        one.write(memoryview(asked(1))[10:])
        one.finish()
    assert peer.statuses() == [0] + [RESOURCE_LIMITATION] * AT_ONCE
    assert all(peer.commitment._reports.desk.acquire(blocking=False) for _ in range(AT_ONCE))
    assert not peer.commitment._reports.desk.acquire(blocking=False)


@pytest.mark.parametrize(("largest", "at_most"), [(0, 262144), (1, 1024), (7, 1024), (4096, 4096)])
def test_a_report_has_pdus_that_the_peer_takes_and_not_a_million(storing, largest, at_most):
    peer = Peer(storing, Source("ct-2"), largest)
    peer.ask(500)
    sizes = [len(pdu) - HEAD.size for pdu in peer.pdus]
    assert max(sizes) <= at_most
    assert len(sizes) <= sum(sizes) / at_most + 4


def test_when_too_many_reports_wait_a_request_is_refused_for_now(peer, monkeypatch):
    monkeypatch.setattr("gateway.commitment.reports.MOST", 0)
    peer.ask()
    assert peer.statuses() == [RESOURCE_LIMITATION]
