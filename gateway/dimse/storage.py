"""C-STORE: an object goes to the disk as it comes, and success is sent only after `Storing.store`."""

from __future__ import annotations

import time

import structlog

from gateway.associations import carry, refuse
from gateway.dimse.conversation import Conversation
from gateway.dimse.exchange import Intake, Request, Then
from gateway.dul import commands
from gateway.errors import ObjectRefused, where_of
from gateway.refusals import failed, invalid_instance, no_dataset, not_authorized, over_quota
from gateway.spool import Announced, Received, Spool

log = structlog.get_logger()

_OVER_S = 1.0
"""How long objects of a source over its quota are refused before they are received, s; then one is tried."""


class Storage:
    """Stores what one association brings."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._over_until = 0.0

    def begin(self, request: Request) -> Intake:
        """Begin to receive an object."""
        refused = self._refused(request)
        if refused:
            return Then(lambda: self._refuse(request, refused))
        command = request.command
        spool = self._conversation.storing.spool(
            Announced(command.sop_class_uid, command.sop_instance_uid, request.context.transfer_syntax),
            self._conversation.source.allowance.object_bytes,
        )
        return _Object(self, request, spool)

    def store(self, request: Request, spool: Spool) -> None:
        """Keep an object that has come, and answer."""
        try:
            began = time.perf_counter()
            received = spool.finish()
            self._spend(received.size)
            self._keep(received, began)
        except ObjectRefused as refused:
            self._refuse(request, refused)
        except Exception as error:  # noqa: BLE001 - a defect must not pass for success, nor end others' work
            log.error(  # noqa: TRY400 - where, and not what it says: that might quote a value
                "object.failed",
                correlationid=self._conversation.id,
                kind=type(error).__name__,
                where=where_of(error),
            )
            self._refuse(request, failed())
        else:
            self._conversation.answer(request, commands.SUCCESS)
        finally:
            spool.discard()

    def _refused(self, request: Request) -> ObjectRefused | None:
        """Tell why an object is refused before it comes."""
        command = request.command
        if not self._conversation.source.may_store:
            return not_authorized()
        if time.monotonic() < self._over_until:
            return over_quota()
        if not commands.is_uid(command.sop_class_uid) or not commands.is_uid(command.sop_instance_uid):
            return invalid_instance()
        return None if command.has_data_set else no_dataset()

    def _spend(self, size: int) -> None:
        wait = self._conversation.reception.spend(self._conversation.source, size)
        if wait:
            self._over_until = time.monotonic() + min(wait, _OVER_S)
            raise over_quota()

    def _keep(self, received: Received, began: float) -> None:
        conversation = self._conversation
        stored = conversation.storing.store(
            received, association=conversation.id, origin=conversation.source.name
        )
        conversation.carried = carry(conversation.carried, stored.series)
        conversation.reception.counting.stored(received.size, time.perf_counter() - began)

    def _refuse(self, request: Request, refused: ObjectRefused) -> None:
        conversation = self._conversation
        conversation.carried = refuse(conversation.carried, request.command.sop_class_uid)
        conversation.tell_refused(refused.reason)
        log.warning(
            "object.refused",
            correlationid=conversation.id,
            reason=refused.reason,
            status=f"{refused.status:04X}",
        )
        conversation.answer(request, refused.status, refused.comment)


class _Object:
    """An object on its way in."""

    def __init__(self, storage: Storage, request: Request, spool: Spool) -> None:
        self._storage = storage
        self._request = request
        self._spool = spool

    def write(self, data: memoryview) -> None:
        """Take a fragment."""
        self._spool.write(data)

    def finish(self) -> None:
        """Keep it."""
        self._storage.store(self._request, self._spool)

    def discard(self) -> None:
        """Forget it."""
        self._spool.discard()
