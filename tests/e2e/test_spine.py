"""A study is pushed; the open page shows its card fill, and a 3D view opens; others see what is said."""

from __future__ import annotations

import itertools

import pytest
from axe_playwright_python.sync_playwright import Axe

from plugins.phantom.ellipsoid import draw_spec, lay_out
from plugins.phantom.series import series_of
from tests.e2e.conftest import storescu, until

pytestmark = [pytest.mark.browser, pytest.mark.docker, pytest.mark.timeout(600)]

SEEDS = itertools.count(1)
DONE_S = 120.0

WATCH = """() => {
  window.__seen = [];
  const look = () => document.querySelectorAll('li[data-feed]').forEach((card) => {
    const {feed, stored, anonymized, state} = card.dataset;
    window.__seen.push([feed, Number(stored), Number(anonymized), state]);
  });
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


@pytest.fixture
def phantom(tmp_path):
    """A small CT phantom of a patient whom nobody sent before."""
    spec = draw_spec(
        next(SEEDS), axes_mm=(50.0, 60.0, 55.0), spacing_mm=(2.0, 2.0, 2.0), rotation=(8.0, -5.0, 12.0),
        tilt=0.0, noise=5.0, modality="CT",
    )  # fmt: skip
    folder = tmp_path / "study"
    folder.mkdir()
    images = series_of(spec)
    for number, image in enumerate(images):
        image.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
    return spec, folder, images


def feeds(page) -> set[str]:
    return set(page.eval_on_selector_all("li[data-feed]", "cards => cards.map(card => card.dataset.feed)"))


def push(stack, page, folder, count) -> str:
    """Send a study and wait until its card, new on this page, is done."""
    before = feeds(page)
    storescu(stack, folder)
    until(
        page,
        "before => [...document.querySelectorAll('li[data-feed]')]"
        ".some(card => !before.includes(card.dataset.feed))",
        arg=list(before),
        timeout=DONE_S,
    )
    (feed,) = feeds(page) - before
    card = page.locator(f"li[data-feed='{feed}']")
    until(
        page,
        "([feed, count]) => { const c = document.querySelector(`li[data-feed='${feed}']`);"
        " return c.dataset.state === 'done' && Number(c.dataset.anonymized) === count; }",
        arg=[feed, count],
        timeout=DONE_S,
    )
    card.locator("img").first.wait_for()
    return feed


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


def test_a_second_person_sees_a_comment_and_a_tag_at_once(stack, visit, phantom, pictures):
    _, folder, images = phantom
    ana, ben = visit("ana"), visit("ben")
    feed = push(stack, ana.page, folder, len(images))
    for visitor in (ana, ben):
        visitor.page.goto(f"{stack.url}/feeds/{feed}")
        until(visitor.page, "feed => window.__chips?.lastSeq(feed) > 0", arg=feed)
    ana.page.get_by_placeholder("Write a comment").fill("Look at the upper pole.")
    ana.page.get_by_role("button", name="Send").click()
    ben.page.get_by_text("Look at the upper pole.").first.wait_for(timeout=20_000)
    until(ana.page, "window.__chips.pending() === 0")
    assert (
        ana.page.get_by_text("Look at the upper pole.").count()
        == ben.page.get_by_text("Look at the upper pole.").count()
    ), "the author sees it as often as others: once a place"
    ben.page.get_by_role("button", name="Add a tag").click()
    ben.page.get_by_label("Tag", exact=True).fill("follow-up")
    ben.page.keyboard.press("Enter")
    ana.page.get_by_text("follow-up").first.wait_for(timeout=20_000)
    ben.page.screenshot(path=pictures / "feed-comment.png")


def test_a_page_that_was_offline_misses_nothing(stack, visit, phantom):
    _, folder, images = phantom
    ana, ben = visit("ana"), visit("ben")
    feed = push(stack, ana.page, folder, len(images))
    for visitor in (ana, ben):
        visitor.page.goto(f"{stack.url}/feeds/{feed}")
        until(visitor.page, "feed => window.__chips?.lastSeq(feed) > 0", arg=feed)
    assert stack.kill("ui")
    until(ana.page, "window.__chips.ready === false")
    stack.until(stack.ready, 60, "the page's server")
    for visitor in (ana, ben):
        until(visitor.page, "window.__chips.ready === true", timeout=60.0)
    ana.page.get_by_placeholder("Write a comment").fill("After the restart")
    ana.page.get_by_role("button", name="Send").click()
    ben.page.get_by_text("After the restart").first.wait_for(timeout=30_000)
    versions = [v.page.evaluate("feed => window.__chips.lastSeq(feed)", feed) for v in (ana, ben)]
    card = next(card for card in stack.session().cards() if card["feed"] == feed)
    assert versions == [card["version"]] * 2


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_page_is_accessible_in_both_themes_and_on_a_phone(stack, visit, phantom, pictures, scheme):
    _, folder, images = phantom
    phone = {"width": 390, "height": 844}
    ana = visit("ana", color_scheme=scheme)
    feed = push(stack, ana.page, folder, len(images))
    for name, viewport in (("desk", {"width": 1440, "height": 900}), ("phone", phone)):
        ana.page.set_viewport_size(viewport)
        for path in ("/", f"/feeds/{feed}"):
            ana.page.goto(stack.url + path)
            until(ana.page, "window.__chips?.ready === true")
            if path != "/":
                until(ana.page, "window.__chips.viewer.ready()", timeout=DONE_S)
            else:
                ana.page.locator("li[data-feed] img").first.wait_for()
            ana.page.screenshot(path=pictures / f"{'home' if path == '/' else 'feed'}-{name}-{scheme}.png")
            wide = ana.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert wide <= 0, f"{path} scrolls sideways by {wide} px on the {name}"
            found = Axe().run(
                ana.page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
            )
            assert found.violations_count == 0, found.generate_report()
