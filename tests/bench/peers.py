"""Other anonymizers, each in an environment of its own: made once a machine, outside the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from deploy.engines.artefacts import cache_root, exclusively

_INSTALL_S = 600
_COMPLETE = "complete"


class Peer(NamedTuple):
    """A package of the package index."""

    package: str
    version: str


PEERS = {
    "deid": Peer("deid", "0.4.13"),
    "dicognito": Peer("dicognito", "0.19.0"),
    "dicom-anonymizer": Peer("dicom-anonymizer", "2.1.0"),
}


def python_with(peer: Peer, cache: Path | None = None) -> Path | None:
    """Give the Python of an environment that has a peer, made at the first call; None when that failed."""
    folder = cache or cache_root() / "bench"
    name = f"{peer.package}-{peer.version}-py{sys.version_info.major}.{sys.version_info.minor}"
    made = folder / name
    python = made / "bin" / "python"
    with exclusively(folder / f"{name}.lock"):
        if not (made / _COMPLETE).exists():
            shutil.rmtree(made, ignore_errors=True)
            try:
                _make(peer, made, python)
            except (OSError, subprocess.SubprocessError):
                shutil.rmtree(made, ignore_errors=True)
                return None
            (made / _COMPLETE).touch()
    return python


def _make(peer: Peer, made: Path, python: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(made)], check=True, capture_output=True
    )
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    subprocess.run(
        [*pip, "install", "--quiet", f"{peer.package}=={peer.version}"],
        check=True,
        capture_output=True,
        timeout=_INSTALL_S,
    )
