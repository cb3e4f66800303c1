"""Making accounts from the command line."""

from __future__ import annotations

import getpass
import os
import secrets
import sys

from deploy.process import settings_here
from deploy.terminal import say
from streams.clock import utc_now
from streams.errors import Rejected
from streams.settings import Settings
from streams.store.opening import open_store
from ui.auth.accounts import Account, Accounts
from ui.auth.sessions import Sessions
from ui.subjects import erasing
from ui.subjects.keys import KNOWN_S


async def add(name: str, display_name: str) -> int:
    """Make an account; its password is asked for, or in CHIPS_PASSWORD, or made up and printed."""
    password, made_up = _password()
    account = await make(settings_here().settings, name, display_name, password)
    say(f"Account {account.name} made.")
    if made_up:
        say(f"Password: {password}")
    return 0


async def make(settings: Settings, name: str, display_name: str, password: str) -> Account:
    """Make an account in the store of these settings."""
    store = await open_store(settings)
    try:
        await store.check()
        return await Accounts(store.records).add(name, display_name, password, ["member"], utc_now())
    finally:
        await store.close()


async def erase(name: str, *, yes: bool) -> int:
    """Erase a person, once that is confirmed."""
    if not yes:
        _confirm(name)
    store = await open_store(settings_here().settings)
    try:
        await store.check()
        records = store.records
        closed = await erasing.erase(name, records, Accounts(records), Sessions(records, utc_now))
    finally:
        await store.close()
    say(
        f"Account {name} erased, {closed} sessions closed. Pages show its texts no more within {KNOWN_S:g} s."
    )
    return 0


def made_up_password() -> str:
    """Make a password of 96 random bits, easy to read aloud."""
    return "-".join(secrets.token_hex(3) for _ in range(4))


def _password() -> tuple[str, bool]:
    given = os.environ.get("CHIPS_PASSWORD")
    if given:
        return given, False
    if not sys.stdin.isatty():
        return made_up_password(), True
    first = getpass.getpass("Password (empty: make one up): ")
    if not first:
        return made_up_password(), True
    if getpass.getpass("Again: ") != first:
        raise Rejected("The two passwords differ: try again.")
    return first, False


def _confirm(name: str) -> None:
    if not sys.stdin.isatty():
        raise Rejected("An erasure can't be undone: confirm it with --yes.")
    typed = input(f"Nobody will be able to read again what {name} wrote. Type the name to go on: ")
    if typed.strip() != name:
        raise Rejected("That is another name: nothing was done.")
