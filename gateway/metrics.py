"""What the gateway counts. Labels are words of ours, never a value that a peer sent."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.associations import Outcome
from gateway.presence import Party
from gateway.reception import Committed, Reported
from gateway.refusal_events import Refused


class Metrics:
    """The gateway's counters, in a registry of the caller's.

    Attributes
    ----------
    on_refused
        Told of each refusal, in whatever thread.
    on_opened, on_ended
        Told whose association began or ended, in whatever thread.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.on_refused: Callable[[Refused], object] = lambda _: None
        self.on_opened: Callable[[Party], object] = lambda _: None
        self.on_ended: Callable[[Party], object] = lambda _: None
        self.objects = Counter(
            "chips_gateway_stored", "Objects acknowledged: durable in vault and journal", registry=registry
        )
        self.object_bytes = Counter(
            "chips_gateway_stored_bytes", "Bytes of acknowledged objects", registry=registry
        )
        self.refusals = Counter(
            "chips_gateway_refused", "Objects refused, by reason", ["reason"], registry=registry
        )
        self.rejections = Counter(
            "chips_gateway_associations_rejected",
            "Requestors sent away, by reason",
            ["reason"],
            registry=registry,
        )
        self.associations = Gauge("chips_gateway_associations", "Associations open now", registry=registry)
        self.ends = Counter(
            "chips_gateway_associations_ended",
            "Associations ended, by outcome",
            ["outcome"],
            registry=registry,
        )
        self.commitments = Counter(
            "chips_gateway_commitments",
            "Requests for storage commitment, by outcome",
            ["outcome"],
            registry=registry,
        )
        self.reports = Counter(
            "chips_gateway_commitment_reports",
            "Reports of storage commitment that are done with, by outcome",
            ["outcome"],
            registry=registry,
        )
        self.store_seconds = Histogram(
            "chips_gateway_store_seconds",
            "From a whole object to its durable journal entry, s",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
            registry=registry,
        )
        self.published = Counter(
            "chips_gateway_published", "Journal entries that the bus confirmed", registry=registry
        )
        self.publish_failures = Counter(
            "chips_gateway_publish_failures", "Batches that the bus did not confirm", registry=registry
        )
        self._backlog = Gauge(
            "chips_gateway_journal_backlog", "Journal entries not confirmed by the bus", registry=registry
        )
        self._free = Gauge(
            "chips_gateway_vault_free_bytes", "Free space of the vault's disk", registry=registry
        )

        self._congested = Gauge(
            "chips_gateway_congested",
            "1 while new associations are refused for want of room",
            registry=registry,
        )
        self._bus_up = Gauge(
            "chips_gateway_bus_up", "1; 0 while the bus does not confirm what it is sent", registry=registry
        )

    def opened(self, party: Party) -> None:
        """Count an association that was agreed on; see `on_opened`."""
        self.associations.inc()
        self.on_opened(party)

    def ended(self, party: Party, outcome: Outcome) -> None:
        """Count the end of an association; see `on_ended`."""
        self.associations.dec()
        self.ends.labels(outcome).inc()
        self.on_ended(party)

    def stored(self, size: int, seconds: float) -> None:
        """Count an acknowledged object."""
        self.objects.inc()
        self.object_bytes.inc(size)
        self.store_seconds.observe(seconds)

    def refused(self, refused: Refused) -> None:
        """Count a requestor that was sent away, or an object that was not kept; see `on_refused`."""
        counter = self.rejections if refused.kind == "association" else self.refusals
        counter.labels(refused.reason).inc()
        self.on_refused(refused)

    def committed(self, outcome: Committed) -> None:
        """Count a request for storage commitment."""
        self.commitments.labels(outcome).inc()

    def reported(self, outcome: Reported) -> None:
        """Count a report of storage commitment that is done with."""
        self.reports.labels(outcome).inc()

    def watch(
        self,
        *,
        backlog: Callable[[], float],
        free: Callable[[], float],
        bus_up: Callable[[], bool],
        congested: Callable[[], bool],
    ) -> None:
        """Read these when asked."""
        self._congested.set_function(lambda: float(congested()))
        self._bus_up.set_function(lambda: float(bus_up()))
        self._backlog.set_function(backlog)
        self._free.set_function(free)
