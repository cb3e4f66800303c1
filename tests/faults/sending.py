"""A sender that does not give up, in a process of its own."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.stack import Stack


@contextlib.contextmanager
def sending(stack: Stack, paths: Iterable[Path], manifest: Path) -> Iterator[subprocess.Popen[str]]:
    """Send files and folders; it is killed in the end, if it runs."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "deploy.cli", "send", *map(str, paths), f"127.0.0.1:{stack.dicom_port}",
            "--manifest", str(manifest), "--associations", "2", "--retries", "200",
        ],
        env=stack.environment,
        cwd=stack.folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finish(process: subprocess.Popen[str], within_s: float) -> None:
    """Wait until all is acknowledged."""
    output, _ = process.communicate(timeout=within_s)
    assert process.returncode == 0, output
