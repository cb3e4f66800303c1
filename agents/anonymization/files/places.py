"""Where a run reads and writes: folders that must not lie in each other. An adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from streams.errors import Rejected


def check_places(
    source: Path, out: Path, *, private: Mapping[str, Path | None], written: Mapping[str, Path | None]
) -> None:
    """Look whether a run may read and write where it was told to.

    Parameters
    ----------
    source, out
        IN and OUT.
    private
        What identifies, by its option: it may not lie in OUT, which is given away.
    written
        What is written besides, by its option: it may not lie in IN, which stays as it is.

    Raises
    ------
    streams.errors.Rejected
        When it may not; says what to change.
    """
    if not source.exists():
        raise Rejected(f"There is no {source}.")
    if out.exists() and not out.is_dir():
        raise Rejected(f"{out} is no folder: name a folder for the output.")
    if _within(out, source):
        raise Rejected(f"{out} lies in {source}: name a folder outside of the input.")
    if source.is_dir() and _within(source, out):
        raise Rejected(f"{source} lies in {out}: what identifies must not lie in the output.")
    for option, place in private.items():
        if place is not None and _within(place, out):
            raise Rejected(
                f"{option} {place} lies in the output, which is to be given away: keep it elsewhere."
            )
    for option, place in written.items():
        if place is not None and source.is_dir() and _within(place, source):
            raise Rejected(f"{option} {place} lies in the input, which stays as it is: name another place.")


def _within(inner: Path, outer: Path) -> bool:
    """Tell whether a path, existing or not, is a folder or lies in it, by whatever name it is reached."""
    if not outer.exists():
        resolved = outer.resolve()
        return resolved == inner.resolve() or resolved in inner.resolve().parents
    inner = inner.resolve()
    return any(one.exists() and one.samefile(outer) for one in (inner, *inner.parents))
