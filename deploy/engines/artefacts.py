"""Fetch an engine's jars with Maven, once, into a cache outside the checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.engines.java import find_java, find_maven
from streams.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

_FETCH_SECONDS = 600
_ATTEMPTS = 3
_COMPLETE = "complete"


def cache_root() -> Path:
    """Return where things fetched once a machine go: ``$XDG_CACHE_HOME/chips`` or ``~/.cache/chips``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "chips"


@contextmanager
def exclusively(lock: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file ``lock`` (made if missing); it dies with its holder."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fetch(pom: Path, cache: Path) -> Path:
    """Return a folder with every jar that ``pom`` asks for, fetched on the first call.

    The folder's name carries the pom's digest, so a new version is a new folder. It holds a file ``complete``
    that is written last; a fetch that was cut off leaves none and is done again.

    Parameters
    ----------
    pom
        The Maven project file; its name without ``.pom.xml`` names the engine.
    cache
        Where the folders are kept, see `cache_root`.

    Raises
    ------
    Unavailable
        Java or Maven is missing, or Maven failed; the message carries the end of what it said.
    """
    name = pom.name.removesuffix(".pom.xml")
    lib = cache / f"{name}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    if (lib / _COMPLETE).exists():
        return lib
    with exclusively(cache / f"{name}.lock"):
        if not (lib / _COMPLETE).exists():
            shutil.rmtree(lib, ignore_errors=True)
            with tempfile.TemporaryDirectory(dir=cache, prefix=f"{name}-fetch-") as scratch:
                fetched = Path(scratch) / "lib"
                _copy_dependencies(pom, fetched)
                (fetched / _COMPLETE).touch()
                fetched.rename(lib)
    return lib


def _copy_dependencies(pom: Path, lib: Path) -> None:
    command = [
        str(find_maven()),
        "--quiet",
        "--batch-mode",
        f"--file={pom}",
        "dependency:copy-dependencies",
        f"-DoutputDirectory={lib}",
    ]
    environment = os.environ | {"JAVA_HOME": str(find_java().parent.parent)}
    said = ""
    # A repository that answers "too busy" for a moment is the usual cause; Maven keeps what it has.
    for _ in range(_ATTEMPTS):
        try:
            done = subprocess.run(  # noqa: S603  # Maven, with our own project file
                command,
                env=environment,
                cwd=lib.parent,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_FETCH_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise Unavailable(
                f"Maven did not fetch {pom.name} within {_FETCH_SECONDS} s: is it online?"
            ) from late
        if done.returncode == 0 and any(lib.glob("*.jar")):
            return
        said = done.stdout[-2000:]
    raise Unavailable(
        f"Maven could not fetch {pom.name}; check the network and Maven's settings. It said:\n{said}"
    )
