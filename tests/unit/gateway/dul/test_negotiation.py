"""What is agreed on, between pynetdicom's codecs on the other side, and what is refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
    UserIdentityNegotiation,
)
from pynetdicom.presentation import build_context

from gateway.dul import negotiation
from gateway.dul.negotiation import Ours, Proposal, Rejection, UserIdentity, agree, parse
from gateway.dul.pdus import HEAD, Violation

ECHO, CT, PRIVATE = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2", "1.2.826.0.1.3680043.8.498.1"
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
COMMITMENT = "1.2.840.10008.1.20.1"
OURS = Ours(262144, "1.2.3.4", "TEST", {ECHO: (), COMMITMENT: (EXPLICIT, IMPLICIT)})


def request(contexts=((1, CT, (EXPLICIT, IMPLICIT)),), *, identity=None, items=()) -> bytes:
    asked, pdu = A_ASSOCIATE(), A_ASSOCIATE_RQ()
    asked.application_context_name = UID("1.2.840.10008.3.1.1.1")
    asked.calling_ae_title, asked.called_ae_title = "MODALITY 1", "CHIPS"
    length, uid = MaximumLengthNotification(), ImplementationClassUIDNotification()
    length.maximum_length_received, uid.implementation_class_uid = 16384, UID("1.2.3")
    asked.user_information = [length, uid, *([identity] if identity else []), *items]
    for number, abstract, syntaxes in contexts:
        context = build_context(abstract, list(syntaxes))
        context.context_id = number
        asked.presentation_context_definition_list = [*asked.presentation_context_definition_list, context]
    pdu.from_primitive(asked)
    return pdu.encode()


def parsed(raw: bytes) -> Proposal | Rejection:
    return parse(memoryview(raw)[HEAD.size :])


def test_what_is_asked_for_is_read():
    found = parsed(request())
    assert (found.calling_ae, found.called_ae, found.largest) == ("MODALITY 1", "CHIPS", 16384)
    assert found.user_identity is None


@pytest.mark.parametrize(
    ("wanted", "answered", "result"),
    [((1, 1), (True, False), 0), ((1, 0), (True, False), 0), ((0, 1), None, 1), ((0, 0), None, 1)],
)
def test_a_requestor_is_scu_and_nothing_else(wanted, answered, result):
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid, role.scu_role, role.scp_role = UID(CT), True, True
    asked = request(((1, CT, (EXPLICIT,)), (3, PRIVATE, (EXPLICIT,))), items=[role])
    # Both roles at 0 are what pynetdicom would not write.
    asked = asked.replace(CT.encode() + bytes((1, 1)), CT.encode() + bytes(wanted))
    agreement = agree(parsed(asked), OURS)
    answer = A_ASSOCIATE_AC()
    answer.decode(agreement.pdu)
    primitive = answer.to_primitive()
    assert {one.context_id: one.result for one in primitive.presentation_context_definition_results_list} == {
        1: result,
        3: 0,
    }
    assert set(agreement.contexts) == ({1, 3} if result == 0 else {3})
    found = [one for one in primitive.user_information if isinstance(one, SCP_SCU_RoleSelectionNegotiation)]
    assert [(one.scu_role, one.scp_role) for one in found] == ([answered] if answered else [])


def test_the_standards_classes_and_syntaxes_alone_where_it_is_said():
    own = "1.2.826.0.1.3680043.8.498.2"
    wanted = (
        (1, CT, (own, EXPLICIT, IMPLICIT)),
        (3, CT, (own,)),
        (5, PRIVATE, (EXPLICIT,)),
        (7, "1.2.840.10008.5.1.4.1.1.99999", (EXPLICIT,)),
        (9, ECHO, (own,)),
        (11, "1.2.840.10008.5.1.4.1.1.5", (IMPLICIT,)),
        (13, EXPLICIT, (EXPLICIT,)),
    )
    agreement = agree(parsed(request(wanted)), OURS._replace(accepts="standard"))
    assert agreement.contexts == {
        1: (CT, EXPLICIT),
        9: (ECHO, own),
        11: ("1.2.840.10008.5.1.4.1.1.5", IMPLICIT),  # retired, and the standard's
    }
    answer = A_ASSOCIATE_AC()
    answer.decode(agreement.pdu)
    results = answer.to_primitive().presentation_context_definition_results_list
    assert {one.context_id: one.result for one in results} == {1: 0, 3: 4, 5: 3, 7: 3, 9: 0, 11: 0, 13: 3}
    assert len(agree(parsed(request(wanted)), OURS).contexts) == len(wanted)


def test_a_service_with_syntaxes_of_its_own_takes_no_other():
    rle = "1.2.840.10008.1.2.5"
    wanted = ((1, COMMITMENT, (rle, IMPLICIT)), (3, COMMITMENT, (rle,)), (5, COMMITMENT, (EXPLICIT, rle)))
    contexts = agree(parsed(request(wanted)), OURS).contexts
    assert {number: context.transfer_syntax for number, context in contexts.items()} == {
        1: IMPLICIT,
        5: EXPLICIT,
    }


def test_every_storage_class_is_taken_with_its_first_syntax_and_others_are_not():
    wanted = (
        (1, ECHO, (IMPLICIT,)),
        (3, CT, ("1.2.840.10008.1.2.4.90", EXPLICIT)),
        (5, PRIVATE, ("1.2.3.4.5",)),
        (7, FIND, (EXPLICIT,)),
        (9, "1.2.840.10008.5.1.4.1.1.99999", (IMPLICIT,)),
        (255, CT, (IMPLICIT,)),
    )
    agreement = agree(parsed(request(wanted)), OURS)
    assert agreement.contexts == {
        1: (ECHO, IMPLICIT),
        3: (CT, "1.2.840.10008.1.2.4.90"),
        5: (PRIVATE, "1.2.3.4.5"),
        9: ("1.2.840.10008.5.1.4.1.1.99999", IMPLICIT),
        255: (CT, IMPLICIT),
    }
    answer = A_ASSOCIATE_AC()
    answer.decode(agreement.pdu)
    results = {
        one.context_id: one.result
        for one in answer.to_primitive().presentation_context_definition_results_list
    }
    assert results == {1: 0, 3: 0, 5: 0, 7: 3, 9: 0, 255: 0}
    assert answer.user_information.maximum_length == 262144


def test_a_context_of_no_uid_is_not_taken():
    agreement = agree(parsed(request().replace(EXPLICIT.encode(), b"1.2.840.10008.1\n2.1")), OURS)
    assert agreement.contexts == {}


@pytest.mark.parametrize(("is_right", "is_wanted"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5])
def test_a_user_identity_is_read_hidden_and_affirmed_when_right_and_wanted(kind, is_right, is_wanted):
    identity = UserIdentityNegotiation()
    identity.user_identity_type, identity.primary_field = kind, b"carla"
    identity.positive_response_requested = is_wanted
    if kind == 2:
        identity.secondary_field = b"secret"
    proposal = parsed(request(identity=identity))
    secondary = b"secret" if kind == 2 else b""
    assert proposal.user_identity == UserIdentity(kind, b"carla", secondary, is_wanted)
    assert "carla" not in repr(proposal.user_identity)
    answer = A_ASSOCIATE_AC()
    answer.decode(agree(proposal, OURS, identified=is_right).pdu)
    said = [isinstance(one, UserIdentityNegotiation) for one in answer.to_primitive().user_information]
    assert any(said) is (is_right and is_wanted)


def changed(at: int, value: bytes) -> bytes:
    raw = bytearray(request())
    raw[at : at + len(value)] = value
    return bytes(raw)


CALLED, CALLING = 10, 26


@pytest.mark.parametrize(
    ("raw", "rejection"),
    [
        (changed(6, b"\0\2"), negotiation.PROTOCOL_VERSION),
        (changed(CALLED, b" " * 16), negotiation.CALLED_AE),
        (changed(CALLING, b" " * 16), negotiation.CALLING_AE),
        (changed(CALLING, b"A\nB"), negotiation.CALLING_AE),
        (changed(CALLING, b"A\\B"), negotiation.CALLING_AE),
        (changed(CALLING, b"\xc3\xa4"), negotiation.CALLING_AE),
        (changed(CALLED, bytes(16)), negotiation.CALLED_AE),
        (
            request().replace(b"1.2.840.10008.3.1.1.1", b"1.2.840.10008.3.1.1.2"),
            negotiation.APPLICATION_CONTEXT,
        ),
    ],
)
def test_what_is_sent_away_politely(raw, rejection):
    assert parsed(raw) == rejection
    answer = A_ASSOCIATE_RJ()
    answer.decode(rejection.pdu)
    assert (answer.result, answer.source, answer.reason_diagnostic) == rejection[:3]


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def context_item(number: int, syntaxes: int = 1) -> bytes:
    abstract = item(0x30, CT.encode())
    return item(0x20, bytes((number, 0, 0, 0)) + abstract + item(0x40, EXPLICIT.encode()) * syntaxes)


def with_items(items: bytes) -> bytes:
    head = request()[HEAD.size : HEAD.size + 68]
    body = head + item(0x10, b"1.2.840.10008.3.1.1.1") + items + item(0x50, item(0x51, bytes(4)))
    return HEAD.pack(1, len(body)) + body


@pytest.mark.parametrize(
    "raw",
    [
        request()[:60],
        request()[:-1],
        with_items(b""),
        with_items(context_item(2)),
        with_items(context_item(0)),
        with_items(context_item(1) + context_item(1)),
        with_items(context_item(1, 0)),
        with_items(b"".join(context_item(number % 256) for number in range(129))),
        with_items(item(0x50, bytes(60000)) * 3),
        with_items(b"".join(context_item(number, 700) for number in range(1, 32, 2))),
        with_items(b"\x20\0\xff\xff\1"),
        with_items(item(0x20, b"\1")),
    ],
    ids=range(12),
)
def test_what_cant_be_a_request_is_a_violation(raw):
    with pytest.raises(Violation):
        parsed(raw)


def with_user_item(content: bytes) -> bytes:
    about = item(0x51, bytes(4)) + content
    body = request()[HEAD.size : HEAD.size + 68] + item(0x10, b"1.2.840.10008.3.1.1.1") + context_item(1)
    body += item(0x77, b"of another age") + item(0x50, about)
    return HEAD.pack(1, len(body)) + body


def test_items_that_the_standard_does_not_know_are_ignored():
    proposal = parsed(with_user_item(item(0x7F, b"likewise")))
    assert agree(proposal, OURS).contexts == {1: (CT, EXPLICIT)}


@pytest.mark.parametrize("lengths", [(3, 0), (1, 0), (2, 1), (0xFFFF, 0)])
def test_a_user_identity_whose_lengths_do_not_fit_is_a_violation(lengths):
    primary, secondary = (struct.pack(">H", length) for length in lengths)
    right = item(0x58, b"\1\0\0\2ab\0\0")
    assert parsed(with_user_item(right)).user_identity == UserIdentity(1, b"ab", b"", False)
    with pytest.raises(Violation, match="identity"):
        parsed(with_user_item(item(0x58, b"\1\0" + primary + b"ab" + secondary)))


@given(st.lists(st.tuples(st.integers(HEAD.size, len(request()) - 1), st.integers(0, 255)), max_size=4))
def test_changed_bytes_give_a_proposal_a_rejection_or_a_violation(changes):
    raw = bytearray(request())
    for at, byte in changes:
        raw[at] = byte
    try:
        found = parsed(bytes(raw))
    except Violation:
        return
    if isinstance(found, Proposal):
        assert agree(found, OURS).pdu
