"""Types and deterministic ids shared by every room. Pure."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec

# "$" alone would let a newline at the end pass: in Python it matches before one.
ProjectId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$(?!\n)")]
"""A project; it stands in every id, key, table and blob reference."""

Key = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
"""A pseudonymous key of a patient, study, series or instance: keyed HMAC, hex, 128 bit."""

Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
"""A sha256, hex."""

Uuid = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$(?!\n)")]

NAMESPACE = uuid.UUID("6f0e4c52-7a0b-5c3e-9a54-3f6d2a1c8e10")
"""Namespace of every deterministic id of CHIPS. Never changes."""


class BlobRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where bytes rest: content address, size in bytes, IANA media type. The project tells the folder."""

    sha256: Digest
    size: Annotated[int, msgspec.Meta(ge=0)]
    media_type: Annotated[str, msgspec.Meta(max_length=127)]


def derived_id(consumer: str, cause: str, index: int | str = 0) -> str:
    """Id of an event that `consumer` derives from the event `cause`: handling it again gives it again."""
    return str(uuid.uuid5(NAMESPACE, f"{consumer}\n{cause}\n{index}"))


def instance_event_id(project: str, sop_instance_key: str, digest: str) -> str:
    """Id of *instance stored*: the same image by any way in is the same event.

    The pseudonymous key stands for the SOP Instance UID, to which it is injective under the project's key.
    """
    return derived_id("instance.stored", project, f"{sop_instance_key}\n{digest}")


def default_feed(project: str, study: str) -> str:
    """Id of the feed that the default rule opens for a study."""
    return derived_id("feed.default", project, study)


def feed_stream(project: str, feed: str) -> str:
    """Stream of a feed."""
    return f"feed/{project}/{feed}"


def job_stream(project: str, job: str) -> str:
    """Stream of a job."""
    return f"job/{project}/{job}"


def series_stream(project: str, series: str) -> str:
    """Stream of a series."""
    return f"series/{project}/{series}"
