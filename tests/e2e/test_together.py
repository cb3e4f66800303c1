"""People see what others say and do, once, whatever the network does meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Visitor, push, until

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(600)]


@pytest.fixture
def pair(stack, visit, phantom):
    """Two people on the page of a feed that is done."""
    _, folder, images = phantom
    ana, ben = visit("ana"), visit("ben")
    feed = push(stack, ana.page, folder, len(images))
    for visitor in (ana, ben):
        visitor.page.goto(f"{stack.url}/feeds/{feed}")
        until(visitor.page, "feed => window.__chips?.lastSeq(feed) > 0", arg=feed)
    return ana, ben, feed


def post(visitor: Visitor, words: str) -> None:
    visitor.page.get_by_placeholder("Write a comment").fill(words)
    visitor.page.get_by_role("button", name="Send").click()


def told(visitor: Visitor, words: str) -> int:
    """Count how often the timeline shows a comment."""
    return visitor.page.locator("li[data-comment]").filter(has_text=words).count()


def eventually(condition: Callable[[], bool], visitor: Visitor, what: str, timeout: float = 60.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout} s: {what}"
        visitor.page.wait_for_timeout(50)


def settled(stack, feed: str, *visitors: Visitor) -> None:
    """Wait until each page is where the server is, with nothing on its way."""
    session = stack.session()

    def same() -> bool:
        (card,) = [card for card in session.cards() if card["feed"] == feed]
        return all(
            visitor.page.evaluate("feed => [window.__chips.lastSeq(feed), window.__chips.pending()]", feed)
            == [card["version"], 0]
            for visitor in visitors
        )

    eventually(same, visitors[0], "pages at the server's version")


def test_a_second_person_sees_a_comment_and_a_tag_at_once(stack, pair, pictures):
    ana, ben, feed = pair
    post(ana, "Look at the upper pole.")
    ben.page.get_by_text("Look at the upper pole.").first.wait_for(timeout=20_000)
    settled(stack, feed, ana, ben)
    assert [told(visitor, "Look at the upper pole.") for visitor in (ana, ben)] == [1, 1]
    ben.page.get_by_role("button", name="Add a tag").click()
    ben.page.get_by_label("Tag", exact=True).fill("follow-up")
    ben.page.keyboard.press("Enter")
    ana.page.get_by_text("follow-up").first.wait_for(timeout=20_000)
    ben.page.screenshot(path=pictures / "feed-comment.png")


def test_a_page_that_was_offline_misses_nothing_and_shows_nothing_twice(stack, pair):
    ana, ben, feed = pair
    ben.context.set_offline(True)
    until(ben.page, "window.__chips.ready === false")
    for words in ("While you were away", "And once more"):
        post(ana, words)
        eventually(lambda words=words: told(ana, words) == 1, ana, "her own comment")
    settled(stack, feed, ana)
    assert told(ben, "While you were away") == 0, "the page was not offline"
    ben.context.set_offline(False)
    until(ben.page, "window.__chips.ready === true", timeout=60.0)
    post(ana, "Now that you are back")
    ben.page.get_by_text("Now that you are back").first.wait_for(timeout=30_000)
    settled(stack, feed, ana, ben)
    for words in ("While you were away", "And once more", "Now that you are back"):
        assert [told(visitor, words) for visitor in (ana, ben)] == [1, 1], words


def test_what_is_written_offline_is_kept_over_a_restart_of_the_server(stack, pair):
    ana, ben, feed = pair
    ana.context.set_offline(True)
    until(ana.page, "window.__chips.ready === false")
    post(ana, "Written offline")
    ana.page.get_by_text("Kept, sent when the connection is back").wait_for()
    assert stack.kill("ui")
    until(ben.page, "window.__chips.ready === false")
    stack.until(stack.ready, 60, "the page's server")
    until(ben.page, "window.__chips.ready === true", timeout=60.0)
    assert told(ben, "Written offline") == 0
    ana.context.set_offline(False)
    ben.page.get_by_text("Written offline").first.wait_for(timeout=60_000)
    settled(stack, feed, ana, ben)
    assert [told(visitor, "Written offline") for visitor in (ana, ben)] == [1, 1]
