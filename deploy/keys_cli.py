"""``chips keys``: its commands and their help; the work is `deploy.keys`'."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from deploy import keys as work
from deploy.exits import told

keys = App(name="keys", help="The keys of the pseudonyms.")


@keys.command(name="new")
def keys_new(
    file: Path,
    *,
    passphrase: Annotated[bool, Parameter(negative="")] = False,
    passphrase_file: Path | None = None,
    project: str = "default",
) -> int:
    """Make a key file for `chips anonymize`, readable by you alone.

    A random master key in FILE.master wraps the key in it, or a passphrase does. Nothing is overwritten.

    Parameters
    ----------
    file
        Where to put it.
    passphrase
        Ask for a passphrase instead of making FILE.master.
    passphrase_file
        Take the passphrase from this file, its only line.
    project
        Whose pseudonyms the key makes: a name for you, it changes none of them.
    """
    return told(
        lambda: work.new(file, project=project, passphrase=passphrase, passphrase_file=passphrase_file)
    )


@keys.command(name="rotate")
def keys_rotate(
    file: Path | None = None,
    *,
    master: Path | None = None,
    passphrase_file: Path | None = None,
    new_passphrase_file: Path | None = None,
) -> int:
    """Wrap the keys of FILE, or of the vault, with a new master key or passphrase; pseudonyms stay.

    Do it when the master key or passphrase may have been seen: by a lost backup, or somebody who left. CHIPS
    may run meanwhile. Make a backup afterwards: older backups open with the old one.

    Parameters
    ----------
    file
        A key file of `chips keys new`; none: the vault's keys (inner zone).
    master
        Where its master key lies, when it is not FILE.master.
    passphrase_file
        A file with its passphrase, instead of asking.
    new_passphrase_file
        A file with its new passphrase, instead of asking.
    """
    return told(
        lambda: work.rotate(
            file,
            master=master,
            passphrase_file=passphrase_file,
            new_passphrase_file=new_passphrase_file,
        )
    )
