"""``chips anonymize``: its parameters and their help; the work is `deploy.anonymize`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


def anonymize(
    source: Path,
    out: Path,
    /,
    *,
    policy: str,
    key_file: Path,
    manifest: Path,
    report: Path | None = None,
    quarantine: Path | None = None,
    workers: int | None = None,
    restart: Annotated[bool, Parameter(negative="")] = False,
    sync: Literal["end", "each"] = "end",
    json: Annotated[bool, Parameter(negative="")] = False,
    project: str | None = None,
    master: Path | None = None,
    passphrase_file: Path | None = None,
) -> int:
    """Anonymize files, without any server: `chips anonymize IN OUT --policy P --key-file K --manifest M`.

    OUT gets a folder for each patient, study and series, named by pseudonyms and new UIDs. What can't be
    shown to be safe stays in quarantine, with a reason. The same command goes on where it was stopped.

    Exit status 0 when every file is accounted for: anonymized, or kept back with a reason; 1 when one is not.

    Parameters
    ----------
    source
        IN: a file or a folder. No link in it is followed.
    out
        OUT: a folder outside of IN. Nothing in it is ever overwritten.
    policy
        A ready policy's name, or the path of a document: see `chips policy list`.
    key_file
        The key of the pseudonyms, made by `chips keys new`.
    manifest
        JSON lines, one a file: input, and output or the reason of its quarantine. It links originals to
        pseudonyms, so IT IDENTIFIES: it is made for you alone (0600) and never belongs to the output.
    report
        A folder for a report that counts what was removed, kept and replaced, and why; it has no values.
    quarantine
        Copy the originals that are kept back to this folder. They identify.
    workers
        Processes; as many as there are cores when not given.
    restart
        Remove the outputs that the manifest names, and begin anew.
    sync
        Make outputs outlive a power loss at the end, or each before it gets its name.
    json
        Tell how it ended as one JSON object, for scripts; progress goes to standard error.
    project
        Whose key, when the key file has several.
    master
        Where the key file's master key lies, when it is not KEY-FILE.master.
    passphrase_file
        A file with the key file's passphrase, instead of asking.
    """
    from deploy import anonymize as work  # noqa: PLC0415 - only when it runs: it needs pydicom

    return work.anonymize(
        source,
        out,
        policy=policy,
        key=work.KeySource(key_file, master, passphrase_file, project),
        manifest=manifest,
        report=report,
        quarantine=quarantine,
        workers=workers,
        restart=restart,
        sync_each=sync == "each",
        as_json=json,
    )
