"""What a receiver and the processes that it started took of the machine."""

from __future__ import annotations

import os
import re
from pathlib import Path


def tree(pid: int) -> list[int]:
    """A process and those below it that live."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            children = [
                child
                for task in Path(f"/proc/{one}/task").iterdir()
                for child in (task / "children").read_text().split()
            ]
        except FileNotFoundError:  # it ended meanwhile
            continue
        waiting += map(int, children)
    return found


def cpu_seconds(pid: int) -> float:
    """Of the tree, s; those that ended and were waited for count with who waited."""
    return sum(_cpu(one) for one in tree(pid))


def peak_mb(pid: int) -> float:
    """Resident memory at its highest, MB: the sum over the tree, each part at its own time."""
    return sum(_peak(one) for one in tree(pid))


def resident_mb(pid: int) -> float:
    """Resident memory of the tree now, MB."""
    return sum(_status(one, "VmRSS") for one in tree(pid))


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> float:
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> float:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except FileNotFoundError:
        return 0.0
    return int(found[1]) * 1024 / 1e6 if found else 0.0
