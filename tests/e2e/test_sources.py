"""The page of who sends: live from the first connection to the series that lacks something."""

from __future__ import annotations

import pytest

from tests.door import CT, associated, encoded, image, rejection_of, store_bytes
from tests.e2e.conftest import until
from tests.e2e.test_look import VIEWPORTS, check
from tests.stack import Stack, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SOURCES = """
[source.ct-2]
calling_ae = ["TESTER"]
[source.mr-1]
calling_ae = ["MR1"]
reply = {host = "127.0.0.1", port = 1, ae = "MR1"}
"""
VALUE = (
    "([name, value]) => document.querySelector(`[data-source='${name}'] [data-value=${value}]`)?.textContent"
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A whole CHIPS with a file of sources; nothing here needs containers."""
    folder = tmp_path_factory.mktemp("e2e-sources")
    file = folder / "sources.toml"
    file.write_text(SOURCES)
    stack = Stack(folder / "chips", {"CHIPS_SOURCES_FILE": str(file)})
    with running(stack):
        stack.add_user("ben", "Ben Ortiz")
        yield stack


def shows(page, name: str, value: str, wanted: str) -> None:
    until(
        page,
        f"([name, value, wanted]) => ({VALUE})([name, value])?.startsWith(wanted)",
        arg=[name, value, wanted],
    )


def test_who_sends_what_was_refused_and_what_is_missing(stack, visit, pictures):
    page = visit("ana").page
    page.get_by_role("link", name="Sources").click()
    page.get_by_role("heading", name="Nobody has connected yet").wait_for()
    assert page.get_by_text(str(stack.dicom_port)).count() == 1
    assert page.get_by_text("Never seen").count() == 2
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=pictures / f"sources-empty-{theme}.png")
        check(page, f"sources-empty-{theme}")
    page.evaluate("window.__same = true")

    with associated(stack.dicom_port, [CT]) as association:
        shows(page, "ct-2", "open", "1")
        assert page.get_by_text("Nobody has connected yet").count() == 0
        for number in (1, 2, 5):
            one = image("1.2.3.4", number=number)
            assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0
        shows(page, "ct-2", "minute", "3 ")
        broken = image()
        store_bytes(association, encoded(broken)[:200], broken.SOPInstanceUID)
    shows(page, "ct-2", "open", "0")
    assert rejection_of(stack.dicom_port, "STRANGER") == (1, 1, 3)

    stranger = page.locator("[data-source='STRANGER']")
    stranger.get_by_text("1 refused in the last hour").wait_for()
    stranger.locator("summary").click()
    stranger.get_by_text("Add the AE title to the file of sources").wait_for()
    ct = page.locator("[data-source='ct-2']")
    ct.locator("[data-reason=truncated]").wait_for(state="attached")
    ct.get_by_text("1 series is incomplete").wait_for()
    for summary in ct.locator("summary").all():
        summary.focus()
        page.keyboard.press("Enter")
    series = ct.locator("[data-series][data-state=partial]")
    series.get_by_text("2 missing").wait_for()
    series.get_by_text("Instance numbers are missing.").wait_for()
    assert page.evaluate("window.__same"), "the page was reloaded"

    mr = page.locator("[data-source='mr-1']")
    mr.get_by_text("Not tested.").wait_for()
    assert stack.chips("sources", "test", "mr-1", check=False).returncode == 1
    mr.get_by_text("No connection").wait_for()

    for name, viewport in VIEWPORTS.items():
        page.set_viewport_size(viewport)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=pictures / f"sources-{name}-{theme}.png", full_page=name == "phone")
            check(page, f"sources-{name}-{theme}")

    page.reload()
    shows(page, "ct-2", "all", "3 ")
    page.locator("[data-source='ct-2'] [data-incomplete] summary").click()
    page.locator("[data-source='ct-2'] [data-series] a").click()
    page.wait_for_url("**/feeds/*")
    page.get_by_text("Held back").first.wait_for()
