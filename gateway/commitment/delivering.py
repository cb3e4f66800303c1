"""Reports that their peer did not take on its own association, brought to it on one of ours (PS3.4, J.3.3).

A thread of the gateway's own process looks for what is due. Of an address that does not take a report, all
reports rest, each time twice as long; what nobody took within a day is given up. All is in the vault, so that
a restart goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import structlog

from gateway.admission import ReplyTo
from gateway.commitment.reports import Report, Reports
from gateway.errors import where_of
from gateway.reception import Reported
from streams.errors import Misconfigured

log = structlog.get_logger()

LOOK_S = 1.0
"""How often it is looked for reports, s."""
REST_S = (5.0, 600.0)
"""First and longest rest of an address, s."""
GIVEN_UP_S = 24 * 3600.0
"""After how long a report is given up, s: its sender has asked again by then, or never will."""


class Rest(NamedTuple):
    """An address that did not take a report."""

    until: float
    """s, of any clock."""
    seconds: float
    """How long this one is."""


def rested(before: Rest | None, now: float, rest_s: tuple[float, float] = REST_S) -> Rest:
    """Give the rest of an address that failed now. Pure."""
    seconds = rest_s[0] if before is None else min(2 * before.seconds, rest_s[1])
    return Rest(now + seconds, seconds)


Deliver = Callable[[Report, ReplyTo], bool]
"""Brings a report to its address; tells whether it was taken. May take a minute; raises OSError and
`streams.errors.Misconfigured` at most."""


class Delivering:
    """Delivers until `close`.

    Parameters
    ----------
    reported
        Told what became of each report.
    deliver
        See `Deliver`.
    look_s, rest_s
        As the constants.
    """

    def __init__(
        self,
        reports: Reports,
        reported: Callable[[Reported], object],
        deliver: Deliver,
        *,
        look_s: float = LOOK_S,
        rest_s: tuple[float, float] = REST_S,
    ) -> None:
        self._reports = reports
        self._reported = reported
        self._deliver = deliver
        self._look_s = look_s
        self._rest_s = rest_s
        self._stopping = threading.Event()
        self._rests: Mapping[ReplyTo, Rest] = {}
        self._thread = threading.Thread(target=self._run, name="gateway-reports", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, grace_s: float) -> None:
        """End; a delivery that takes longer than that is left, and done again after the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(grace_s)

    def _run(self) -> None:
        while not self._stopping.wait(self._look_s):
            try:
                self._look()
            except Exception as error:  # noqa: BLE001 - a defect in one look must not end all later ones
                log.error(  # noqa: TRY400 - where, and not what it says: that might quote a value
                    "commitment.delivery_failed", kind=type(error).__name__, where=where_of(error)
                )

    def _look(self) -> None:
        """Try what is due, each address once where it fails."""
        addressed: set[ReplyTo] = set()
        for path in self._reports.due():
            if self._stopping.is_set():
                return
            made = self._reports.read(path)
            if made is None or self._reports.age_s(path) > GIVEN_UP_S:
                self._end(path, made, "given-up")
                continue
            if made.reply is None:
                self._end(path, made, "no-address")
                continue
            addressed.add(made.reply)
            rest = self._rests.get(made.reply)
            if rest is None or time.monotonic() >= rest.until:
                self._try(path, made, made.reply)
        self._rests = {one: rest for one, rest in self._rests.items() if one in addressed}

    def _try(self, path: Path, made: Report, reply: ReplyTo) -> None:
        reason = ""
        try:
            taken = self._deliver(made, reply)
        except OSError:
            taken = False
        except Misconfigured as error:
            taken, reason = False, str(error)
        if taken:
            self._rests = {one: rest for one, rest in self._rests.items() if one != reply}
            self._end(path, made, "delivered")
            return
        rest = rested(self._rests.get(reply), time.monotonic(), self._rest_s)
        self._rests = {**self._rests, reply: rest}
        log.warning(
            "commitment.report_not_taken",
            correlationid=made.association,
            source=made.source,
            again_after_s=rest.seconds,
            **({"reason": reason} if reason else {}),
        )

    def _end(self, path: Path, made: Report | None, outcome: Reported) -> None:
        self._reports.done(path)
        self._reported(outcome)
        log.info(
            "commitment.report_done",
            correlationid=made.association if made else "",
            source=made.source if made else "",
            outcome=outcome,
        )
