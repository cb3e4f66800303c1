"""What does not come out, or came in two forms, is told on the open page, with its reason."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import push, until

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(600)]

BURNED_IN = "The image says that text is burned into its pixels."
SCREEN = "It looks like a captured screen, which can name the patient."


def test_a_card_says_why_images_are_in_quarantine(stack, visit, phantom, pictures):
    _, folder, images = phantom
    for number, image in enumerate(images[:2]):
        image.BurnedInAnnotation = "YES"
        image.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
    images[2].ImageType = ["DERIVED", "SECONDARY", "SCREEN SAVE"]
    images[2].save_as(folder / "0002.dcm", enforce_file_format=True)
    ana = visit("ana")
    page = ana.page
    page.evaluate("window.__same = true")
    feed = push(stack, page, folder, len(images) - 3, state="attention")

    card = page.locator(f"li[data-feed='{feed}']")
    why = card.get_by_role("button", name=f"2 in quarantine · {BURNED_IN} +1 more")
    why.wait_for()
    why.focus()
    page.keyboard.press("Enter")
    reasons = page.get_by_role("dialog").locator("li")
    reasons.first.wait_for()
    assert reasons.all_inner_texts() == [f"{BURNED_IN}\n2", f"{SCREEN}\n1"]
    page.screenshot(path=pictures / "home-reasons.png")
    page.keyboard.press("Escape")
    reasons.first.wait_for(state="detached")
    assert why.evaluate("button => button === document.activeElement"), "the focus is lost"
    assert page.evaluate("window.__same"), "the page was reloaded"

    phone = visit("ben", viewport={"width": 390, "height": 844}, has_touch=True).page
    why = phone.locator(f"li[data-feed='{feed}'] button")
    why.scroll_into_view_if_needed()
    assert why.bounding_box()["height"] >= 44
    why.tap()
    phone.get_by_role("dialog").get_by_text(SCREEN).wait_for()
    assert phone.url == f"{stack.url}/", "the tap opened the card"


def test_a_conflict_shows_on_the_card_and_on_the_page_of_its_series(stack, visit, phantom):
    _, folder, images = phantom
    other = images[5]
    other.PixelData = other.pixel_array[::-1].tobytes()
    other.save_as(folder / "again.dcm", enforce_file_format=True)
    page = visit("ana").page
    feed = push(stack, page, folder, len(images), state="attention")
    page.locator(f"li[data-feed='{feed}']").get_by_text("1 conflict").wait_for()

    page.locator(f"li[data-feed='{feed}'] a").first.click()
    series = page.locator("button[data-series]")
    series.get_by_text("1 conflict").wait_for()
    until(page, "document.querySelectorAll('[data-measure]').length > 0")
    assert series.get_by_text("Done").count() == 1
    assert series.get_by_text(f"{len(images)} images").count() == 1
    assert page.get_by_text("uarantine").count() == 0
    page.get_by_text("1 image came again with other bytes under the same identifier.").wait_for()
