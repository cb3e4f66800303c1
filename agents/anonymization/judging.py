"""Judges originals in the vault: what comes out of each, one at a time. An adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Policy
from agents.anonymization.tools import NO_TOOLS, Tools
from gateway.identity import ProjectKey
from schemas.identity import BlobRef
from streams.blobs import Blobs, Missing
from streams.copying import Unreadable
from streams.errors import Rejected, Unavailable


class Original(Protocol):
    """An object in the vault, and the identity that it was received under."""

    @property
    def project(self) -> str:
        """Its project's id."""

    @property
    def patient(self) -> str:
        """Pseudonymous key of the patient."""

    @property
    def study(self) -> str:
        """Pseudonymous key of the study."""

    @property
    def series(self) -> str:
        """Pseudonymous key of the series."""

    @property
    def instance(self) -> str:
        """Pseudonymous key of the object."""

    @property
    def blob(self) -> BlobRef:
        """Its bytes."""


Judge = Callable[[Original], Anonymized | Quarantine]
"""Judges an original; blocks."""


def judge_with(
    vault: Blobs, key_of: Callable[[str], ProjectKey | None], policy: Policy, tools: Tools = NO_TOOLS
) -> Judge:
    """Make the judge that reads originals from the vault.

    Parameters
    ----------
    key_of
        Gives a project's key, None when there is none; asked until it gave one.
    tools
        What looks at pixels and documents.
    """
    keys: dict[str, ProjectKey] = {}

    def key(project: str) -> ProjectKey:
        if project not in keys:
            try:
                found = key_of(project)
            except Rejected as error:
                # No answer to anybody: the image waits until the keys can be used.
                raise Unavailable(str(error)) from error
            if found is None:
                raise Unavailable(
                    f"The vault has no key of project {project}, under which its images were stored: "
                    "correct CHIPS_VAULT, or restore keys.json from a backup."
                )
            keys[project] = found
        return keys[project]

    def judge(data: Original) -> Anonymized | Quarantine:
        # The key first: a vault without it is not the one that lost an original.
        secret = key(data.project)
        try:
            found = anonymize(vault.path(data.project, data.blob), key=secret, policy=policy, tools=tools)
        except Missing:
            # One lost file must not park its series for ever.
            message = "The original is not in the vault any more: see to the vault's disk and backup."
            return Quarantine(reason="missing-original", message=message, policy=policy.label)
        except OSError as error:
            raise _unreadable(error) from error
        if isinstance(found, Anonymized) and (found.patient, found.study, found.series, found.instance) != (
            data.patient,
            data.study,
            data.series,
            data.instance,
        ):
            message = "The object's identity is not the one that it was received under."
            return Quarantine(reason="identity-mismatch", message=message, policy=policy.label)
        return found

    return judge


def chunks_of(found: Anonymized) -> Iterator[bytes]:
    """Give an object's bytes, those of a large one as they are read from the vault.

    Raises
    ------
    streams.errors.Unavailable
        When the original can't be read any more.
    """
    if isinstance(found.output, bytes):
        yield found.output
        return
    try:
        yield from found.output.chunks()
    except Unreadable as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> Unavailable:
    return Unavailable(f"An original can't be read: {error.strerror}. Check the vault.")
