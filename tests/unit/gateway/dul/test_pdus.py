"""Frames of PDUs, judged by pynetdicom's codec, and what is not one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.pdu import A_ABORT_RQ, A_RELEASE_RP, P_DATA_TF
from pynetdicom.pdu_primitives import P_DATA

from gateway.dul.pdus import (
    HEAD,
    RELEASE_RP,
    Kind,
    Reason,
    Violation,
    abort_pdu,
    command_pdu,
    data_set_pdus,
    fragments,
)


def encoded(values: list[list[object]]) -> memoryview:
    primitive, pdu = P_DATA(), P_DATA_TF()
    primitive.presentation_data_value_list = values
    pdu.from_primitive(primitive)
    return memoryview(pdu.encode())[HEAD.size :]


def test_fragments_are_those_that_pynetdicom_wrote():
    body = encoded([[1, b"\x03command"], [3, b"\x00data"], [3, b"\x02"]])
    found = [(one.context_id, one.is_command, one.is_last, bytes(one.data)) for one in fragments(body)]
    assert found == [(1, True, True, b"command"), (3, False, False, b"data"), (3, False, True, b"")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\1\1",  # a value without a control header
        b"\0\0\0\0",
        b"\0\0\0\5\1\3ab",  # longer than its PDU
        b"\xff\xff\xff\xff\1\3ab",
        b"\0\0\0\4\1\4ab",  # a bit that the control header does not have
        b"\0\0\0\4\1\3ab\0",  # something behind
    ],
)
def test_what_cant_be_a_value_is_a_violation(body):
    with pytest.raises(Violation) as caught:
        list(fragments(memoryview(body)))
    assert caught.value.reason is Reason.INVALID_PARAMETER


@given(st.binary(max_size=200))
def test_any_bytes_are_fragments_that_fill_them_or_a_violation(raw):
    try:
        found = list(fragments(memoryview(raw)))
    except Violation:
        return
    assert sum(6 + len(one.data) for one in found) == len(raw)


@given(st.binary(max_size=4000), st.integers(1, 2000))
def test_a_data_set_comes_back_whole_from_pdus_that_are_not_too_long(data, largest):
    pdus = list(data_set_pdus(5, data, largest))
    assert all(len(pdu) - HEAD.size <= max(largest, 1024) for pdu in pdus)
    found = [one for pdu in pdus for one in fragments(memoryview(pdu)[HEAD.size :])]
    assert b"".join(bytes(one.data) for one in found) == data
    assert [one.is_last for one in found] == [False] * (len(found) - 1) + [True] * bool(found)


def test_pynetdicom_reads_what_is_written():
    data, abort, release = P_DATA_TF(), A_ABORT_RQ(), A_RELEASE_RP()
    data.decode(command_pdu(7, b"abcd"))
    (value,) = data.presentation_data_value_items
    assert (value.presentation_context_id, value.presentation_data_value) == (7, b"\x03abcd")
    abort.decode(abort_pdu(Reason.UNEXPECTED_PDU))
    assert (abort.source, abort.reason_diagnostic) == (2, 2)
    abort.decode(abort_pdu())
    assert (abort.source, abort.reason_diagnostic) == (0, 0)
    release.decode(RELEASE_RP)
    assert HEAD.unpack(RELEASE_RP[: HEAD.size]) == (Kind.RELEASE_RP, len(RELEASE_RP) - HEAD.size)
