"""The demo's verdict: what was sent and what the cards show."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import msgspec
import pytest
from pydicom.data import get_testdata_file

from deploy.demo import login, studies
from deploy.demo.outcome import Phantom, judge, tolerance_ml
from deploy.migrate import apply
from gateway.identity import ProjectKey, series_key
from plugins.phantom.types import PhantomSpec
from schemas.image import ReasonCount
from schemas.job import Finding, Measure
from schemas.pacs import Completeness
from schemas.views import Card, FeedDetail, RunView, SeriesView
from streams.settings import Settings
from streams.store.opening import open_store
from ui.auth.accounts import Accounts

SPEC = PhantomSpec(seed=1, axes_mm=(20.0, 20.0, 20.0), spacing_mm=(1.0, 1.0, 1.0))
PHANTOM, OTHER = "a" * 32, "b" * 32
SENT = {PHANTOM: 40, OTHER: 3}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CARD = Card(
    project="default", feed="f" * 8, version=1, title="A study", tags=[], state="done", created=NOW,
    updated=NOW, patients=[], studies=1, series=[], modalities=[], attributes={}, anonymized=0,
    quarantined=0, conflicts=0, measured=0, not_volumes=0, failed=0, comments=0, people=[], pictures=[],
    steps=[],
)  # fmt: skip


def run(**changes):
    return RunView(**{"job": "j", "plugin": "p", "state": "succeeded", "version": 1, **changes})


def measured(ml):
    volume = Measure(name="foreground_volume", value=ml, unit="mL")
    return run(outcome="measured", measures=[volume])


def series(key, images, **changes):
    view = SeriesView(study="s", series=key, modality="CT", version=1, anonymized=images)
    return msgspec.structs.replace(view, **changes)


GOOD_PHANTOM = series(PHANTOM, 40, run=measured(SPEC.volume_ml))
GOOD_OTHER = series(OTHER, 3, run=measured(7.0))
NO_IMAGE = Finding(code="no-spacing", severity="error", message="There is no spacing.")
REASON = ReasonCount(reason="burned-in", message="It may show a name.", instances=3)


def verdict(*views):
    details = [FeedDetail(card=CARD, inputs=[], series=[view], comments=[]) for view in views]
    return judge(details, SENT, Phantom(SPEC, PHANTOM))


@pytest.mark.parametrize(
    "other",
    [
        GOOD_OTHER,
        series(OTHER, 0, quarantined=3, reasons=[REASON]),
        series(OTHER, 2, quarantined=1, reasons=[REASON], run=measured(7.0)),
        series(OTHER, 3, run=run(outcome="not_a_volume", findings=[NO_IMAGE])),
        series(OTHER, 3, completeness=Completeness(grade="partial", received=3, lacks=["number-gap"])),
    ],
    ids=["measured", "quarantined", "partly quarantined", "not a volume", "incomplete"],
)
def test_it_is_well_when_all_that_was_sent_has_its_outcome(other):
    found = verdict(GOOD_PHANTOM, other)
    assert (found.settled, found.well, found.lost) == (True, True, {})
    assert found.studies == 2


@pytest.mark.parametrize(
    ("other", "settled"),
    [
        (series(OTHER, 3, run=run(state="failed", cause="no memory")), True),
        (series(OTHER, 0, quarantined=3), True),
        (series(OTHER, 3, run=run(outcome="not_a_volume")), True),
        (series(OTHER, 3, run=run(state="running")), False),
        (series(OTHER, 3, run=None), False),
        (series(OTHER, 3, version=0), False),
    ],
    ids=["failed", "no reason", "no finding", "running", "waiting", "arriving"],
)
def test_it_is_not_well_when_one_has_not(other, settled):
    found = verdict(GOOD_PHANTOM, other)
    assert (found.settled, found.well) == (settled, False)


def test_a_series_without_a_card_is_lost():
    found = verdict(GOOD_PHANTOM)
    assert (found.settled, found.well, found.lost) == (False, False, {OTHER: 3})


def test_an_image_that_is_on_no_card_is_lost():
    found = verdict(GOOD_PHANTOM, series(OTHER, 2, run=measured(7.0)))
    assert (found.settled, found.well, found.lost) == (False, False, {OTHER: 1})


def test_nothing_at_all_is_not_well():
    found = verdict()
    assert (found.well, found.lost) == (False, SENT)


@pytest.mark.parametrize(("off", "right"), [(0.99, True), (-0.99, True), (1.01, False), (-1.01, False)])
def test_the_phantom_is_right_within_one_voxel_layer(off, right):
    ml = SPEC.volume_ml + off * tolerance_ml(SPEC)
    found = verdict(series(PHANTOM, 40, run=measured(ml)), GOOD_OTHER)
    assert (found.phantom_ml, found.phantom_is_right, found.well) == (ml, right, right)


def test_a_phantom_that_was_not_measured_is_wrong():
    found = verdict(series(PHANTOM, 40, run=run(outcome="not_a_volume", findings=[NO_IMAGE])), GOOD_OTHER)
    assert (found.phantom_ml, found.well) == (None, False)


def test_what_is_sent_is_counted_as_the_gateway_names_it(tmp_path):
    key = ProjectKey(project="default", secret=b"k" * 32)
    source = get_testdata_file("CT_small.dcm", download=False)
    for name in ("one.dcm", "again.dcm"):
        shutil.copyfile(source, tmp_path / name)
    (tmp_path / "note.txt").write_text("no image")
    uid = "1.3.6.1.4.1.5962.1.3.1.1.20040119072730.12322"
    assert studies.series_of_files(tmp_path, key) == {series_key(key, uid): 1}


@pytest.fixture
async def settings(tmp_path):
    settings = Settings(data=str(tmp_path / "data"))
    await apply(settings)
    return settings


async def enters(settings, account):
    store = await open_store(settings)
    try:
        return await Accounts(store.records).authenticate(account.name, account.password) is not None
    finally:
        await store.close()


async def test_a_kept_folder_keeps_its_login(settings, tmp_path):
    first = await login.ensure(settings, tmp_path)
    assert await enters(settings, first)
    again = await login.ensure(settings, tmp_path)
    assert again == first
    assert first.password in str(again)
    assert (tmp_path / "login").stat().st_mode & 0o077 == 0


async def test_a_password_that_was_kept_before_a_crash_becomes_the_accounts(settings, tmp_path):
    (tmp_path / "login").write_text("kept-before-the-crash\n")
    account = await login.ensure(settings, tmp_path)
    assert account.password == "kept-before-the-crash"
    assert await enters(settings, account)


async def test_a_login_whose_password_is_gone_is_not_told_wrongly(settings, tmp_path):
    await login.ensure(settings, tmp_path)
    (tmp_path / "login").unlink()
    account = await login.ensure(settings, tmp_path)
    assert account.password is None
    assert str(account) == "login demo, with the password that it was made with"
    assert not (tmp_path / "login").exists()
