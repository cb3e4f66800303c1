"""Messages of an association: fragments put together, each request given to the service that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from gateway.dul import commands
from gateway.dul.commands import RESPONSE, Command
from gateway.dul.negotiation import Agreement, Context
from gateway.dul.pdus import Fragment, Reason, Violation

_LARGEST_COMMAND = 16 * 1024


class Request(NamedTuple):
    """A command that came, and the presentation context that it came in."""

    context_id: int
    context: Context
    command: Command


class Intake(Protocol):
    """Takes the data set of a request."""

    def write(self, data: memoryview) -> None:
        """Take a fragment; valid during the call."""

    def finish(self) -> None:
        """All has come, or the request has no data set: answer it."""

    def discard(self) -> None:
        """Forget it: the association ends, whether or not it was answered."""


class Then:
    """Lets a data set go by, then does something."""

    def __init__(self, what: Callable[[], object] = lambda: None) -> None:
        self._what = what

    def write(self, data: memoryview) -> None:
        """Forget a fragment."""

    def finish(self) -> None:
        """Do it."""
        self._what()

    def discard(self) -> None:
        """Do nothing."""


Service = Callable[[Request], Intake]
"""Begins on a request, before its data set comes."""


class Exchange:
    """The messages of one association, in its thread.

    Parameters
    ----------
    services
        By Command Field; also for responses, which nobody else may send.
    otherwise
        For requests of no service.
    """

    def __init__(self, agreement: Agreement, services: Mapping[int, Service], otherwise: Service) -> None:
        self._agreement = agreement
        self._services = services
        self._otherwise = otherwise
        self._command = bytearray()
        self._command_context = 0
        self._awaited: tuple[int, Intake] | None = None

    def take(self, fragment: Fragment) -> None:
        """Take a fragment.

        Raises
        ------
        gateway.dul.pdus.Violation
            When it can't come now.
        """
        if not fragment.is_command:
            self._take_data(fragment)
            return
        if self._awaited or (self._command and fragment.context_id != self._command_context):
            raise Violation(Reason.UNEXPECTED_PARAMETER, "A command where a data set is to come.")
        if len(self._command) + len(fragment.data) > _LARGEST_COMMAND:
            raise Violation(Reason.INVALID_PARAMETER, "A command that is longer than any.")
        self._command += fragment.data
        self._command_context = fragment.context_id
        if fragment.is_last:
            command = commands.parse(self._command)
            self._command.clear()
            self._begin(fragment.context_id, command)

    def discard(self) -> None:
        """Forget what is on its way."""
        if self._awaited:
            self._awaited[1].discard()
            self._awaited = None

    def _begin(self, context_id: int, command: Command) -> None:
        context = self._agreement.contexts.get(context_id)
        if context is None:
            raise Violation(Reason.UNEXPECTED_PARAMETER, "A command for a context that was not accepted.")
        service = self._services.get(command.field)
        if service is None and command.field & RESPONSE:
            raise Violation(Reason.UNEXPECTED_PARAMETER, "A response where nothing was asked.")
        intake = (service or self._otherwise)(Request(context_id, context, command))
        if command.has_data_set:
            self._awaited = context_id, intake
        else:
            intake.finish()

    def _take_data(self, fragment: Fragment) -> None:
        if self._awaited is None or fragment.context_id != self._awaited[0]:
            raise Violation(Reason.UNEXPECTED_PARAMETER, "A data set without a command.")
        intake = self._awaited[1]
        intake.write(fragment.data)
        if fragment.is_last:
            self._awaited = None
            intake.finish()
