from __future__ import annotations

import itertools
import os
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from plugins.phantom.ellipsoid import draw_spec
from plugins.phantom.series import series_of
from tests.dcmtk import dcmtk
from tests.stack import PASSWORD, Stack, running
from tests.tiers import TIERS, tier

FLAGS = [
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-gpu",
    "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DONE_S = 120.0
"""From the last image to a card that is done, s, on a busy machine."""

SEEDS = itertools.count(1)
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        # Without WebGL 2 every picture would be the same: a test that cannot fail.
        renderer = page.evaluate(
            "() => { const gl = document.createElement('canvas').getContext('webgl2');"
            " const e = gl && gl.getExtension('WEBGL_debug_renderer_info');"
            " return gl && (e ? gl.getParameter(e.UNMASKED_RENDERER_WEBGL) : 'webgl2'); }"
        )
        assert renderer, "this browser offers no WebGL 2"
        page.close()
        yield browser
        browser.close()


@pytest.fixture(scope="session", params=TIERS)
def stack(request, tmp_path_factory, docker_socket):
    """A whole CHIPS, with Docker Engine, on the embedded and on the real tier."""
    folder = tmp_path_factory.mktemp(f"e2e-{request.param}")
    with tier(request.param, folder) as engines:
        stack = Stack(
            folder / "chips",
            {
                **engines.environment,
                "CHIPS_ISOLATION": "docker",
                "CHIPS_DOCKER_HOST": docker_socket,
                "CHIPS_PLUGIN_BASE": "chips-base:bookworm",
            },
        )
        with running(stack):
            stack.add_user("ben", "Ben Ortiz")
            yield stack


@pytest.fixture
def pictures(request) -> Path:
    """Where screenshots go; kept when CHIPS_TEST_PICTURES names a folder."""
    folder = Path(os.environ.get("CHIPS_TEST_PICTURES", "build/pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def until(page: Page, expression: str, *, arg: object = None, timeout: float = 30.0) -> None:
    """Wait for a condition of the page, s.

    Playwright's own waiting evaluates in the page, which our Content-Security-Policy rightly forbids.
    """
    deadline = time.monotonic() + timeout
    while not page.evaluate(expression, arg):
        assert time.monotonic() < deadline, f"waited {timeout} s for {expression} ({arg})"
        page.wait_for_timeout(50)


class Visitor:
    """A person at a browser."""

    def __init__(self, browser: Browser, stack: Stack, name: str, **options) -> None:
        self.stack = stack
        self.context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        self.context.add_init_script("localStorage.setItem('chipsTest', '1')")
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(stack.url)
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        until(self.page, "window.__chips?.ready === true")

    def close(self) -> None:
        assert self.errors == []
        self.context.close()


@pytest.fixture
def visit(browser, stack):
    visitors: list[Visitor] = []

    def come(name: str, **options) -> Visitor:
        visitors.append(Visitor(browser, stack, name, **options))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.close()


def storescu(stack: Stack, folder: Path) -> None:
    """Send a folder as a scanner does, with dcmtk."""
    subprocess.run(
        [dcmtk("storescu"), "-aec", "CHIPS", "+sd", "+r", "127.0.0.1", str(stack.dicom_port), str(folder)],
        check=True,
        timeout=120,
        capture_output=True,
    )


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


def feeds(page: Page) -> set[str]:
    return set(page.eval_on_selector_all("li[data-feed]", "cards => cards.map(card => card.dataset.feed)"))


def push(stack: Stack, page: Page, folder: Path, count: int, state: str = "done") -> str:
    """Send a study and wait until its card, new on this page, has all images and is in a state."""
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
        "([feed, count, state]) => { const c = document.querySelector(`li[data-feed='${feed}']`);"
        " return c.dataset.state === state && Number(c.dataset.anonymized) === count; }",
        arg=[feed, count, state],
        timeout=DONE_S,
    )
    card.locator("img").first.wait_for()
    return feed
