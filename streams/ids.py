"""Fresh ids, for what follows from nothing: uuid7, so that they sort by time."""

from __future__ import annotations

import uuid_utils


def fresh_id() -> str:
    """Make a uuid7."""
    return str(uuid_utils.uuid7())
