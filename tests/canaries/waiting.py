"""Traps that get through today, by the reason; each leaves this list with what closes it."""

from __future__ import annotations

WAITING: dict[str, tuple[str, ...]] = {
    "An id inside of other digits, three digits that are one, base64, and UIDs are not found in texts.": (
        "text: digits around",
        "text: base64",
        "text: short patient id of digits",
        "text: uids in text",
    ),
}
ALL_WAITING = frozenset(name for names in WAITING.values() for name in names)

WAITING_WHEN_CLEANED = frozenset(["text: unlisted attributes that identify"])
"""When descriptors are cleaned: what identifies by its attribute is cleaned like any text."""
