"""``chips user``: its commands and their help; the work is `deploy.users`'."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from deploy import users as work
from deploy.exits import finish

user = App(name="user", help="Accounts.")


@user.command(name="add")
def user_add(name: str, *, display_name: str | None = None) -> int:
    """Make an account. Asks for the password, or takes it from CHIPS_PASSWORD, or makes one and prints it.

    Parameters
    ----------
    name
        What to log in with.
    display_name
        What others see.
    """
    return finish(work.add(name, display_name or name))


@user.command(name="erase")
def user_erase(name: str, *, yes: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Erase a person: nobody can read what they wrote any more, and nothing says who they were.

    Destroys the key of their comments, closes their sessions, removes credentials and display name. The
    history keeps its shape: that something was said, where and when. It can't be undone.

    Parameters
    ----------
    name
        What the person logs in with.
    yes
        Do not ask.
    """
    return finish(work.erase(name, yes=yes))
