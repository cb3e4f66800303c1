"""Targets that are wrong, to see that it is found."""

from __future__ import annotations

import time
from collections.abc import Callable


def crash(data: bytes) -> None:
    """Raise what no parser documents."""
    if data[:2] == b"cr":
        raise IndexError("a defect")


def hang(data: bytes) -> None:
    """Take longer than an input may."""
    if data[:1] == b"h":
        time.sleep(60)


def memory(data: bytes) -> None:
    """Take more memory than an input may."""
    if data[:1] == b"m":
        bytearray(100_000_000)[::4096] = b"\1" * 24415


BROKEN: dict[str, Callable[[bytes], object]] = {"crash": crash, "hang": hang, "memory": memory}
