"""What pynetdicom and pydicom would log and warn quotes UIDs and values of objects; so they say nothing."""

from __future__ import annotations

import logging
import warnings

from pynetdicom import _config


def silence_libraries() -> None:
    """Let them say nothing, in this process."""
    _config.LOG_HANDLER_LEVEL = "none"
    for name in ("pynetdicom", "pydicom"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        warnings.filterwarnings("ignore", module=rf"{name}\b")
