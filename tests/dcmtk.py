"""Programs of dcmtk, by their paths: pynetdicom puts some of the same names into environments' folders."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def dcmtk(program: str) -> str:
    """Give the path of a program; pynetdicom's, of whichever environment, are scripts."""
    for folder in os.environ["PATH"].split(os.pathsep):
        found = shutil.which(program, path=folder)
        if found and not Path(found).read_bytes().startswith(b"#!"):
            return found
    raise AssertionError(f"dcmtk's {program} is missing: install dcmtk")
