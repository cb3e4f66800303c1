"""Command sets, judged by pynetdicom's codec, and what is not one."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.filereader import read_dataset
from pynetdicom.dimse_messages import C_ECHO_RQ, C_STORE_RQ, C_STORE_RSP, N_ACTION_RQ
from pynetdicom.dimse_primitives import C_ECHO, C_STORE, N_ACTION
from pynetdicom.pdu_primitives import P_DATA

from gateway.dul import commands
from gateway.dul.commands import Command, Field
from gateway.dul.pdus import HEAD, Violation, command_pdu, fragments

CLASS, INSTANCE = "1.2.840.10008.5.1.4.1.1.2", "2.25.1234567"


def command_of(message, primitive) -> bytes:
    message.primitive_to_message(primitive)
    first = next(iter(message.encode_msg(1, 0)))
    ((_, value),) = first.presentation_data_value_list
    return value[1:]


def store(data: bytes | None = b"\0\0") -> bytes:
    request = C_STORE()
    request.MessageID, request.Priority = 77, 0
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = CLASS, INSTANCE
    request.DataSet = None if data is None else BytesIO(data)
    return command_of(C_STORE_RQ(), request)


def test_a_store_is_read_as_pynetdicom_writes_it():
    assert commands.parse(store()) == Command(Field.C_STORE, 77, CLASS, INSTANCE, True, 0)
    assert not commands.parse(store(None)).has_data_set


def test_echo_and_action_are_read_as_pynetdicom_writes_them():
    echo, action = C_ECHO(), N_ACTION()
    echo.MessageID, echo.AffectedSOPClassUID = 3, "1.2.840.10008.1.1"
    assert commands.parse(command_of(C_ECHO_RQ(), echo)) == Command(
        Field.C_ECHO, 3, "1.2.840.10008.1.1", "", False, 0
    )
    action.MessageID, action.ActionTypeID = 4, 1
    action.RequestedSOPClassUID, action.RequestedSOPInstanceUID = CLASS, INSTANCE
    action.ActionInformation = BytesIO(b"\0\0")
    assert commands.parse(command_of(N_ACTION_RQ(), action)) == Command(
        Field.N_ACTION, 4, CLASS, INSTANCE, True, 1
    )


@pytest.mark.parametrize("comment", ["", "No room", "odd"])
def test_pynetdicom_reads_an_answer(comment):
    answer = commands.response(commands.parse(store()), 0xA700, comment)
    message = C_STORE_RSP()
    primitive = P_DATA()
    ((_, is_command, is_last, data),) = fragments(memoryview(command_pdu(1, answer))[HEAD.size :])
    assert is_command
    assert is_last
    primitive.presentation_data_value_list = [[1, b"\x03" + bytes(data)]]
    assert message.decode_msg(primitive)
    read = message.message_to_primitive()
    assert (read.Status, read.MessageIDBeingRespondedTo) == (0xA700, 77)
    assert (read.AffectedSOPClassUID, read.AffectedSOPInstanceUID) == (CLASS, INSTANCE)
    assert (read.ErrorComment or "") == comment
    assert message.command_set.CommandDataSetType == 0x0101
    length = message.command_set.CommandGroupLength
    assert length == len(answer) - 12


def test_elements_are_in_order_and_of_even_length():
    raw = commands.response(commands.parse(store()), 0, "abc", {commands.ACTION_TYPE: b"\1\0"})
    tags = [int(one.tag) for one in read_dataset(BytesIO(raw), True, True)]
    assert tags == sorted(tags)
    assert len(raw) % 2 == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"\0",
        store()[:-1],
        store() + b"\0\0\0\0\0\0\0\0",  # not in order
        b"\x08\0" + store()[2:],  # not a command element
        commands.encode({commands.MESSAGE_ID: b"\1\0"}),  # no command field
        commands.encode({commands.COMMAND_FIELD: b"\1\0\0\0"}),
        b"\0\0\0\0\xff\xff\xff\xff",
    ],
)
def test_what_is_no_command_is_a_violation(raw):
    with pytest.raises(Violation):
        commands.parse(raw)


@given(st.integers(0, len(store()) - 1), st.integers(0, 255))
def test_a_changed_byte_gives_a_command_or_a_violation(at, byte):
    raw = bytearray(store())
    raw[at] = byte
    try:
        found = commands.parse(raw)
    except Violation:
        return
    assert isinstance(found, Command)


@pytest.mark.parametrize(
    ("text", "is_uid"),
    [
        ("1.2.3", True),
        ("1." + 62 * "2", True),
        ("1." + 63 * "2", False),
        ("", False),
        ("1..2", False),
        ("../1", False),
        ("1.2\n", False),
        ("1.2;rm", False),
        ("１.2", False),  # noqa: RUF001 - a digit that is none of ASCII's
    ],
)
def test_what_is_a_uid(text, is_uid):
    assert commands.is_uid(text) is is_uid
