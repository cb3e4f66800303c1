"""What a runner counts."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from agents.dispatch.runner.job_run import Outcome


class Metrics:
    """The runner's counters, in a registry of the caller's."""

    def __init__(self, registry: CollectorRegistry, slots: int) -> None:
        self._attempts = Counter(
            "chips_runner_attempts", "Attempts at jobs that ended, by outcome", ["outcome"], registry=registry
        )
        Gauge("chips_runner_slots", "Steps that may run side by side", registry=registry).set(slots)
        self._busy = Gauge("chips_runner_slots_in_use", "Slots with a job", registry=registry)

    def count(self, outcome: Outcome) -> None:
        """Count the end of an attempt."""
        self._attempts.labels(outcome).inc()

    def watch(self, busy: Callable[[], float]) -> None:
        """Read the slots in use when asked."""
        self._busy.set_function(busy)
