"""From the wire to the page: what a series lacks is seen, and nothing runs on it before it is whole."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import dcmread

from tests.phantoms import write_studies
from tests.stack import Stack, running, wait_quiescent
from tests.tiers import TIERS, tier

IMAGES = 24


@pytest.mark.slow
@pytest.mark.parametrize("name", TIERS)
def test_a_series_with_a_hole_is_held_back_until_it_is_whole(name, tmp_path):
    files = write_studies(tmp_path / "studies", seed=9, images=IMAGES, series=1)
    late = tmp_path / "late"
    late.mkdir()
    for file in files[10:12]:
        file.rename(late / file.name)
    series_uid = str(dcmread(files[0], specific_tags=["SeriesInstanceUID"]).SeriesInstanceUID)
    with tier(name, tmp_path) as engines:
        stack = Stack(tmp_path / "chips", {**engines.environment, "CHIPS_ISOLATION": "subprocess"})
        target = f"127.0.0.1:{stack.dicom_port}"
        with running(stack):
            ana = stack.session()

            def series(grade: str, version: int) -> Any:
                for card in ana.cards():
                    (one,) = ana.get(f"/api/feeds/{card['feed']}")["detail"]["series"]
                    if one.get("completeness", {}).get("grade") == grade and one["version"] == version:
                        return one
                return None

            stack.chips("send", str(tmp_path / "studies"), target)
            held = stack.until(lambda: series("partial", 1), 60, "a partial series")
            assert held["completeness"]["lacks"] == ["number-gap", "position-gap"]
            assert held["completeness"]["gaps"] == [{"first": 11, "last": 12}]
            assert held["completeness"]["missing"] == 2
            wait_quiescent(stack, 60)
            (card,) = ana.cards()
            assert (card["state"], card["partial"], card["missing"], card["measured"]) == (
                "attention",
                1,
                2,
                0,
            )

            stack.chips("send", str(late), target)
            whole = stack.until(lambda: series("complete_assumed", 2), 60, "a whole series")
            assert (whole["completeness"]["numbers"], whole["completeness"]["positions"]) == (
                "contiguous",
                "uniform",
            )
            stack.until(lambda: ana.cards()[0]["measured"] == 1, 90, "its measures")

            stack.chips("announce", series_uid, "--instances", str(IMAGES + 1))
            short = stack.until(lambda: series("partial", 2), 60, "the shortfall")
            assert (short["completeness"]["lacks"], short["completeness"]["missing"]) == (["shortfall"], 1)
            assert short["run"]["state"] == "succeeded"
            stack.chips("announce", series_uid, "--instances", str(IMAGES))
            stack.until(lambda: series("complete_expected", 2), 60, "all that was announced")
            wait_quiescent(stack, 60)
            (card,) = ana.cards()
            assert (card["state"], card["measured"], card.get("partial")) == ("done", 1, None)
            for view in ("card", "feed", "timeline"):
                assert "no difference" in stack.chips("replay", "diff", view).stdout.lower()
