"""The faces of a series taken out of all its images together, from originals to blobs. Blocks for seconds.

Runs in a process of its own (`agents.anonymization.aside`), so that a library which crashes, hangs or wants
all memory takes nothing with it. The same originals, key, policy and tools give the same blobs.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from agents.anonymization.installed import installed_tools
from agents.anonymization.judging import Judge, chunks_of, judge_with
from agents.anonymization.method import with_method
from agents.anonymization.outcome import Anonymized, Quarantine, Refusal
from agents.anonymization.policy.document import Policy
from gateway.keys import Keyring
from schemas.facts import AnonymizedInstance, QuarantinedInstance
from schemas.identity import BlobRef
from streams.blobs import Blobs
from streams.errors import Unavailable

BYTES_AT_MOST = 1 << 30
"""Of a series: all of it is in memory at once, and up to three times."""
MEMORY = 6 << 30
"""Of the process, bytes: what is compressed can be many times as large as its series."""

DICOM = "application/dicom"

Outcome = AnonymizedInstance | QuarantinedInstance


class Waiting(NamedTuple):
    """An image that waits for its series (`agents.anonymization.judging.Original`), and its digest."""

    project: str
    patient: str
    study: str
    series: str
    instance: str
    digest: str
    blob: BlobRef


class Facing(NamedTuple):
    """What takes faces out of anonymized objects (`agents.anonymization.faces`), and its name."""

    deface: Callable[[Sequence[bytes]], list[bytes]]
    tool: str


class Place(NamedTuple):
    """Where originals, keys and anonymized blobs lie, and the policy: can be sent to a process."""

    vault: Path
    blobs: Path
    policy: Policy


def take_faces_at(place: Place, images: Sequence[Waiting]) -> list[Outcome]:
    """Take the faces out of a series, as the only work of this process; see `take_faces`."""
    # Only now: the agent's own process needs none of its libraries.
    from agents.anonymization.faces import TOOL, deface  # noqa: PLC0415 - see above

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(
        resource.RLIMIT_AS, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard)
    )
    judge = judge_with(
        Blobs(place.vault / "objects", private=True),
        Keyring(place.vault).known_key,
        place.policy,
        installed_tools(place.policy),
    )
    facing = Facing(deface, TOOL)
    return take_faces(images, judge=judge, blobs=Blobs(place.blobs), policy=place.policy, facing=facing)


def take_faces(
    images: Sequence[Waiting], *, judge: Judge, blobs: Blobs, policy: Policy, facing: Facing
) -> list[Outcome]:
    """Anonymize the images of a series, take their faces out, and make what comes out durable.

    Returns
    -------
    list
        What came of each, in their order. One that can't be judged stays in alone; when nobody can be sure
        of the face, all others do.

    Raises
    ------
    streams.errors.Unavailable
        When vault, keys or disk are away or full.
    """
    try:
        found = _judged(images, judge)
    except Refusal as refused:
        found = [_refused(refused, policy)] * len(images)
    return [
        _outcome(one, result, blobs)
        for one, result in zip(images, _without_faces(found, policy, facing), strict=True)
    ]


def kept(image: Waiting, found: Quarantine) -> QuarantinedInstance:
    """Give the outcome of an image that stays in."""
    return QuarantinedInstance(
        instance=image.instance,
        digest=image.digest,
        reason=found.reason,
        message=found.message,
        policy=found.policy,
    )


def _judged(images: Sequence[Waiting], judge: Judge) -> list[Anonymized | Quarantine]:
    too_large = Refusal("too-large", "The series is larger than can be judged at once.")
    if sum(one.blob.size for one in images) > BYTES_AT_MOST:
        raise too_large
    found: list[Anonymized | Quarantine] = []
    size = 0
    for one in images:
        result = judge(one)
        # Deflated originals come out inflated.
        size += result.size if isinstance(result, Anonymized) else 0
        if size > BYTES_AT_MOST:
            raise too_large
        found.append(result)
    return found


def _without_faces(
    found: Sequence[Anonymized | Quarantine], policy: Policy, facing: Facing
) -> list[Anonymized | Quarantine]:
    faces = [one for one in found if isinstance(one, Anonymized) and one.face]
    if not faces:
        return list(found)
    try:
        contents = facing.deface([b"".join(chunks_of(one)) for one in faces])
        made: list[Anonymized | Quarantine] = [
            _made(one, content, policy, facing.tool) for one, content in zip(faces, contents, strict=True)
        ]
    except Unavailable:
        raise
    except Refusal as refused:
        made = [_refused(refused, policy)] * len(faces)
    except Exception as error:  # noqa: BLE001 - whatever a library stumbles over, no face must get past it
        message = f"Taking the face out of the series failed ({type(error).__name__})."
        made = [_refused(Refusal("face-not-removed", message), policy)] * len(faces)
    results = iter(made)
    return [next(results) if isinstance(one, Anonymized) and one.face else one for one in found]


def _made(one: Anonymized, content: bytes, policy: Policy, tool: str) -> Anonymized:
    tools = (*one.tools, tool)
    return msgspec.structs.replace(
        one,
        output=with_method(content, policy, tools),
        policy=policy.label_with(tools),
        tools=tools,
        face=False,
    )


def _refused(refused: Refusal, policy: Policy) -> Quarantine:
    return Quarantine(reason=refused.reason, message=refused.message, policy=policy.label)


def _outcome(image: Waiting, found: Anonymized | Quarantine, blobs: Blobs) -> Outcome:
    if isinstance(found, Quarantine):
        return kept(image, found)
    return AnonymizedInstance(
        instance=image.instance,
        digest=image.digest,
        blob=blobs.put(image.project, chunks_of(found), DICOM),
        policy=found.policy,
        attributes=found.attributes,
    )
