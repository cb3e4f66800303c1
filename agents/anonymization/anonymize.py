"""One object in, an anonymized object or the reason for its quarantine out.

Pure but for reading a file when a path is given, and deterministic: the same bytes, key and policy give the
same bytes on any machine. Anything that can't be judged ends in quarantine; nothing is raised but for a file
that can't be read.
"""

from __future__ import annotations

from pathlib import Path

from agents.anonymization.careful import Task, anonymize_carefully
from agents.anonymization.fast.engine import fast_path
from agents.anonymization.outcome import Anonymized, Quarantine, Refusal
from agents.anonymization.policy.document import Policy
from agents.anonymization.text.known import KnownValues
from agents.anonymization.tools import NO_TOOLS, Tools
from gateway.identity import ProjectKey
from gateway.part10 import Malformed

LIMIT = 1024 * 1024 * 1024
"""Bytes of an object that the careful way takes, which holds it in memory."""


def anonymize(
    source: bytes | Path,
    *,
    key: ProjectKey,
    policy: Policy,
    study: KnownValues | None = None,
    tools: Tools = NO_TOOLS,
) -> Anonymized | Quarantine:
    """Anonymize a DICOM Part 10 file by a policy.

    Parameters
    ----------
    source
        The file's bytes or its path.
    key
        The project's key.
    policy
        What may stay.
    study
        What other objects of its study call people and things, to be found in this one, too.
    tools
        What looks at pixels and documents. Without a tool, what only it can judge does not come out.

    Returns
    -------
    Anonymized or Quarantine
        Neither holds anything that identifies. The output of a path may be yet to be copied.

    Raises
    ------
    OSError
        When the file can't be read.

    Notes
    -----
    DICOM PS3.15, Annex E, edition 2026c. Deflated objects come out inflated, because what a deflater
    writes depends on its version; all others keep their transfer syntax.
    """
    found = fast_path(key, policy).take(source, study)
    if found is not None:
        return found
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > LIMIT:
        message = "The object is larger than can be judged at once."
        return Quarantine(reason="too-large", message=message, policy=policy.label)
    content = source.read_bytes() if isinstance(source, Path) else source
    try:
        return anonymize_carefully(content, Task(key, policy, study, tools))
    except (Refusal, Malformed) as refused:
        reason = refused.reason if isinstance(refused, Refusal) else refused.code
        return Quarantine(reason=reason, message=str(refused), policy=policy.label)
    except Exception:  # noqa: BLE001 - whatever a parser stumbles over, the object must not get past it
        return Quarantine(
            reason="unparsable", message="The object can't be read as DICOM.", policy=policy.label
        )
