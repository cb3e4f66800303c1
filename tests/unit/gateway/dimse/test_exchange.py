"""Messages of an association, put together from fragments and given to their services."""

from __future__ import annotations

import pytest

from gateway.dimse.exchange import Exchange, Request, Then
from gateway.dul import commands
from gateway.dul.commands import (
    COMMAND_FIELD,
    DATA_SET_TYPE,
    MESSAGE_ID,
    RESPONSE,
    Field,
    encode,
    short_value,
)
from gateway.dul.negotiation import Agreement, Context
from gateway.dul.pdus import Fragment, Violation

CONTEXT = Context("1.2.3", "1.2.840.10008.1.2")


class Service:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def begin(self, request: Request) -> Service:
        self.said.append(("begin", request.context_id, request.command.message_id))
        return self

    def write(self, data: memoryview) -> None:
        self.said.append(bytes(data))

    def finish(self) -> None:
        self.said.append("finish")

    def discard(self) -> None:
        self.said.append("discard")


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def others():
    return []


@pytest.fixture
def exchange(service, others):
    agreement = Agreement({1: CONTEXT, 3: CONTEXT}, b"")
    return Exchange(
        agreement, {Field.C_STORE: service.begin}, lambda request: Then(lambda: others.append(request))
    )


def command(field: int, *, data: bool = False, context: int = 1) -> Fragment:
    raw = encode(
        {
            COMMAND_FIELD: short_value(field),
            MESSAGE_ID: short_value(7),
            DATA_SET_TYPE: short_value(1 if data else 0x0101),
        }
    )
    return Fragment(context, True, True, memoryview(raw))


def data(raw: bytes, *, last: bool = False, context: int = 1) -> Fragment:
    return Fragment(context, False, last, memoryview(raw))


def test_a_data_set_comes_in_pieces_and_is_finished_once(exchange, service):
    for one in (command(Field.C_STORE, data=True), data(b"ab"), data(b"c", last=True)):
        exchange.take(one)
    assert service.said == [("begin", 1, 7), b"ab", b"c", "finish"]
    exchange.discard()
    assert service.said[-1] == "finish"


def test_a_command_in_pieces_is_one(exchange, service):
    whole = command(Field.C_STORE).data
    exchange.take(Fragment(1, True, False, whole[:9]))
    assert service.said == []
    exchange.take(Fragment(1, True, True, whole[9:]))
    assert service.said == [("begin", 1, 7), "finish"]


def test_what_is_on_its_way_when_the_association_ends_is_forgotten(exchange, service):
    exchange.take(command(Field.C_STORE, data=True))
    exchange.take(data(b"ab"))
    exchange.discard()
    exchange.discard()
    assert service.said == [("begin", 1, 7), b"ab", "discard"]


def test_the_data_set_of_what_no_service_knows_goes_by(exchange, others):
    exchange.take(command(Field.N_ACTION, data=True))
    exchange.take(data(bytes(1000)))
    assert others == []
    exchange.take(data(b"", last=True))
    assert [one.command.field for one in others] == [Field.N_ACTION]


@pytest.mark.parametrize(
    "sent",
    [
        [data(b"ab")],
        [command(Field.C_STORE, data=True), command(Field.C_STORE)],
        [command(Field.C_STORE, data=True), data(b"ab", context=3)],
        [command(Field.C_STORE, context=5)],
        [command(Field.C_STORE | RESPONSE)],
        [Fragment(1, True, False, command(Field.C_STORE).data[:9]), command(Field.C_STORE, context=3)],
        [Fragment(1, True, False, memoryview(bytes(16 * 1024)))] * 2,
    ],
    ids=["no command", "two commands", "other context", "no context", "response", "mixed", "endless"],
)
def test_what_can_not_come_now_is_a_violation(exchange, sent):
    *before, last = sent
    for one in before:
        exchange.take(one)
    with pytest.raises(Violation):
        exchange.take(last)


def test_a_response_says_to_what_and_how():
    raw = encode(
        {
            COMMAND_FIELD: short_value(Field.N_EVENT_REPORT | RESPONSE),
            commands.RESPONDED_TO: short_value(9),
            commands.STATUS: short_value(0x0110),
        }
    )
    found = commands.parse(raw)
    assert (found.responded_to, found.status, found.has_data_set) == (9, 0x0110, False)
