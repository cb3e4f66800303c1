"""What the agents of a process count. Labels are words of ours, never a value of a message."""

from __future__ import annotations

from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.dead_letters import Reason

Outcome = Literal["done", "rejected", "dead", "failed", "away"]


class Metrics:
    """The agents' counters, in a registry of the caller's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._handled = Counter(
            "chips_agents_handled", "Events handled, by outcome", ["agent", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "chips_agents_handler_seconds",
            "From the first attempt at an event to its outcome, s",
            ["agent"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 20),
            registry=registry,
        )
        self._letters = Counter(
            "chips_agents_dead_letters",
            "Messages given up, by reason",
            ["agent", "reason"],
            registry=registry,
        )
        self._in_flight = Gauge(
            "chips_agents_in_flight",
            "Messages taken and not yet acknowledged",
            ["agent"],
            registry=registry,
        )
        self._waiting: set[tuple[str, str]] = set()

    def handled(self, agent: str, outcome: Outcome, seconds: float) -> None:
        """Count an event."""
        self._handled.labels(agent, outcome).inc()
        self._seconds.labels(agent).observe(seconds)

    def given_up(self, agent: str, reason: Reason) -> None:
        """Count a dead letter."""
        self._letters.labels(agent, reason).inc()

    def in_flight(self, agent: str) -> Gauge:
        """Give the gauge of what an agent has taken."""
        return self._in_flight.labels(agent)

    def waits(self, agent: str, event_id: str) -> None:
        """Show that an event waits for something that is away, until it is handled."""
        self._waiting.add((agent, event_id))

    def waits_no_more(self, agent: str, event_id: str) -> None:
        """Show that it does not."""
        self._waiting.discard((agent, event_id))

    def problems(self) -> list[str]:
        """Say which agents wait for something that is away."""
        waiting = sorted({agent for agent, _ in self._waiting})
        return [f"{agent} waits for something that is away: its log names it" for agent in waiting]
