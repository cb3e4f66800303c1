"""How a received object becomes part of the record, whatever protocol brought it.

Invariant: `store` returns only when the object's bytes and its journal entry survive power loss. Whoever
repeats an object repeats its event, under the same id.
"""

from __future__ import annotations

import structlog

from gateway.associations import SOURCE
from gateway.header import Header, header_of, read_header
from gateway.identity import ProjectKey, instance_key, patient_of, series_key, study_key
from gateway.journal import Appends
from gateway.part10 import Malformed, read_meta
from gateway.refusals import no_room, not_understood, other_class, other_instance, vault_failed
from gateway.spool import FULL, Announced, Received, Spool, file_meta
from gateway.vault import Vault
from schemas.envelope import Event, encode
from schemas.identity import BlobRef, instance_event_id, series_stream
from schemas.make import first
from schemas.pacs import InstanceStored
from streams.clock import Clock
from streams.crashpoints import crashpoint
from streams.errors import NoSpace, Unavailable

log = structlog.get_logger()

MEDIA_TYPE = "application/dicom"


class Storing:
    """Vault, journal and keys of one project; safe for many threads.

    Parameters
    ----------
    journal
        Where entries become durable.
    """

    def __init__(
        self,
        *,
        key: ProjectKey,
        vault: Vault,
        journal: Appends,
        clock: Clock,
    ) -> None:
        self.key = key
        self.vault = vault
        self._journal = journal
        self._clock = clock

    @property
    def project(self) -> str:
        """The project that everything stored here belongs to."""
        return self.key.project

    def spool(self, announced: Announced, largest: int | None = None) -> Spool:
        """Begin to receive an object, of `largest` bytes at most."""
        return Spool(self.vault.incoming, announced, self.vault.has_room, largest)

    def store(self, received: Received, *, association: str, origin: str) -> InstanceStored:
        """Keep an object for good.

        Parameters
        ----------
        received
            The object; its file has its name in the vault when this returns.
        association
            Id of what brought it; the story that all which follows belongs to.
        origin
            Name of its source.

        Raises
        ------
        gateway.errors.ObjectRefused
            When it can't be kept; nothing that says otherwise remains.
        """
        event = self._event(received, association, origin)
        try:
            self.vault.blobs.adopt(self.project, received)
            crashpoint("gateway.after_blob_before_journal")
            self.record([event])
        except NoSpace as error:
            raise no_room() from error
        except Unavailable as error:
            log.error("gateway.vault_failed", correlationid=association, error=str(error))  # noqa: TRY400 - the reason says it all
            raise vault_failed() from error
        crashpoint("gateway.after_fsync_before_reply")
        log.debug("object.stored", correlationid=association, event_id=event.id, type=event.type)
        stored: InstanceStored = event.data
        return stored

    def record(self, events: list[Event]) -> None:
        """Write events to the journal, durably.

        Raises
        ------
        streams.errors.NoSpace, gateway.errors.JournalBroken
            When that failed; none of them is written then.
        """
        try:
            self._journal.append([encode(event) for event in events])
        except OSError as error:
            if error.errno in FULL:
                raise NoSpace("No space for the journal: make room, then try again") from error
            raise Unavailable(f"The journal can't be written: {error.strerror}") from error

    def _event(self, received: Received, association: str, origin: str) -> Event:
        try:
            header = _header(received)
        except Malformed as error:
            raise not_understood(error) from error
        except OSError as error:
            raise vault_failed() from error
        found = header.identity
        if found.sop_class_uid != received.announced.sop_class_uid:
            raise other_class()
        if found.sop_instance_uid != received.announced.sop_instance_uid:
            raise other_instance()
        key, now = self.key, self._clock()
        series = series_key(key, found.series_instance_uid)
        instance = instance_key(key, found.sop_instance_uid)
        return first(
            InstanceStored(
                project=self.project,
                patient=patient_of(
                    key, found.issuer_of_patient_id, found.patient_id, found.study_instance_uid
                ),
                study=study_key(key, found.study_instance_uid),
                series=series,
                instance=instance,
                digest=received.sha256,
                blob=BlobRef(sha256=received.sha256, size=received.size, media_type=MEDIA_TYPE),
                sop_class_uid=found.sop_class_uid,
                transfer_syntax_uid=found.transfer_syntax_uid,
                modality=found.modality,
                association=association,
                origin=origin,
                received=now,
                placement=header.placement,
            ),
            event_id=instance_event_id(self.project, instance, received.sha256),
            source=SOURCE,
            subject=series_stream(self.project, series),
            time=now,
            correlationid=association,
        )


def _header(received: Received) -> Header:
    """Read an object's header, from its first bytes if they hold what identifies; raises as `read_header`.

    A data set that begins with file meta information would change ours, which readers delimit differently.
    """
    if read_meta(received.head).dataset != len(file_meta(received.announced)):
        raise Malformed("bad-structure", "The data set begins with file meta information.")
    try:
        return header_of(received.head)
    except Malformed:
        if received.size == len(received.head):
            raise
    return read_header(received.path)
