"""What a bench ran on: machine, versions, commit, and whether others used the machine meanwhile."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from tests.e2e.conftest import CHROMIUM

ROOT = Path(__file__).parent.parent.parent
PACKAGES = (
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "cassandra-driver",
    "pynetdicom",
    "pydicom",
    "aiohttp",
    "msgspec",
)
FREE = 0.9
"""A busy process that is given less than this share of a core has company."""
_SYNCS = 200
_BLOCK = b"x" * 4096


def processor() -> str:
    """The processor's name, its cores as this process may use them, and memory."""
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    name = found[1].strip() if found else platform.machine()
    return f"{name}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB of memory"


def system() -> str:
    named = re.search(r'^PRETTY_NAME="(.*)"$', Path("/etc/os-release").read_text(), re.MULTILINE)
    return f"{named[1] if named else platform.system()}, Linux {platform.release().partition('-')[0]}"


def commit() -> str:
    """The commit that was measured, and whether the code differed from it."""
    try:
        name = _said("git", "rev-parse", "--short=12", "HEAD")
        changed = _said("git", "status", "--porcelain", "--", ".", ":!docs")
    except (OSError, subprocess.CalledProcessError):
        return "unknown (no git here)"
    return f"{name}, with changes that are not committed" if changed else name


def versions() -> str:
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False).stderr
    runtime = re.search(r'version "(.*?)"', java)
    poms = ROOT / "deploy" / "engines"
    engines = [
        f"{title} {found[1]}"
        for title, pom, artefact in (
            ("Kafka", "kafka.pom.xml", r"kafka_[\d.]+"),
            ("Cassandra", "cassandra.pom.xml", "cassandra-all"),
        )
        if (
            found := re.search(
                rf"<artifactId>{artefact}</artifactId>\s*<version>([^<]+)<", (poms / pom).read_text()
            )
        )
    ]
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    browser = _said(CHROMIUM, "--version")
    return ", ".join(
        [f"Python {platform.python_version()}", *packages, *engines]
        + [f"Java {runtime[1]}"] * bool(runtime)
        + [browser.strip()]
    )


def sync_ms() -> float:
    """The median of what an append of 4 KiB with fsync takes where the benches write, ms."""
    took = []
    with tempfile.NamedTemporaryFile(prefix="chips-bench-") as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            os.write(file.fileno(), _BLOCK)
            os.fsync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def share_of_a_core(seconds: float = 1.0) -> float:
    """Which share of the time a busy process is given; less than 1 when others are busy on all cores."""
    wall, mine = time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        pass
    return (time.process_time() - mine) / (time.perf_counter() - wall)


def shared(shares: list[float]) -> str:
    """Say whether somebody else used the processors, looked at before each bench."""
    told = ", ".join(f"{100 * share:.0f} %" for share in shares)
    text = f"a busy process was given {told} of a core (looked at before each bench, in the order run)"
    if min(shares) < FREE:
        return f"{text}: **other work ran on this machine meanwhile**; rates are too low, times too long"
    return text


def _said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
