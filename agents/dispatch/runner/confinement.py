"""How a container is confined: what the engine is told. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docker.types import LogConfig, Mount, Ulimit

from plugins.contract.types import Resources

MAX_CPUS = 2
OPEN_FILES = 1024


def host_config(resources: Resources, folder: Path, group: int, cpus: int) -> dict[str, Any]:
    """Give the arguments of Docker's host configuration.

    Parameters
    ----------
    folder
        Holds ``input``, mounted read-only, and ``output``.
    group
        That may read the files of ``input``.
    cpus
        Processors of the engine's machine.
    """
    return {
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "privileged": False,
        "ipc_mode": "none",
        "mem_limit": resources.memory_bytes,
        "memswap_limit": resources.memory_bytes,
        "pids_limit": resources.pids,
        "nano_cpus": min(MAX_CPUS, cpus) * 10**9,
        "group_add": [str(group)],
        "tmpfs": {"/tmp": f"rw,noexec,nosuid,nodev,size={resources.tmp_bytes},mode=1777"},  # noqa: S108 - its own
        "ulimits": [
            Ulimit(name="cpu", soft=resources.seconds * MAX_CPUS, hard=resources.seconds * MAX_CPUS + 5),
            Ulimit(name="fsize", soft=resources.output_bytes, hard=resources.output_bytes),
            Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "mounts": [
            Mount("/input", str(folder / "input"), type="bind", read_only=True),
            Mount("/output", str(folder / "output"), type="bind"),
        ],
        "log_config": LogConfig(type="json-file", config={"max-size": "4m", "max-file": "1"}),
        "restart_policy": {"Name": "no"},
    }
