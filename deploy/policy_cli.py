"""``chips policy``: its commands and their help; the work is `deploy.policy`'s."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from deploy import policy as work
from deploy.exits import told
from deploy.keys import open_key_file

policy = App(name="policy", help=work.__doc__)

Flag = Annotated[bool, Parameter(negative="")]


@policy.command(name="list")
def policy_list(*, json: Flag = False) -> int:
    """List the ready policies, and what each is for.

    Parameters
    ----------
    json
        As JSON, for scripts.
    """
    return told(lambda: work.show_all(as_json=json))


@policy.command(name="show")
def policy_show(policy: str, *, document: Flag = False, json: Flag = False) -> int:
    """Show a policy resolved: its options explained, its exceptions, and what becomes of Table E.1-1.

    Parameters
    ----------
    policy
        A ready policy's name, or the path of a document (with a / or ending in .yaml, .yml or .json).
    document
        Print the document itself, comments included, to make your own of:
        `chips policy show research --document > mine.yaml`.
    json
        As JSON, for scripts.
    """
    return told(lambda: work.show(policy, document=document, as_json=json))


@policy.command(name="check")
def policy_check(file: Path) -> int:
    """Check a policy document; tells every problem with its place, and what to do.

    Exit status 0 when it can be followed, 1 when not.

    Parameters
    ----------
    file
        The document.
    """
    return told(lambda: work.check(file))


@policy.command(name="schema")
def policy_schema() -> int:
    """Print the JSON Schema of policy documents, for editors that check while you write."""
    return told(work.schema)


@policy.command(name="test")
def policy_test(
    file: Path,
    *,
    policy: str = "basic",
    key_file: Path | None = None,
    master: Path | None = None,
    passphrase_file: Path | None = None,
    values: bool = True,
    json: Flag = False,
) -> int:
    """Anonymize a DICOM file and show each attribute before and after, with what was done and why.

    The file itself is not changed, and nothing is written. VALUES OF THE PATIENT ARE SHOWN, as you have the
    file at hand: use --no-values where others see the screen, or the output is kept. Exit status 0 when the
    file comes out, 1 when it stays in quarantine.

    Parameters
    ----------
    file
        A DICOM file.
    policy
        A ready policy's name, or the path of a document.
    key_file
        A key file of `chips keys new`, so that pseudonyms are those of real runs; without it they are of a
        key for tests.
    master
        Where its master key lies, when it is not KEY_FILE.master.
    passphrase_file
        A file with its passphrase, instead of asking.
    values
        Show values; --no-values hides them.
    json
        As JSON, for scripts.
    """

    def run() -> int:
        key = None
        if key_file is not None:
            key = open_key_file(key_file, master=master, passphrase_file=passphrase_file).only_key()
        return work.test(file, policy=policy, key=key, values=values, as_json=json)

    return told(run)
