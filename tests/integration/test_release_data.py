"""The data that released versions left opens in this one, goes on, and data of a later one is refused."""

from __future__ import annotations

import sqlite3
import tarfile
from pathlib import Path

import msgspec
import pytest

from schemas.catalogue import AGENTS
from schemas.views import Card, FeedDetail, TimelineRow
from streams.log.formats import FORMAT as BUS_FORMAT
from streams.store.stamp import FORMAT, KEY, KIND
from tests.data import make
from tests.stack import Stack, wait_quiescent

ARCHIVES = sorted(make.FOLDER.glob("*/data.tar.gz"))
PROCESSES = [*(["agents", name] for name in AGENTS), ["runner"], ["ui"], ["up"], ["migrate"]]
"""The gateway has no store, and does without its bus: it keeps what it receives in its journal."""

SHOWN = {"card": Card, "feed": FeedDetail, "timeline": TimelineRow}


def unpacked(archive: Path, folder: Path) -> Stack:
    folder.mkdir()
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return Stack(folder, {"CHIPS_ISOLATION": "subprocess"})


def test_the_first_release_is_kept_and_small():
    assert ARCHIVES[0].parent.name == "0.1"
    assert all(archive.stat().st_size < 1 << 20 for archive in ARCHIVES)


@pytest.mark.slow
@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.parent.name)
def test_kept_data_opens_and_goes_on(archive, tmp_path):
    early, late = make.studies(tmp_path / "studies")
    for file in early:
        file.unlink()
    stack = unpacked(archive, tmp_path / "chips")
    stack.chips("migrate")
    stack.start()
    try:
        session = stack.session()
        (card,) = session.cards()
        assert (card["title"], card["measured"], card["anonymized"]) == (make.TITLE, 1, len(early))
        feed = session.get(f"/api/feeds/{card['feed']}")["detail"]
        assert [comment["text"] for comment in feed["comments"]] == [make.COMMENT]
        (series,) = feed["series"]
        assert series["version"] == 1
        before = {measure["name"]: measure["value"] for measure in series["run"]["measures"]}
        assert before

        stack.chips("send", *map(str, late), f"127.0.0.1:{stack.dicom_port}")

        def again() -> bool:
            (now,) = session.get(f"/api/feeds/{card['feed']}")["detail"]["series"]
            return now["version"] == 2 and bool(now["run"]) and now["run"]["state"] == "succeeded"

        stack.until(again, 90, "the reopened series, measured again")
        wait_quiescent(stack, 60)
        (now,) = session.cards()
        assert (now["anonymized"], now["measured"], now["comments"]) == (make.IMAGES, 1, 1)
        for view in ("card", "feed", "timeline"):
            assert "no difference" in stack.chips("replay", "diff", view).stdout.lower()
    finally:
        assert stack.stop() == 0


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.parent.name)
def test_rows_of_kept_views_still_decode(archive, tmp_path):
    stack = unpacked(archive, tmp_path / "chips")
    with sqlite3.connect(stack.settings.path("store")) as db:
        kept = list(db.execute("SELECT view, body FROM view_row"))
    assert {view for view, _ in kept} == set(SHOWN)
    for view, body in kept:
        msgspec.json.decode(body, type=SHOWN[view])


def newer_store(stack: Stack) -> int:
    with sqlite3.connect(stack.settings.path("store")) as db:
        (body,) = db.execute("SELECT body FROM record WHERE kind=? AND key=?", (KIND, KEY)).fetchone()
        stamp = msgspec.json.decode(body) | {"format": FORMAT + 1, "written_by": "9.9"}
        db.execute("UPDATE record SET body=? WHERE kind=? AND key=?", (msgspec.json.encode(stamp), KIND, KEY))
    return FORMAT + 1


def newer_bus(stack: Stack) -> int:
    with sqlite3.connect(stack.settings.path("bus") / "bus.db") as db:
        db.execute(f"PRAGMA user_version={BUS_FORMAT + 1}")
    return BUS_FORMAT + 1


@pytest.mark.slow
@pytest.mark.parametrize("make_newer", [newer_store, newer_bus])
def test_data_of_a_later_release_is_refused_by_every_process(make_newer, tmp_path):
    stack = unpacked(ARCHIVES[-1], tmp_path / "chips")
    newer = make_newer(stack)
    for arguments in PROCESSES:
        refused = stack.chips(*arguments, timeout=60, check=False)
        said = refused.stderr + refused.stdout
        assert refused.returncode in {64, 78}, (arguments, refused.returncode, said)
        assert f"has format {newer}" in said, arguments
        assert "newer" in said, arguments
