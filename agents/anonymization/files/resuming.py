"""What of an earlier run still stands. Decisions are pure; the rest looks at OUT."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from agents.anonymization.files.entries import Entry
from agents.anonymization.files.index import Index
from agents.anonymization.files.known import mark_of
from agents.anonymization.files.objects import Found
from agents.anonymization.files.outputs import unwritable
from agents.anonymization.files.tasks import Lines, Place
from agents.anonymization.installed import tools_mark
from streams.errors import Rejected


def check_same_run(entries: Iterable[Entry], lines: Lines, manifest: Path) -> Iterator[Entry]:
    """Pass lines of a manifest on, if they were written by a run like this one.

    Raises
    ------
    streams.errors.Rejected
        At a line of another policy or key.
    """
    for entry in entries:
        if entry.policy != lines.policy:
            raise Rejected(
                f"{manifest} was written under the policy {entry.policy}, this is {lines.policy}: name "
                "another manifest and another OUT, or begin anew with --restart."
            )
        if entry.key != lines.key:
            raise Rejected(
                f"{manifest} was written with another key, so its pseudonyms are others: name that key, or "
                "another manifest and another OUT, or begin anew with --restart."
            )
        yield entry


class Now(NamedTuple):
    """What results depend on beside input, policy and key; as `agents.anonymization.files.entries.Entry`."""

    known: str
    software: str | None


def stands(before: Entry, found: Found, now: Now) -> bool:
    """Tell whether an earlier result is what judging the object again would give.

    Duplicates and conflicts depend on other files, and are looked at again; so is what tools decided, or can
    have decided, when one of them has another version since.
    """
    if (before.tools or before.result == "quarantined") and before.software != now.software:
        return False
    if before.stamp != found.stamp or before.known != now.known:
        return False
    if before.result == "anonymized":
        return before.output is not None and before.output.startswith(f"{found.folder}/")
    return before.result == "quarantined" and before.of is None


class Kept(NamedTuple):
    """An earlier result that stands, of an object."""

    found: Found
    entry: Entry


def what_stands(index: Index, place: Place) -> Iterator[Kept]:
    """Yield earlier results that stand; outputs of those that don't are removed.

    Where faces are taken out, which is done to a whole series, a series stands as a whole or not at all.

    Raises
    ------
    streams.errors.Unavailable
        When OUT can't be looked at or changed.
    """
    whole = "clean_recognizable_visual_features" in place.policy.options
    study, now = "", Now("", tools_mark(place.policy))
    for (of_study, _), series in itertools.groupby(index.found(), lambda one: (one.study, one.series)):
        if of_study != study:
            study, now = of_study, now._replace(known=mark_of(place.key, index.known(of_study)))
        looked_at = ((found, _standing(index.before(found.path), found, now, place)) for found in series)
        if whole:
            all_of_it = list(looked_at)
            if not all(entry for _, entry in all_of_it):
                continue
            yield from (Kept(found, entry) for found, entry in all_of_it if entry)
        else:
            yield from (Kept(found, entry) for found, entry in looked_at if entry)


def remove_output(out: Path, path: str) -> None:
    """Remove an output, and folders that are empty then; raises `streams.errors.Unavailable`."""
    file = out / path
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise unwritable(out, error) from error
    for folder in list(file.parents)[:3]:
        try:
            folder.rmdir()
        except OSError:
            return  # not empty, or gone


def _standing(before: Entry | None, found: Found, now: Now, place: Place) -> Entry | None:
    if before is None:
        return None
    if stands(before, found, now) and _is_there(before, found, place):
        return before
    if before.output is not None:
        remove_output(place.out, before.output)
    return None


def _is_there(entry: Entry, found: Found, place: Place) -> bool:
    """Tell whether what a result says to be in a folder is there."""
    try:
        if entry.output is not None:
            return (place.out / entry.output).stat().st_size == entry.output_bytes
        return place.quarantine is None or (place.quarantine / found.path).exists()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise unwritable(place.out, error) from error
