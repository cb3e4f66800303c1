"""One event of a feed as its timeline tells it. Pure; a row needs nothing but its event."""

from __future__ import annotations

from typing import Any

from schemas import feed
from schemas.envelope import Event
from schemas.views import TimelineRow


def timeline_row(event: Event) -> TimelineRow:
    """Tell an event of a feed's stream.

    Raises
    ------
    ValueError
        When it is not an event of a feed.
    """
    return TimelineRow(
        seq=event.version,
        event=event.id,
        type=event.type,
        time=event.time,
        system=event.authtype != "app_user",
        actor=event.authid if event.authtype == "app_user" else None,
        **_told(event),
    )


def _told(event: Event) -> dict[str, Any]:  # noqa: PLR0911 - one return for each kind of event
    match event.data:
        case feed.FeedCreated(title=title):
            return {"kind": "created", "text": title}
        case feed.FeedRenamed(title=title):
            return {"kind": "renamed", "text": title}
        case feed.FeedTagged(tag=tag):
            return {"kind": "tagged", "text": tag}
        case feed.FeedUntagged(tag=tag):
            return {"kind": "untagged", "text": tag}
        case feed.InputAdded(study=study):
            return {"kind": "input", "text": study}
        case feed.CommentPosted(comment=comment, text=text):
            return {"kind": "comment", "comment": comment, "text": text}
        case feed.CommentEdited(comment=comment, text=text):
            return {"kind": "edit", "comment": comment, "text": text}
        case feed.FeedSeriesReceiving() as data:
            return {"kind": "series", "series": data.series, "state": "receiving", "text": data.modality}
        case feed.FeedSeriesAnonymized() as data:
            return _series_told(data)
        case _:
            return _run_told(event)


def _series_told(data: feed.FeedSeriesAnonymized) -> dict[str, Any]:
    counts = {
        "version": data.version,
        "anonymized": data.anonymized,
        "quarantined": data.quarantined,
        "conflicts": data.conflicts,
    }
    if data.completeness:
        counts["missing"] = data.completeness.missing
    if data.outdated:
        counts["outdated"] = len(data.outdated)
    return {
        "kind": "series",
        "series": data.series,
        "state": "graded" if data.grading else "anonymized",
        "text": data.modality,
        "counts": counts,
        "grade": data.completeness.grade if data.completeness else None,
    }


def _run_told(event: Event) -> dict[str, Any]:
    match event.data:
        case feed.RunQueued() as data:
            return {
                "kind": "run",
                "job": data.job,
                "series": data.series,
                "state": "queued",
                "text": data.plugin,
                "counts": {"version": data.version},
            }
        case feed.RunStarted() as data:
            return {
                "kind": "run",
                "job": data.job,
                "state": "running",
                "text": data.isolation,
                "counts": {"attempt": data.attempt},
            }
        case feed.RunSucceeded() as data:
            return {
                "kind": "run",
                "job": data.job,
                "state": "succeeded",
                "text": data.outcome,
                "counts": {"findings": len(data.findings)},
            }
        case feed.RunFailed() as data:
            return {
                "kind": "run",
                "job": data.job,
                "state": "failed" if data.final else "retrying",
                "text": data.cause,
                "counts": {"attempt": data.attempt},
            }
        case _:
            raise ValueError(f"{event.type} is not an event of a feed")
