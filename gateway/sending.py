"""The engine of ``chips send``: files and folders over DICOM associations, retried and resumed.

Files are streamed as they are, never decoded or converted. What is transient (no connection, out of
resources) is tried again with back-off; what is refused is told and left.
"""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from gateway.manifest import Answer, Manifest, is_acknowledged
from gateway.outgoing import Outgoing, Skipped, batches, examine, find
from gateway.peer import Peer, c_store, silence_pynetdicom
from streams.clock import utc_now

BACK_OFF_S = (0.5, 30.0)
"""First and longest wait before what failed is tried again, s; doubled in between."""

_NOT_ACCEPTED = 0x0122
_PROCESSING_FAILURE = 0x0110


class Progress(NamedTuple):
    """Where a sending is; counts of files."""

    total: int
    acknowledged: int = 0
    refused: int = 0
    failed: int = 0
    already: int = 0
    """Acknowledged before, as the manifest says; part of `total`."""
    bytes: int = 0
    """Of the files acknowledged now."""


class Trouble(NamedTuple):
    """A file that was not acknowledged, and what the other side or the network said."""

    path: Path
    why: str


class Summary(NamedTuple):
    """How a sending ended."""

    progress: Progress
    skipped: list[Skipped]
    troubles: list[Trouble]

    @property
    def complete(self) -> bool:
        """Every DICOM file found was acknowledged, now or before."""
        return self.progress.acknowledged + self.progress.already == self.progress.total


def send(
    paths: Iterable[Path],
    host: str,
    port: int,
    *,
    called_ae: str,
    calling_ae: str,
    retries: int,
    manifest: Path,
    associations: int = 1,
    tls: ssl.SSLContext | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop: threading.Event | None = None,
    back_off_s: tuple[float, float] = BACK_OFF_S,
) -> Summary:
    """Send files, and those in folders; blocks until all is answered or given up.

    Parameters
    ----------
    retries
        How often a file is tried again, or a connection that brought none of them through.
    manifest
        JSON lines of the answers; what it says was acknowledged is not sent again.
    associations
        How many work side by side.
    tls
        What to send over TLS with; None: without.
    on_progress
        Called at the start and after every answer, one call at a time, from working threads.
    stop
        When set, sending ends after the objects under way.

    Raises
    ------
    streams.errors.Rejected
        When the manifest can't be written.
    """
    silence_pynetdicom()
    found = [examine(path) for path in find(paths)]
    files = [one for one in found if isinstance(one, Outgoing)]
    skipped = [one for one in found if isinstance(one, Skipped)]
    with Manifest(manifest) as known:
        left = [file for file in files if not known.has(file.mark)]
        tally = _Tally(Progress(len(files), already=len(files) - len(left)), known, on_progress)
        peer = Peer(host, port, called_ae, calling_ae, tls)
        halt = stop or threading.Event()
        with ThreadPoolExecutor(associations, thread_name_prefix="send") as pool:
            work = [
                pool.submit(
                    _Batch(
                        piece, peer=peer, tally=tally, retries=retries, back_off_s=back_off_s, stop=halt
                    ).run
                )
                for piece in batches(left, associations)
            ]
            for piece in work:
                piece.result()
    return Summary(tally.progress, skipped, tally.troubles)


class _Tally:
    """Counts answers and writes them down; one thread at a time."""

    def __init__(
        self, progress: Progress, manifest: Manifest, on_progress: Callable[[Progress], None]
    ) -> None:
        self.progress = progress
        self.troubles: list[Trouble] = []
        self._manifest = manifest
        self._on_progress = on_progress
        self._lock = threading.Lock()
        on_progress(progress)

    def answer(self, answer: Answer) -> None:
        """Note what the other side said for good."""
        with self._lock:
            self._manifest.add(answer)
            now = self.progress
            if is_acknowledged(answer.status):
                self.progress = now._replace(
                    acknowledged=now.acknowledged + 1, bytes=now.bytes + answer.mark.size
                )
            else:
                self.troubles.append(
                    Trouble(
                        Path(answer.mark.path), f"refused with {answer.status:04X} {answer.comment}".strip()
                    )
                )
                self.progress = now._replace(refused=now.refused + 1)
            self._on_progress(self.progress)

    def give_up(self, files: Iterable[Outgoing], why: str) -> None:
        """Note files that got no answer."""
        with self._lock:
            for file in files:
                self.troubles.append(Trouble(file.path, why))
                self.progress = self.progress._replace(failed=self.progress.failed + 1)
            self._on_progress(self.progress)


class _Broken(NamedTuple):
    """Why an association went no further, and whether the file at its turn may be the reason."""

    why: str
    by_file: bool


class _Batch:
    """The files of one association, and of those that follow when it breaks."""

    def __init__(
        self,
        files: list[Outgoing],
        *,
        peer: Peer,
        tally: _Tally,
        retries: int,
        back_off_s: tuple[float, float],
        stop: threading.Event,
    ) -> None:
        self._left = deque(files)
        self._peer = peer
        self._tally = tally
        self._retries = retries
        self._back_off_s = back_off_s
        self._stop = stop

    def run(self) -> None:
        """Send until all is answered or given up."""
        tries = 0
        delay, longest = self._back_off_s
        while self._left and not self._stop.is_set():
            before = len(self._left)
            broken = self._associate()
            if broken is None:
                continue
            if len(self._left) < before:
                tries, (delay, longest) = 0, self._back_off_s
            tries += 1
            if tries > self._retries:
                self._give_up(broken)
                tries = 0
                continue
            self._stop.wait(delay)
            delay = min(2 * delay, longest)
        if self._left:
            self._tally.give_up(self._left, "stopped before it was sent")

    def _give_up(self, broken: _Broken) -> None:
        """Leave the file that breaks each association, or all when it is not the file."""
        given_up = [self._left.popleft() for _ in range(1 if broken.by_file else len(self._left))]
        self._tally.give_up(given_up, broken.why)

    def _associate(self) -> _Broken | None:
        """Send over one association as far as it goes."""
        association = self._peer.associate({file.context: None for file in self._left})
        if not association.is_established:
            return _Broken("no association: the other side does not answer, or refused it", by_file=False)
        try:
            while self._left and not self._stop.is_set():
                answer = self._send(association, self._left[0])
                if answer is None:
                    return _Broken("the association broke before an answer", by_file=True)
                if answer.status & 0xFF00 == 0xA700:  # noqa: PLR2004 - Refused: Out of Resources, PS3.4 B.2.3
                    why = f"the other side is out of resources: {answer.comment}"
                    return _Broken(why, by_file=False)
                self._tally.answer(answer)
                self._left.popleft()
        finally:
            if association.is_established:
                association.release()
        return None

    def _send(self, association: Any, file: Outgoing) -> Answer | None:
        """Send one file; None when the association broke."""
        if not association.is_established:
            return None
        status, comment, sha256 = _PROCESSING_FAILURE, "", ""
        try:
            with file.path.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            response = c_store(association, file)
        except ValueError:
            status, comment = _NOT_ACCEPTED, "the other side does not take this SOP Class and transfer syntax"
        except OSError as error:
            comment = f"the file can't be read any more: {error.strerror}"
        else:
            if response is None:
                return None
            status, comment = int(response.Status), str(response.ErrorComment or "")
        return Answer(file.mark, file.sop_instance_uid, sha256, status, comment, utc_now())
