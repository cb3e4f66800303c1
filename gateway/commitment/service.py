"""Storage Commitment as SCP (PS3.4, J): N-ACTION is answered, and its report follows on the same association.

A report that the peer does not take before the association ends is left to `gateway.commitment.delivering`,
where the source has an address for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from gateway.commitment.judging import evidence, judge
from gateway.commitment.messages import (
    ALL_KEPT,
    LARGEST,
    REQUEST,
    SOME_NOT,
    SOP_CLASS,
    SOP_INSTANCE,
    Asked,
    parse,
    report,
)
from gateway.commitment.reports import Report
from gateway.dimse.conversation import Conversation
from gateway.dimse.exchange import Intake, Request, Then
from gateway.dul import commands
from gateway.dul.commands import ACTION_TYPE, short_value
from gateway.dul.negotiation import Context
from gateway.errors import where_of
from gateway.part10 import Malformed
from streams.errors import NoSpace, Unavailable

log = structlog.get_logger()

PROCESSING_FAILURE = 0x0110
NO_SUCH_INSTANCE = 0x0112
NO_SUCH_CLASS = 0x0118
NO_SUCH_ACTION = 0x0123
NOT_AUTHORIZED = 0x0124
RESOURCE_LIMITATION = 0x0213
"""Statuses of N-ACTION (PS3.7, 10.1.4.1.10 and C)."""
COMMENTS = {
    PROCESSING_FAILURE: "The request can't be read",
    NO_SUCH_INSTANCE: "Requests go to the well-known instance",
    NO_SUCH_CLASS: "Only Storage Commitment Push Model has actions here",
    NO_SUCH_ACTION: "Request Storage Commitment is the only action",
    NOT_AUTHORIZED: "This source may not ask for commitment: ask the operator",
    RESOURCE_LIMITATION: "Too much to answer now: ask again later, or for less",
}
"""What is said with each (Error Comment)."""
_LIST_S = 60.0
"""How long a list may take to come, s: others wait for its place."""
_MOST_OPEN = 64
"""Reports that one association may leave without an answer."""


class Commitment:
    """Answers the requests of one association, in its thread."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._reports = conversation.storing.vault.reports
        self._open: dict[int, Path] = {}
        self._asked = 0

    def begin(self, request: Request) -> Intake:
        """Begin on an N-ACTION."""
        status = self._refused(request)
        if status is None and not self._reports.desk.acquire(blocking=False):
            status = RESOURCE_LIMITATION
        if status is not None:
            return Then(lambda: self.refuse(request, status))
        return _List(self, request, self._reports.desk.release)

    def answer(self, request: Request, data: bytes) -> None:
        """Answer a request that has come, and report."""
        began = time.perf_counter()
        syntax = request.context.transfer_syntax
        try:
            asked = parse(data, syntax)
        except Malformed:
            self.refuse(request, PROCESSING_FAILURE)
            return
        try:
            made, path = self._judged(asked)
        except (OSError, NoSpace, Unavailable):
            self.refuse(request, RESOURCE_LIMITATION)
            return
        except Exception as error:  # noqa: BLE001 - a defect ends no other's work, nor does it promise anything
            log.error(  # noqa: TRY400 - where, and not what it says: that might quote a value
                "commitment.failed",
                correlationid=self._conversation.id,
                kind=type(error).__name__,
                where=where_of(error),
            )
            self.refuse(request, PROCESSING_FAILURE)
            return
        self._asked = self._asked % 0xFFFF + 1
        self._open[self._asked] = path
        self._conversation.reception.counting.committed("incomplete" if made.failures else "kept")
        log.info(
            "commitment.answered",
            correlationid=self._conversation.id,
            instances=len(asked.references),
            not_kept=len(made.failures),
            seconds=round(time.perf_counter() - began, 3),
        )
        self._conversation.answer(request, commands.SUCCESS, more={ACTION_TYPE: short_value(REQUEST)})
        self._conversation.ask(
            request.context_id,
            commands.event_report(SOP_CLASS, SOP_INSTANCE, self._asked, event_type(made)),
            report(asked, made.failures, syntax),
        )

    def answered(self, response: Request) -> Intake:
        """Take the answer to a report; one that it could not follow is tried on an association of ours."""
        return Then(lambda: self._close_one(response.command.responded_to, response.command.status))

    def close(self) -> None:
        """Leave what was not answered: the association is over."""
        for path in self._open.values():
            self._leave(path)
        self._open.clear()

    def refuse(self, request: Request, status: int) -> None:
        """Refuse a request."""
        self._conversation.reception.counting.committed("refused")
        log.warning("commitment.refused", correlationid=self._conversation.id, status=f"{status:04X}")
        self._conversation.answer(request, status, COMMENTS[status])

    def _refused(self, request: Request) -> int | None:
        """Tell why a request is refused before its list comes."""
        command = request.command
        checks = (
            (_is_of(request.context) and command.sop_class_uid == SOP_CLASS, NO_SUCH_CLASS),
            (command.sop_instance_uid == SOP_INSTANCE, NO_SUCH_INSTANCE),
            (command.action_type == REQUEST, NO_SUCH_ACTION),
            (self._conversation.source.may_commit, NOT_AUTHORIZED),
            (command.has_data_set, PROCESSING_FAILURE),
            (len(self._open) < _MOST_OPEN, RESOURCE_LIMITATION),
        )
        return next((status for holds, status in checks if not holds), None)

    def _judged(self, asked: Asked) -> tuple[Report, Path]:
        """Make the report, so that it outlives the association, and tell what the list says of its series."""
        conversation = self._conversation
        storing = conversation.storing
        judged = judge(asked, storing.key, conversation.reception.holdings, storing.vault.blobs)
        made = Report(
            association=conversation.id,
            source=conversation.source.name,
            reply=conversation.source.reply,
            calling_ae=conversation.called_ae,
            asked=asked,
            failures=judged.failures,
        )
        path = self._reports.put(made)
        try:
            if events := evidence(judged, asked, storing.key, conversation.reception.clock()):
                storing.record(events)
        except Unavailable as error:
            # The grade of a series does without; what was asked does not depend on it.
            log.warning("commitment.list_not_recorded", correlationid=conversation.id, error=str(error))
        return made, path

    def _close_one(self, message_id: int, status: int) -> None:
        path = self._open.pop(message_id, None)
        if path is None:
            return
        if status == commands.SUCCESS:
            self._reports.done(path)
            self._conversation.reception.counting.reported("answered")
        else:
            self._leave(path)

    def _leave(self, path: Path) -> None:
        """Leave a report for an association of ours, where the source has an address."""
        conversation = self._conversation
        try:
            if conversation.source.reply:
                self._reports.leave(path)
                return
            self._reports.done(path)
        except OSError as error:  # it is left at the next start
            log.warning("commitment.report_stays", correlationid=conversation.id, error=error.strerror)
            return
        log.warning(
            "commitment.report_has_no_address",
            correlationid=conversation.id,
            source=conversation.source.name,
        )
        conversation.reception.counting.reported("no-address")


class _List:
    """A list of objects on its way in, in memory, within bounds."""

    def __init__(self, commitment: Commitment, request: Request, leave_desk: Callable[[], object]) -> None:
        self._commitment = commitment
        self._request = request
        self._data = bytearray()
        self._until = time.monotonic() + _LIST_S
        self._is_too_much = False
        self._leave_desk: Callable[[], object] | None = leave_desk

    def write(self, data: memoryview) -> None:
        """Take a fragment; of a list that is too long, or takes too long, nothing is kept."""
        if len(self._data) + len(data) > LARGEST or time.monotonic() > self._until:
            self._is_too_much = True
            self.discard()
        if not self._is_too_much:
            self._data += data

    def finish(self) -> None:
        """Answer it."""
        try:
            if self._is_too_much:
                self._commitment.refuse(self._request, RESOURCE_LIMITATION)
            else:
                self._commitment.answer(self._request, bytes(self._data))
        finally:
            self.discard()

    def discard(self) -> None:
        """Forget it, and let the next one be read."""
        self._data.clear()
        leave, self._leave_desk = self._leave_desk, None
        if leave:
            leave()


def event_type(made: Report) -> int:
    """Tell which event a report is."""
    return SOME_NOT if made.failures else ALL_KEPT


def _is_of(context: Context) -> bool:
    return context.abstract_syntax == SOP_CLASS
