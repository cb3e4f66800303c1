"""Run volumetry as the contract says."""

from __future__ import annotations

import sys
from importlib import resources

import msgspec

from plugins.contract.sdk import main
from plugins.contract.types import Manifest
from plugins.volumetry.plugin import Parameters, run

if __name__ == "__main__":
    declaration = (resources.files("plugins.volumetry") / "plugin.json").read_bytes()
    sys.exit(main(msgspec.json.decode(declaration, type=Manifest), run, Parameters))
