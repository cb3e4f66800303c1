"""Programs of dcmtk, by their paths: pynetdicom puts some of the same names into the environment's folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def dcmtk(program: str) -> str:
    """Give the path of a program."""
    own = Path(sys.executable).parent
    folders = [folder for folder in os.environ["PATH"].split(os.pathsep) if Path(folder) != own]
    found = shutil.which(program, path=os.pathsep.join(folders))
    assert found, f"dcmtk's {program} is missing: install dcmtk"
    return found
