"""Which objects the vault holds, by their keys: a symbolic link each, whose target is not a path.

A link is made after object and journal entry are durable, and is not synced itself: after a power loss some
may be missing, so that an object is said not to be kept that is, and its sender sends it again, which
changes nothing. What a link says is always true.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path
from typing import NamedTuple


class Held(NamedTuple):
    """An object in the vault."""

    sop_class_uid: str
    sha256: str
    series: str
    """Key of its series."""


class Holdings:
    """The links of a vault.

    Parameters
    ----------
    folder
        Made when missing (0700).
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder

    def add(self, project: str, instance: str, held: Held) -> None:
        """Note an object; of two with one UID the one that came last.

        Raises
        ------
        OSError
            When it can't be noted.
        """
        link = self._link(project, instance)
        said = ":".join(held)
        try:
            link.symlink_to(said)
        except FileNotFoundError:
            for folder in (link.parent.parent, link.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            self.add(project, instance, held)
        except FileExistsError:
            if link.readlink() == Path(said):
                return
            fresh = link.with_name(f"{link.name}.{uuid.uuid4().hex}")
            fresh.symlink_to(said)
            fresh.replace(link)

    def find(self, project: str, instance: str) -> Held | None:
        """Give what is known of an object."""
        with contextlib.suppress(OSError):
            said = os.fspath(self._link(project, instance).readlink()).split(":")
            return Held(*said) if len(said) == len(Held._fields) else None
        return None

    def _link(self, project: str, instance: str) -> Path:
        return self._folder / project / instance[:2] / instance
