"""Find the Java 17 and the Maven of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from streams.errors import Unavailable

JAVA_MAJOR = 17
_PROBE_SECONDS = 20


def find_java() -> Path:
    """Return the ``java`` of a Java 17, whatever the machine's default is.

    Cassandra 5.0 runs on 11 and 17 only, so a newer default is passed over. Looked at, in this order:
    ``CHIPS_JAVA_HOME``, ``JAVA_HOME``, the usual install folders of Linux and macOS, ``PATH``.

    Raises
    ------
    Unavailable
        No Java 17 was found; the message says what to install.
    """
    for candidate in _candidates():
        if _major(candidate) == JAVA_MAJOR:
            return candidate
    raise Unavailable(
        "The real engines need Java 17 and none was found. Install it (Debian: apt-get install "
        "openjdk-17-jre-headless; macOS: brew install openjdk@17) or point CHIPS_JAVA_HOME at one."
    )


def find_maven() -> Path:
    """Return Maven's ``mvn``.

    Raises
    ------
    Unavailable
        There is none on ``PATH``; the message says what to install.
    """
    found = shutil.which("mvn")
    if found is None:
        raise Unavailable(
            "The real engines are fetched with Maven and `mvn` was not found. Install it "
            "(Debian: apt-get install maven; macOS: brew install maven)."
        )
    return Path(found)


def _candidates() -> list[Path]:
    homes = [Path(os.environ[name]) for name in ("CHIPS_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    homes += sorted(Path("/usr/lib/jvm").glob("*17*"))
    homes += sorted(Path("/Library/Java/JavaVirtualMachines").glob("*17*/Contents/Home"))
    homes += [Path("/opt/homebrew/opt/openjdk@17"), Path("/usr/local/opt/openjdk@17")]
    found = [home / "bin" / "java" for home in homes]
    on_path = shutil.which("java")
    if on_path is not None:
        found.append(Path(on_path).resolve())
    return [java for java in found if os.access(java, os.X_OK)]


def _major(java: Path) -> int | None:
    """Return the major version that ``java`` reports, or None for one that does not run."""
    try:
        said = subprocess.run(  # noqa: S603  # a program found above, with fixed arguments
            [java, "-version"], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(\d+)', said.stderr)
    return int(match[1]) if match else None
