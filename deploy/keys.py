"""``chips keys``: the key files of pseudonyms, the vault's and those of people who have no vault."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.exits import Exit
from deploy.process import settings_here
from deploy.terminal import say
from gateway.keys import KeyFile, Keyring, asks_passphrase
from gateway.masters import MasterFile, Passphrase, check_private
from streams.errors import Rejected

LEAST_CHARACTERS = 12
"""Of a passphrase."""
_MOST_CHARACTERS = 1024


def new(file: Path, *, project: str, passphrase: bool, passphrase_file: Path | None) -> int:
    """Make a key file with a new key.

    Raises
    ------
    streams.errors.Rejected
        When it or its master key is there already, or the passphrase is too short.
    """
    master = master_beside(file)
    for there in (file, master):
        if there.exists():
            raise Rejected(f"{there} is there already, and a key that is overwritten is lost: name another.")
    if passphrase or passphrase_file is not None:
        KeyFile(file, Passphrase(_new_passphrase(file, passphrase_file))).project_key(project)
        say(f"{file} has a new key. It opens with the passphrase alone: nobody can find that again.")
    else:
        KeyFile(file, MasterFile(master)).project_key(project)
        say(f"{file} has a new key, wrapped by {master}: it opens with both, so keep them in two places.")
    say("Back it up: the same key gives the same pseudonyms, and who has it can link them to patients.")
    return Exit.OK


def rotate(
    file: Path | None, *, master: Path | None, passphrase_file: Path | None, new_passphrase_file: Path | None
) -> int:
    """Wrap the keys of a key file, or of the vault, anew; pseudonyms stay.

    Raises
    ------
    streams.errors.Rejected
        When there are no keys yet, they are damaged, the passphrase is wrong, or an option is for keys that
        are wrapped otherwise.
    """
    passphrases = {"--passphrase-file": passphrase_file, "--new-passphrase-file": new_passphrase_file}
    if file is None:
        _without(passphrases | {"--master": master}, "The vault's keys open with the vault's master key")
        return _rotate_vault()
    if asks_passphrase(file):
        _without({"--master": master}, f"{file} opens with a passphrase, not with a master key")
        old = _passphrase(file, passphrase_file)
        KeyFile(file, Passphrase(old, _new_passphrase(file, new_passphrase_file))).rotate()
        say(f"The key in {file} is wrapped with the new passphrase; pseudonyms stay as they were.")
    else:
        _without(passphrases, f"{file} opens with a master key, not with a passphrase, and goes on to")
        KeyFile(file, MasterFile(master or master_beside(file))).rotate()
        say(f"The key in {file} is wrapped with a new master key; pseudonyms stay as they were.")
    say("Back it up now, and destroy backups that open with the old one.")
    return Exit.OK


def open_key_file(file: Path, *, master: Path | None, passphrase_file: Path | None) -> KeyFile:
    """Give a key file that can be read; asks for its passphrase when it has one and no file gives it.

    Raises
    ------
    streams.errors.Rejected
        When there is none, it is not one, or an option is for keys that are wrapped otherwise.
    """
    if asks_passphrase(file):
        _without({"--master": master}, f"{file} opens with a passphrase, not with a master key")
        return KeyFile(file, Passphrase(_passphrase(file, passphrase_file)))
    _without({"--passphrase-file": passphrase_file}, f"{file} opens with a master key, not with a passphrase")
    return KeyFile(file, MasterFile(master or master_beside(file)))


def master_beside(file: Path) -> Path:
    """Name the master key's file that belongs to a key file."""
    return file.with_name(file.name + ".master")


def _without(options: Mapping[str, Path | None], because: str) -> None:
    """Refuse options that would do nothing: who gives one believes that it does."""
    given = [option for option, value in options.items() if value is not None]
    if given:
        raise Rejected(f"{because}: leave {' and '.join(given)} out.")


def _rotate_vault() -> int:
    vault = settings_here().settings.path("vault")
    if not (vault / "keys.json").exists():
        raise Rejected(f"There are no keys in {vault}: is CHIPS_VAULT right?")
    Keyring(vault).rotate()
    say(f"The project keys in {vault} are wrapped with a new master key; pseudonyms stay as they were.")
    say("Back the vault's keys up now, and destroy backups that hold the old master key.")
    return Exit.OK


def _passphrase(file: Path, source: Path | None) -> str:
    if source is not None:
        return _from_file(source)
    if not sys.stdin.isatty():
        raise Rejected(f"{file} opens with a passphrase: name a file that has it with --passphrase-file.")
    return getpass.getpass(f"Passphrase of {file}: ")


def _new_passphrase(file: Path, source: Path | None) -> str:
    if source is not None:
        text = _from_file(source)
    elif not sys.stdin.isatty():
        raise Rejected("There is no terminal to ask for the new passphrase: name a file that has it.")
    else:
        text = getpass.getpass(f"New passphrase for {file}: ")
        if getpass.getpass("Again: ") != text:
            raise Rejected("The two passphrases differ: nothing was done.")
    if not LEAST_CHARACTERS <= len(text) <= _MOST_CHARACTERS:
        raise Rejected(
            f"A passphrase has {LEAST_CHARACTERS} to {_MOST_CHARACTERS} characters; more words are better."
        )
    return text


def _from_file(source: Path) -> str:
    if not source.is_file():
        raise Rejected(f"There is no file {source} with a passphrase.")
    check_private(source)
    try:
        with source.open(encoding="utf-8") as stream:
            return stream.read(_MOST_CHARACTERS + 2).removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected(f"{source} can't be read as text.") from error
