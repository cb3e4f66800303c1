"""A study is pushed; the open page shows its card fill, and a 3D view opens."""

from __future__ import annotations

import pytest

from plugins.phantom.ellipsoid import lay_out
from tests.e2e.conftest import DONE_S, push, until

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(600)]

WATCH = """() => {
  window.__seen = [];
  const look = () => document.querySelectorAll('li[data-feed]').forEach((card) => {
    const {feed, stored, anonymized, state} = card.dataset;
    window.__seen.push([feed, Number(stored), Number(anonymized), state]);
  });
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def test_a_pushed_study_fills_a_card_and_opens_in_3d(stack, visit, phantom, pictures):
    spec, folder, images = phantom
    ana = visit("ana")
    page = ana.page
    page.evaluate("window.__same = true")
    page.evaluate(WATCH)
    feed = push(stack, page, folder, len(images))

    seen = [
        (stored, done, state)
        for which, stored, done, state in page.evaluate("window.__seen")
        if which == feed
    ]
    assert page.evaluate("window.__same"), "the page was reloaded"
    assert "receiving" in {state for _, _, state in seen}
    assert len({done for _, done, _ in seen}) > 2, f"the card did not fill in steps: {seen}"
    counts = [done for _, done, _ in seen]
    assert counts == sorted(counts)
    page.screenshot(path=pictures / "home-dark.png")

    # Nothing of who the phantom says it is reaches the page or the API.
    everything = page.content() + str(stack.session().get(f"/api/feeds/{feed}"))
    for value in (images[0].PatientName.family_name, images[0].PatientID, images[0].StudyInstanceUID):
        assert str(value) not in everything

    page.locator(f"li[data-feed='{feed}'] a").first.click()
    until(page, "window.__chips.viewer.ready()", timeout=DONE_S)
    volume = page.evaluate("window.__chips.viewer.tiles()")
    tile = next(one for one in volume if one["kind"] == "volume")
    axial = next(one for one in volume if one["kind"] == "axial")

    def cells(where):
        return page.evaluate(
            "t => window.__chips.viewer.cells(t.left, t.top, t.width, t.height, 8, 8).flat()", where
        )

    before, slice_before = cells(tile), cells(axial)
    assert max(before) - min(before) > 20, "the volume tile is flat"
    show(page, {"azimuth": page.evaluate("window.__chips.scene().azimuth") + 70})
    after, slice_after = cells(tile), cells(axial)
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) > 5, "turning changed nothing"
    assert max(abs(a - b) for a, b in zip(slice_before, slice_after, strict=True)) < 2, (
        "turning changed a slice"
    )

    # A window in which the body (40 HU) and a marker (900 HU) differ.
    show(page, {"window": [-200, 1000]})
    grid = lay_out(spec)
    for landmark in spec.landmarks[:3]:
        at = list(landmark)
        show(page, {"crosshair": at})
        spots = page.evaluate("p => window.__chips.viewer.project(p)", at)
        spot = next(one for one in spots if one["tile"]["kind"] == "axial")
        assert abs(spot["offPlane"]) < 2.5
        sample = page.evaluate("s => window.__chips.viewer.pick(s.x, s.y)", spot)
        assert max(abs(a - b) for a, b in zip(sample["point"], landmark, strict=True)) < 3.0
        assert sample["value"] > 600, f"no marker (900 HU) at {landmark}: {sample}"
        # The crosshair goes aside, along the rows and columns that the tile shows: its lines hide the marker.
        aside = [
            c + 25 * (r + d) for c, r, d in zip(at, grid.row_direction, grid.column_direction, strict=True)
        ]
        show(page, {"crosshair": aside})
        spots = page.evaluate("p => window.__chips.viewer.project(p)", at)
        spot = next(one for one in spots if one["tile"]["kind"] == "axial")
        assert abs(spot["offPlane"]) < 1.5
        marker = brightness(page, spot["x"], spot["y"])
        body = brightness(page, spot["x"] - 18, spot["y"] - 18)
        assert marker > body + 60, f"marker {marker}, body {body} at {landmark}"
    page.screenshot(path=pictures / "feed-dark.png")


def show(page, scene) -> None:
    """Change the scene and wait until it is drawn: where a tile cuts is known with its picture."""
    page.evaluate(
        "async scene => { window.__chips.viewer.setScene(scene);"
        " for (let i = 0; i < 3; i += 1) await new Promise(requestAnimationFrame); }",
        scene,
    )


def brightness(page, x, y) -> float:
    return sum(page.evaluate("([x, y]) => window.__chips.viewer.pixel(x, y)", [x, y])[:3]) / 3
