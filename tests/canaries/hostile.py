"""Files that mean harm, by name. Each is made the same every time."""

from __future__ import annotations

from tests.canaries.hostile_content import BOMBS, CYCLES
from tests.canaries.hostile_structure import LIES, NESTING, SIZES

_GROUPS = {"nesting": NESTING, "bomb": BOMBS, "lie": LIES, "size": SIZES, "cycle": CYCLES}
HOSTILE = {f"{group}: {name}": make for group, makers in _GROUPS.items() for name, make in makers.items()}
