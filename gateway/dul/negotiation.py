"""How an association is agreed on (PS3.8, 7.1; PS3.7, D): pynetdicom's codecs behind bounds of ours. Pure."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydicom.uid import UID
from pynetdicom._globals import APPLICATION_CONTEXT_NAME
from pynetdicom.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from pynetdicom.pdu_primitives import (
    A_ASSOCIATE,
    ImplementationClassUIDNotification,
    ImplementationVersionNameNotification,
    MaximumLengthNotification,
    SCP_SCU_RoleSelectionNegotiation,
    UserIdentityNegotiation,
)
from pynetdicom.presentation import PresentationContext, build_context, negotiate_unrestricted

from gateway.dul.commands import is_uid
from gateway.dul.pdus import HEAD, Kind, Reason, Violation

_FIXED = 68
"""Bytes of an A-ASSOCIATE-RQ in front of its items."""
_MOST_CONTEXTS = 128
_MOST_ITEMS = 8192
"""Items and sub-items: 128 contexts that name 60 transfer syntaxes each have as many."""
_APPLICATION_ITEM, _CONTEXT_ITEM, _USER_ITEM, _IDENTITY_ITEM = 0x10, 0x20, 0x50, 0x58
_USER_ITEMS = range(0x51, 0x59)
_ITEM = struct.Struct(">BxH")
_AE_BYTES = 16
_USER_REJECTION, _CLASS_NOT_SUPPORTED, _SYNTAX_NOT_SUPPORTED = 1, 3, 4
"""Results of a context (PS3.8, table 9-18)."""
_LONGEST_IDENTITY = 64 * 1024


class Rejection(NamedTuple):
    """A-ASSOCIATE-RJ (PS3.8, 9.3.4): result, source and reason, and the word that metrics and events use."""

    result: int
    source: int
    diagnostic: int
    word: str

    @property
    def pdu(self) -> bytes:
        """What is sent."""
        return HEAD.pack(Kind.ASSOCIATE_RJ, 4) + bytes((0, self.result, self.source, self.diagnostic))


PROTOCOL_VERSION = Rejection(1, 2, 2, "protocol-version")
APPLICATION_CONTEXT = Rejection(1, 1, 2, "application-context")
CALLING_AE = Rejection(1, 1, 3, "calling-ae")
CALLED_AE = Rejection(1, 1, 7, "called-ae")
USER_IDENTITY = Rejection(1, 1, 1, "user-identity")
CONGESTION = Rejection(2, 3, 1, "congestion")
LOCAL_LIMIT = Rejection(2, 3, 2, "local-limit")
SOURCE_LIMIT = Rejection(2, 3, 2, "source-limit")


class UserIdentity(NamedTuple):
    """What a requestor says who it is (PS3.7, D.3.3.7); `kind` 1 to 5. For no log."""

    kind: int
    primary: bytes
    secondary: bytes
    wants_response: bool

    def __repr__(self) -> str:
        """Keep names and passcodes out of logs and tracebacks."""
        return f"UserIdentity(kind={self.kind}, ...)"


class Proposal(NamedTuple):
    """What a requestor asks for."""

    calling_ae: str
    called_ae: str
    user_identity: UserIdentity | None
    largest: int
    """Bytes of a P-DATA-TF's body that it takes; 0 for any."""
    primitive: Any


class Context(NamedTuple):
    """A presentation context that was accepted."""

    abstract_syntax: str
    transfer_syntax: str


class Agreement(NamedTuple):
    """What was agreed on, and the A-ASSOCIATE-AC that says so."""

    contexts: Mapping[int, Context]
    pdu: bytes


Accepts = Literal["any", "standard"]
"""Storage classes and transfer syntaxes that are taken: private and unknown ones, too, or DICOM's alone."""


class Ours(NamedTuple):
    """What we say of ourselves."""

    max_pdu: int
    implementation_class_uid: str
    implementation_version: str
    services: Mapping[str, tuple[str, ...]]
    """SOP Classes besides those of storage, with the transfer syntaxes that each takes; none: any."""
    accepts: Accepts = "any"
    """Of storage."""


def parse(body: memoryview) -> Proposal | Rejection:
    """Read an A-ASSOCIATE-RQ.

    Raises
    ------
    Violation
        When it is none.
    """
    if len(body) < _FIXED:
        raise _wrong("is too short")
    if not body[1] & 1:
        return PROTOCOL_VERSION
    called, calling = (_ae_title(bytes(body[at : at + _AE_BYTES])) for at in (4, 4 + _AE_BYTES))
    if calling is None:
        return CALLING_AE
    if called is None:
        return CALLED_AE
    known = bytes(body[:_FIXED]) + _known_items(body)
    request = A_ASSOCIATE_RQ()
    try:
        request.decode(HEAD.pack(Kind.ASSOCIATE_RQ, len(known)) + known)
        primitive = request.to_primitive()
    except Exception as error:  # pynetdicom raises whatever its parts raise
        raise _wrong("can't be read") from error
    if primitive.application_context_name != APPLICATION_CONTEXT_NAME:
        return APPLICATION_CONTEXT
    contexts = primitive.presentation_context_definition_list
    ids = [context.context_id for context in contexts]
    if not ids or len(set(ids)) < len(ids) or any(not number or not number & 1 for number in ids):
        raise _wrong("has context ids that can't be so")
    if any(not context.abstract_syntax or not context.transfer_syntax for context in contexts):
        raise _wrong("has a context without syntaxes")
    return Proposal(calling, called, _identity(primitive), primitive.maximum_length_received or 0, primitive)


def agree(proposal: Proposal, ours: Ours, *, identified: bool = False) -> Agreement:
    """Accept the contexts of storage classes, unknown and private ones too, and of `ours.services`.

    Each is accepted with the first transfer syntax that the requestor names, of the standard's ones where
    `ours.accepts` says so: nothing is decoded or converted.
    The requestor is its SCU and nothing else (PS3.7 D.3.3.4): a context in which it does not want to be is
    rejected.

    Parameters
    ----------
    identified
        Whether its user identity was judged and is right; one that nobody looked at is not affirmed.
    """
    asked = proposal.primitive
    wanted = {
        item.sop_class_uid: item.scu_role
        for item in asked.user_information
        if isinstance(item, SCP_SCU_RoleSelectionNegotiation)
    }
    items: Any = {uid: (True, False) for uid, as_scu in wanted.items() if as_scu}
    supported = [
        build_context(service, list(syntaxes) or context.transfer_syntax)
        for service, syntaxes in ours.services.items()
        for context in asked.presentation_context_definition_list
        if context.abstract_syntax == service
    ]
    results, roles = negotiate_unrestricted(
        asked.presentation_context_definition_list, _once(supported), items
    )
    if ours.accepts == "standard":
        proposed = {one.context_id: one for one in asked.presentation_context_definition_list}
        for one in results:
            if one.result == 0 and one.abstract_syntax not in ours.services:
                _keep_to_the_standard(one, proposed[one.context_id].transfer_syntax)
    for one in results:
        if one.result == 0 and not wanted.get(one.abstract_syntax, True):
            one.result = _USER_REJECTION
        elif not all(is_uid(str(uid)) for uid in (one.abstract_syntax, *one.transfer_syntax)):
            one.result = _SYNTAX_NOT_SUPPORTED  # it would become part of a file's meta information
    answer = A_ASSOCIATE()
    answer.application_context_name = UID(APPLICATION_CONTEXT_NAME)
    answer.calling_ae_title, answer.called_ae_title = asked.calling_ae_title, asked.called_ae_title
    answer.result, answer.result_source = 0, 1
    answer.presentation_context_definition_results_list = results
    answer.user_information = [
        *_about(ours),
        *roles,
        *_identified(proposal.user_identity if identified else None),
    ]
    pdu = A_ASSOCIATE_AC()
    pdu.from_primitive(answer)
    accepted = {
        int(one.context_id): Context(str(one.abstract_syntax), str(one.transfer_syntax[0]))
        for one in results
        if one.result == 0 and one.context_id is not None
    }
    return Agreement(accepted, pdu.encode())


def _keep_to_the_standard(result: PresentationContext, proposed: Sequence[str]) -> None:
    """Accept a storage context in a syntax of the standard, or not at all."""
    known = [uid for uid in proposed if UID(uid).type == "Transfer Syntax"]
    if UID(result.abstract_syntax or "").type != "SOP Class":
        result.result = _CLASS_NOT_SUPPORTED
    elif known:
        result.transfer_syntax = known[:1]
    else:
        result.result = _SYNTAX_NOT_SUPPORTED


def _once(contexts: list[PresentationContext]) -> list[PresentationContext]:
    return list({str(context.abstract_syntax): context for context in contexts}.values())


def _about(ours: Ours) -> list[Any]:
    largest, uid = MaximumLengthNotification(), ImplementationClassUIDNotification()
    version = ImplementationVersionNameNotification()
    largest.maximum_length_received = ours.max_pdu
    uid.implementation_class_uid = UID(ours.implementation_class_uid)
    version.implementation_version_name = ours.implementation_version
    return [largest, uid, version]


def _identified(identity: UserIdentity | None) -> list[Any]:
    """Say that an identity was accepted, where the requestor wants to hear it."""
    if identity is None or not identity.wants_response:
        return []
    answer = UserIdentityNegotiation()
    answer.server_response = b""
    return [answer]


def _identity(primitive: Any) -> UserIdentity | None:
    for item in primitive.user_information:
        if isinstance(item, UserIdentityNegotiation):
            identity = UserIdentity(
                int(item.user_identity_type or 0),
                item.primary_field or b"",
                item.secondary_field or b"",
                bool(item.positive_response_requested),
            )
            if len(identity.primary) + len(identity.secondary) > _LONGEST_IDENTITY:
                raise _wrong("has a user identity that is too long")
            return identity
    return None


def _ae_title(raw: bytes) -> str | None:
    """Give an AE title (PS3.5, 6.2): printable ASCII but the backslash; None when it is none."""
    text = raw.strip(b" ")
    if not text or any(not 0x20 <= byte < 0x7F or byte == 0x5C for byte in text):  # noqa: PLR2004 - ASCII
        return None
    return text.decode("ascii")


def _known_items(body: memoryview) -> bytes:
    """Give the items that the standard knows: others are to be ignored (PS3.8, 9.3.1); pynetdicom raises.

    Counts them before anything is made of them.

    Raises
    ------
    Violation
        When there are more than can be, or lengths don't fit.
    """
    left = _MOST_ITEMS
    contexts = 0
    found: list[bytes] = []
    for kind, start, stop in _items(body, _FIXED, len(body)):
        left -= 1
        contexts += kind == _CONTEXT_ITEM
        if kind == _CONTEXT_ITEM:
            left -= sum(1 for _ in _items(body, start + 4, stop))
        elif kind == _USER_ITEM:
            inner = list(itertools.islice(_items(body, start, stop), left + 1))
            left -= len(inner)
            content = b"".join(_user_item(body, *one) for one in inner if one[0] in _USER_ITEMS)
            found.append(_ITEM.pack(kind, len(content)) + content)
        if left < 0 or contexts > _MOST_CONTEXTS:
            raise _wrong("asks for more than may be")
        if kind in (_APPLICATION_ITEM, _CONTEXT_ITEM):
            found.append(bytes(body[start - _ITEM.size : stop]))
    return b"".join(found)


def _user_item(body: memoryview, kind: int, start: int, stop: int) -> bytes:
    """Give a sub-item whole; who a requestor says it is has to fill it (PS3.7, D.3.3.7.1)."""
    item = bytes(body[start - _ITEM.size : stop])
    if kind == _IDENTITY_ITEM:
        at = _ITEM.size + 2
        for _ in range(2):  # the primary and the secondary field, each behind its length
            at += 2 + int.from_bytes(item[at : at + 2], "big")
        if at != len(item):
            raise _wrong("has a user identity whose lengths don't fit")
    return item


def _items(body: memoryview, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Give type, start and end of items, without their heads."""
    while at < end:
        if end - at < 4:  # noqa: PLR2004 - type, reserved, length
            raise _wrong("is cut")
        kind, stop = body[at], at + 4 + (body[at + 2] << 8 | body[at + 3])
        if stop > end:
            raise _wrong("is cut")
        yield kind, at + 4, stop
        at = stop


def _wrong(what: str) -> Violation:
    return Violation(Reason.INVALID_PARAMETER, f"An A-ASSOCIATE-RQ {what}.")
