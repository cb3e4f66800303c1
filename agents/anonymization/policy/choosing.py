"""Which policy is meant: a ready one's name, or the path of a document."""

from __future__ import annotations

from pathlib import Path

from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.reading import SUFFIXES, read_file
from agents.anonymization.policy.ready import policy_named
from streams.errors import Misconfigured, Rejected


def is_path(text: str) -> bool:
    """Tell a document's path from a ready policy's name: it has a / or ends in .yaml, .yml or .json."""
    return "/" in text or text.lower().endswith(SUFFIXES)


def chosen(text: str) -> Policy:
    """Give the policy of a name or path; a relative path begins in the working directory.

    Raises
    ------
    streams.errors.Rejected
        When there is none, or the document can't be followed; says what is wrong with it.
    """
    return read_file(Path(text)) if is_path(text) else policy_named(text)


def configured(setting: str) -> Policy:
    """Give the policy that the setting names.

    Raises
    ------
    streams.errors.Misconfigured
        As `chosen`, naming the setting.
    """
    try:
        return chosen(setting)
    except Rejected as error:
        path = (
            " (a path has a / or ends in .yaml, .yml or .json)" if not is_path(setting) else f" in {setting}"
        )
        raise Misconfigured(f"CHIPS_POLICY{path}: {error}") from error


def described(setting: str) -> str:
    """Say what a setting means: its policy's label, or why there is none."""
    try:
        return f"{setting} ({chosen(setting).label})"
    except Rejected as error:
        return f"{setting} (can't be followed: {error})"
