"""Failures of an import that are no object's."""

from __future__ import annotations

from streams.errors import Rejected


class NotTakenApart(Rejected):
    """An archive or a DICOMDIR can't be read; the message says what to do."""
