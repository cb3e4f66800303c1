"""What commands print."""

from __future__ import annotations

import sys

from rich.console import Console

WIDE = 132
"""Columns of a log or a pipe, which have no width of their own."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def say(line: str) -> None:
    """Print a line as it is."""
    console.print(line, markup=False, emoji=False, soft_wrap=True)
