"""The last thing that runs before a step's own code, where there is no container engine.

``python -m agents.dispatch.runner.confined LIMITS -- PROGRAM ARGUMENTS…`` puts limits on itself, tries to
leave the network, asks to die with the runner, and becomes the program. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def main(arguments: list[str]) -> None:
    """Confine this process, then become the program after ``--``."""
    limits: dict[str, int] = json.loads(arguments[0])
    program = arguments[2:]
    for name, value in limits.items():
        _limit(getattr(resource, f"RLIMIT_{name}"), value)
    if sys.platform == "linux":
        _on_linux()
    os.execv(program[0], program)  # noqa: S606 - no shell: the program is what the runner names


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    # Processor time ends by SIGXCPU at the soft limit, which can be told from other ends; SIGKILL follows.
    grace = 5 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
    resource.setrlimit(kind, (allowed, allowed + grace))


def _on_linux() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        sys.exit("the runner was gone before the step began")
    user, group = os.getuid(), os.getgid()
    # As root a network namespace is enough; others need a user namespace first, where that is allowed.
    if libc.unshare(CLONE_NEWNET) != 0 and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0:
        with contextlib.suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
