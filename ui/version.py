"""Which CHIPS this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed


def version() -> str:
    """Give the version of the installed distribution; ``checkout`` when it runs from its source."""
    try:
        return installed("chips")
    except PackageNotFoundError:
        return "checkout"
