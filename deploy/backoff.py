"""When a process that ended may start again. Pure."""

from __future__ import annotations

FIRST_S = 0.5
LONGEST_S = 30.0
HEALTHY_S = 60.0
"""A process that ran for so long begins anew with the shortest wait, s."""


def wait_s(failures: int) -> float:
    """How long to wait after `failures` ends in a row (1, 2, …), s: doubles up to a bound."""
    if failures < 1:
        return 0.0
    return min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, 16))


def failures_after(failures: int, ran_s: float) -> int:
    """Count an end; a long life forgives the earlier ones."""
    return 1 if ran_s >= HEALTHY_S else failures + 1
