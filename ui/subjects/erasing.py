"""Erasing a person: what they wrote can't be read any more, and nothing says who they were."""

from __future__ import annotations

from streams.errors import Rejected
from streams.store.api import Records
from ui.auth.accounts import Accounts
from ui.auth.sessions import Sessions
from ui.subjects.keys import destroy


async def erase(name: str, records: Records, accounts: Accounts, sessions: Sessions) -> int:
    """Destroy the person's key, take their account away and close their sessions; return how many those were.

    The name goes last, so that an erasure that was interrupted is done again by it.

    Raises
    ------
    streams.errors.Rejected
        When there is no such account.
    streams.errors.Unavailable
        When the store is away; do it again.
    """
    owner = await accounts.owner(name)
    if owner is None:
        raise Rejected(f"There is no account {name}: `chips user add` makes one.")
    await destroy(records, owner)
    await accounts.remove(owner)
    # A login that was under way looks for its account once more after this: see `ui.api.session`.
    closed = await sessions.close_all(owner)
    await accounts.release(name)
    return closed
