"""Every page is accessible, and nothing scrolls sideways, in both themes, on a desk and on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.e2e.conftest import DONE_S, push, until

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(600)]

VIEWPORTS = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


STILL = """() => document.getAnimations().every(({effect, playState}) =>
  playState === 'finished' || effect.getComputedTiming().endTime === Infinity)"""
"""Colours are judged when nothing fades any more; what moves for ever is no fading."""


def check(page, what: str) -> None:
    until(page, STILL)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, f"{what} scrolls sideways by {wide} px"
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, f"{what}: {found.generate_report()}"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_page_is_accessible_in_both_themes_and_on_a_phone(stack, visit, phantom, pictures, scheme):
    _, folder, images = phantom
    images[0].BurnedInAnnotation = "YES"
    images[0].save_as(folder / "0000.dcm", enforce_file_format=True)
    page = visit("ana", color_scheme=scheme).page
    feed = push(stack, page, folder, len(images) - 1, state="attention")
    for name, viewport in VIEWPORTS.items():
        page.set_viewport_size(viewport)
        for path in ("/", f"/feeds/{feed}"):
            page.goto(stack.url + path)
            until(page, "window.__chips?.ready === true")
            if path == "/":
                page.locator(f"li[data-feed='{feed}'] img").first.wait_for()
            else:
                until(page, "window.__chips.viewer.ready()", timeout=DONE_S)
            shown = f"{'home' if path == '/' else 'feed'}-{name}-{scheme}"
            page.screenshot(path=pictures / f"{shown}.png")
            check(page, shown)
        page.goto(stack.url)
        page.locator(f"li[data-feed='{feed}'] button").click()
        page.get_by_role("dialog").wait_for()
        until(page, "getComputedStyle(document.querySelector('[role=dialog]')).opacity === '1'")
        check(page, f"reasons-{name}-{scheme}")


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("name", VIEWPORTS)
def test_the_login_page_is_accessible_before_and_after_a_refusal(stack, browser, pictures, scheme, name):
    context = browser.new_context(viewport=VIEWPORTS[name], color_scheme=scheme)
    page = context.new_page()
    page.goto(stack.url)
    page.get_by_label("Name").fill(f"nobody-{name}-{scheme}")
    page.screenshot(path=pictures / f"login-{name}-{scheme}.png")
    check(page, f"login-{name}-{scheme}")
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").get_by_text("Name or password is wrong.").wait_for()
    check(page, f"login-refused-{name}-{scheme}")
    context.close()


def test_a_list_that_is_not_whole_says_so(stack, visit):
    page = visit("ana").page
    whole = stack.session().get("/api/feeds")
    page.get_by_role("heading", name="Feeds", level=1).wait_for()
    assert page.get_by_text("Showing the newest").count() == 0
    page.route("**/api/feeds", lambda route: route.fulfill(json=whole | {"more": True}))
    page.reload()
    page.get_by_text(f"Showing the newest {len(whole['cards'])} feeds.").wait_for()
