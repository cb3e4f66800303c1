"""``chips keys``: the vault's key ring, from the command line. Inner zone."""

from __future__ import annotations

from deploy.exits import Exit
from deploy.process import settings_here
from deploy.terminal import say
from gateway.keys import Keyring
from streams.errors import Rejected


def rotate() -> int:
    """Wrap the project keys of the vault with a new master key.

    Raises
    ------
    streams.errors.Rejected
        When the vault has no keys yet, or they are damaged.
    """
    vault = settings_here().settings.path("vault")
    if not (vault / "keys.json").exists():
        raise Rejected(f"There are no keys in {vault}: is CHIPS_VAULT right?")
    Keyring(vault).rotate()
    say(f"The project keys in {vault} are wrapped with a new master key; pseudonyms stay as they were.")
    say("Back the vault's keys up now, and destroy backups that hold the old master key.")
    return Exit.OK
