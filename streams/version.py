"""Which CHIPS this is."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path


def version() -> str:
    """Give the version of the installed distribution; with ``+source`` when run from a checkout's files."""
    try:
        return installed("chips")
    except PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
        return f"{tomllib.loads(project.read_text(encoding='utf-8'))['project']['version']}+source"
