"""All traps, once the modules that hold them are read."""

from __future__ import annotations

from tests.canaries import traps_attacks, traps_binary, traps_bytes, traps_fragments, traps_text
from tests.canaries.traps import TRAPS

__all__ = ["TRAPS", "traps_attacks", "traps_binary", "traps_bytes", "traps_fragments", "traps_text"]
