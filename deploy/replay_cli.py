"""``chips replay``: its commands and their help; the work is `deploy.replay`'s."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from cyclopts import App, Parameter

from deploy.exits import finish

replay = App(
    name="replay", help="Look at what happened, make views again, compare, and free parked messages."
)


@replay.command(name="tail")
def replay_tail(
    *,
    type: str | None = None,  # noqa: A002 - the option's name, as CloudEvents calls it
    stream: str | None = None,
    correlation: str | None = None,
    beginning: Annotated[bool, Parameter(negative="")] = False,
    follow: bool = True,
) -> int:
    """Print events as JSON lines.

    Parameters
    ----------
    type
        Only types that begin so, for example chips.feed.
    stream
        Only this stream, for example feed/default/….
    correlation
        Only this story.
    beginning
        From the beginning of the topics instead of from now.
    follow
        Go on with what comes; --no-follow prints what is kept now, and ends.
    """
    from deploy.replay import tail as work

    return finish(
        work(type_prefix=type, stream=stream, correlation=correlation, beginning=beginning, follow=follow)
    )


@replay.command(name="rebuild")
def replay_rebuild(view: Literal["card", "feed", "timeline"], *, at: datetime | None = None) -> int:
    """Make a view again from the store alone, into a new generation, then switch to it.

    With --at it prints the view as it was, a JSON line a row, and writes nothing.

    Parameters
    ----------
    view
        The view.
    at
        As it was at this time (UTC, unless it says its zone), for example 2026-01-31T12:00:00.
    """
    from deploy.replay import rebuild as work

    return finish(work(view, at))


@replay.command(name="diff")
def replay_diff(view: Literal["card", "feed", "timeline"]) -> int:
    """Compare a view with what the store says it should be; exit status 1 when they differ.

    Parameters
    ----------
    view
        The view.
    """
    from deploy.replay import diff as work

    return finish(work(view))


dlq = App(name="dlq", help="Messages that could not be handled, and the keys that wait behind them.")
replay.command(dlq)


@dlq.command(name="list")
def dlq_list() -> int:
    """List dead letters and parked keys."""
    from deploy.replay import dlq_list as work

    return finish(work())


@dlq.command(name="show")
def dlq_show(letter: str) -> int:
    """Show one dead letter: where it came from, why it stopped, its bytes.

    Parameters
    ----------
    letter
        As `list` names it: agent/partition/offset.
    """
    from deploy.replay import dlq_show as work

    return finish(work(letter))


@dlq.command(name="release")
def dlq_release(letter: str) -> int:
    """Send a dead letter again to where it came from and let its key go on.

    Parameters
    ----------
    letter
        As `list` names it: agent/partition/offset.
    """
    from deploy.replay import dlq_release as work

    return finish(work(letter))
