"""The two engine tiers, each with engines of its own that a test may kill."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.engines.pair import Engines
from tests.engines.run import fresh_engines

TIERS = ["embedded", pytest.param("real", marks=pytest.mark.real)]


@dataclass
class Tier:
    """What a stack is told to use, and the engines behind it when they are real."""

    name: str
    environment: dict[str, str]
    engines: Engines | None = None


@contextlib.contextmanager
def tier(name: str, folder: Path) -> Iterator[Tier]:
    """Give a tier; real engines are started here and stopped in the end."""
    if name == "embedded":
        yield Tier(name, {})
        return
    engines = fresh_engines(folder / "engines")
    engines.up()
    try:
        yield Tier(
            name,
            {
                "CHIPS_BUS": f"kafka://{engines.kafka.address}",
                "CHIPS_STORE": f"cassandra://{engines.cassandra.address}/chips",
            },
            engines,
        )
    finally:
        engines.down()
