"""What is fuzzed: each target takes any bytes and raises when something is wrong.

A parser may refuse by the error that it documents; whatever else it raises is a defect. What it takes has to
hold more than that: each target says what.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from pynetdicom.pdu import A_ASSOCIATE_AC

from gateway.commitment import messages
from gateway.dul import commands, negotiation
from gateway.dul.pdus import HEAD, Kind, Violation, data_set_pdus, fragments
from gateway.dul.stream import LARGEST, Closed, PduStream
from gateway.header import header_of, identity_of
from gateway.part10 import Malformed
from gateway.reception import OURS
from gateway.silence import silence_libraries
from tests import wire
from tests.fuzz.whole import association

silence_libraries()


def pdus(data: bytes) -> None:
    """A stream of PDUs and the fragments in them: none is longer than one may be, and no byte is made up."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data[: 64 * 1024])
        theirs.shutdown(socket.SHUT_WR)
        stream = PduStream(ours, idle_s=1.0, pdu_s=1.0)
        read = 0
        with contextlib.suppress(Violation, Closed):
            while True:
                kind, body = stream.read()
                assert len(body) <= LARGEST[kind]
                assert bytes(body) == data[read + HEAD.size : read + HEAD.size + len(body)]
                read += HEAD.size + len(body)
                if kind is Kind.P_DATA_TF:
                    found = list(fragments(body))
                    at = 0
                    for one in found:
                        assert int.from_bytes(body[at : at + 4], "big") == 2 + len(one.data)
                        at += 6 + len(one.data)
                    assert at == len(body)


def request(data: bytes) -> None:
    """An A-ASSOCIATE-RQ: what is agreed on was asked for, consists of UIDs, and can be read by the peer."""
    try:
        proposal = negotiation.parse(memoryview(data))
    except Violation:
        return
    if isinstance(proposal, negotiation.Rejection):
        assert len(proposal.pdu) == 10
        return
    assert 0 < len(proposal.calling_ae) <= 16
    assert 0 < len(proposal.called_ae) <= 16
    assert proposal.calling_ae.isprintable()
    agreement = negotiation.agree(proposal, OURS, identified=True)
    answer = A_ASSOCIATE_AC()
    answer.decode(agreement.pdu)
    results = answer.to_primitive().presentation_context_definition_results_list
    accepted = {one.context_id for one in results if one.result == 0}
    assert accepted == set(agreement.contexts)
    for number, context in agreement.contexts.items():
        assert number & 1
        assert commands.is_uid(context.abstract_syntax)
        assert commands.is_uid(context.transfer_syntax)
        assert context.transfer_syntax.encode() in data


def command(data: bytes) -> None:
    """A command set: its answer is a command set that names its request."""
    try:
        found = commands.parse(data)
    except Violation:
        return
    assert wire.numbers(data)[commands.COMMAND_FIELD] == found.field
    answer = commands.response(found, 0xC000, "Why, in words")
    read = commands.parse(answer)
    assert read.field == found.field | commands.RESPONSE
    assert not read.has_data_set
    assert len(answer) < len(data) + 256


def commitment(data: bytes) -> None:
    """A request for storage commitment: the report on it can be read, and names the same objects."""
    if not data:
        return
    syntax = messages.SYNTAXES[data[0] & 1]
    try:
        asked = messages.parse(data[1:], syntax)
    except Malformed:
        return
    assert len(asked.references) <= len(data) // 16
    told = messages.report(asked, (), syntax)
    assert messages.parse(told, syntax) == asked
    failures = [messages.Failure(one, messages.NO_SUCH_INSTANCE) for one in asked.references[:2]]
    told = messages.report(asked, failures, syntax)
    largest = 2 * data[0]
    sent = b"".join(pdu[12:] for pdu in data_set_pdus(1, told, largest))
    assert sent == told


def header(data: bytes) -> None:
    """A header: both ways to read it agree, and what places the object are UIDs."""
    try:
        found = identity_of(data)
    except Malformed:
        with contextlib.suppress(Malformed):
            header_of(data)
            raise AssertionError("Taken by one way and refused by the other") from None
        return
    assert header_of(data).identity == found
    for uid in (
        found.sop_class_uid,
        found.sop_instance_uid,
        found.study_instance_uid,
        found.series_instance_uid,
        found.transfer_syntax_uid,
    ):
        assert commands.is_uid(uid)
    assert found.patient_id not in repr(found) or not found.patient_id.strip("0123456789.")


TARGETS: dict[str, Callable[[bytes], object]] = {
    "association": association,
    "command": command,
    "commitment": commitment,
    "header": header,
    "pdus": pdus,
    "request": request,
}
