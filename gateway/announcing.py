"""Saying what a series consists of, before or after it arrives. Pure.

Whoever learns it, an integration, a person, storage commitment, makes these events; `Storing.record` or a
producer brings them to the topic of the series, where they are evidence (`docs/completeness.md`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from gateway.identity import ProjectKey, instance_key
from schemas.envelope import Event
from schemas.identity import derived_id, series_stream
from schemas.make import first
from schemas.pacs import Authority, SeriesAnnounced

SOURCE = "/chips/announcements"
PART = 1000
"""Instances that one event lists: about 35 KiB."""


class Announcement(NamedTuple):
    """Who says something, and when.

    Attributes
    ----------
    ident
        A uuid; the same announcement made again has the same.
    """

    project: str
    by: Authority
    ident: str
    time: datetime


def announce_count(announcement: Announcement, series: str, instances: int) -> list[Event]:
    """Say how many images a series has; the last count that was told holds."""
    return [_event(announcement, series, instances, [], 0)]


def announce_list(announcement: Announcement, series: str, instances: Collection[str]) -> list[Event]:
    """Say which images a series has, by their keys; lists of several announcements add up."""
    listed = sorted(set(instances))
    parts = [listed[at : at + PART] for at in range(0, len(listed), PART)]
    return [_event(announcement, series, len(listed), part, number) for number, part in enumerate(parts)]


def announce_commitment(
    key: ProjectKey, transaction_uid: str, series_of: Mapping[str, str | None], time: datetime
) -> list[Event]:
    """Say what a storage commitment request tells of each series: the images that it names.

    The request names no series (DICOM PS3.4, J.3.2), so that an instance which is not here belongs to none
    that is known. With one series in the request it is counted as of that one; with several nothing is said
    of any: no list may be called whole that could lack something.

    Parameters
    ----------
    series_of
        Key of the series of each instance that the request names, by the instance's key; None: not here.
    """
    series = {one for one in series_of.values() if one is not None}
    away = None in series_of.values()
    if not series or (away and len(series) > 1):
        return []
    ident = derived_id("commitment", instance_key(key, transaction_uid))
    announcement = Announcement(key.project, "commitment", ident, time)
    return [
        event
        for one in sorted(series)
        for event in announce_list(
            announcement, one, [instance for instance, of in series_of.items() if of in {one, None}]
        )
    ]


def _event(announcement: Announcement, series: str, instances: int, listed: list[str], part: int) -> Event:
    subject = series_stream(announcement.project, series)
    return first(
        SeriesAnnounced(
            project=announcement.project,
            series=series,
            announcement=announcement.ident,
            by=announcement.by,
            instances=instances,
            listed=listed,
            part=part,
        ),
        event_id=derived_id("announced", announcement.ident, f"{series}\n{part}"),
        source=SOURCE,
        subject=subject,
        time=announcement.time,
    )
