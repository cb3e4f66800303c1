"""What commands print."""

from __future__ import annotations

from rich.console import Console

console = Console(highlight=False)


def say(line: str) -> None:
    """Print a line as it is."""
    console.print(line, markup=False, soft_wrap=True)
