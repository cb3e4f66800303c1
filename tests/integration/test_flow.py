"""From stored images to a measured card, through every agent; repeats and crashes change nothing of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from agents.anonymization.judging import judge_with
from agents.anonymization.policy.ready import DEMO
from agents.dispatch.runner.job_run import Means
from agents.dispatch.runner.processes import SubprocessRuntime
from agents.dispatch.runner.runner import Runner
from agents.dispatch.runner.workplace import Workplace
from gateway.header import read_header_identity
from gateway.identity import ProjectKey, instance_key, patient_of, series_key, study_key
from plugins.contract.registry import load_registry
from plugins.phantom.ellipsoid import draw_spec
from plugins.phantom.series import series_of
from schemas.feed import FeedSeriesAnonymized
from schemas.image import SeriesManifest
from schemas.job import ResultPublished
from schemas.pacs import InstanceStored, Placement, SeriesSettled, Span
from streams.aggregates.feed_evolution import evolve
from streams.aggregates.state import FeedState
from streams.blobs import Blobs
from streams.clock import utc_now
from streams.projections.detail import detail
from tests.integration.flowing import Hospital
from tests.integration.running import NoTail
from tests.unit.agents.flowing import PROJECT, announced, ended, key, pacs_event, stored, uuid


def pushed():
    """Two studies, three series; a conflict, a repetition, two for quarantine, and one that comes late."""
    return [
        *[stored(number, series=1, study=1) for number in range(1, 9)],
        *[stored(number, series=2, study=1) for number in range(11, 16)],
        ended(series=1),
        ended(series=2),
        *[stored(number, series=3, study=2) for number in range(21, 28)],
        ended(series=3),
        stored(1, series=1, study=1),
        stored(2, series=1, study=1, digest=999),
    ]


def bare(page):
    """What a page says, without what tells of the way there."""
    card = msgspec.structs.replace(page.card, version=0, updated=page.card.created)
    series = [
        msgspec.structs.replace(
            one,
            version=0,
            run=one.run and msgspec.structs.replace(one.run, job="", version=0, artefacts=[], attempt=0),
        )
        for one in page.series
    ]
    return msgspec.structs.replace(page, card=msgspec.structs.replace(card, pictures=[]), series=series)


async def test_images_become_measured_cards(tmp_path):
    hospital = Hospital(tmp_path)
    await hospital.send(*pushed())
    await hospital.rest()
    one, two = await hospital.page(key(1)), await hospital.page(key(2))
    assert (one.card.state, one.card.measured, len(one.series)) == ("attention", 2, 2)
    assert (one.card.anonymized, one.card.quarantined, one.card.conflicts) == (12, 1, 1)
    assert [(reason.reason, reason.instances) for reason in one.series[0].reasons] == [("ultrasound", 1)]
    assert (two.card.anonymized, two.card.quarantined, two.card.measured) == (6, 1, 1)
    assert await hospital.store.jobs.list() == []
    assert {event.correlationid for event in hospital.bus.events("chips.feed.v1")} <= {
        event.correlationid for event in hospital.bus.events("chips.pacs.v1")
    } | {event.correlationid for event in hospital.bus.events("chips.command.v1")}


async def test_a_late_image_makes_a_new_version_and_a_new_job(tmp_path):
    hospital = Hospital(tmp_path)
    await hospital.send(stored(1), stored(2), ended())
    await hospital.rest()
    await hospital.send(stored(3))
    await hospital.rest()
    page = await hospital.page(key(1))
    assert (page.series[0].version, page.series[0].anonymized, page.series[0].run.version) == (2, 3, 2)
    assert page.card.state == "done"
    assert len(hospital.bus.data("chips.result.v1", ResultPublished)) == 2


async def grades(hospital):
    return [
        (one.version, one.completeness.grade) for one in hospital.bus.data("chips.pacs.v1", SeriesSettled)
    ]


def began(event, seconds):
    """Tell when the association began, and that it ended after that."""
    time = event.time + timedelta(seconds=seconds)
    data = msgspec.structs.replace(event.data, began=time)
    return msgspec.structs.replace(event, data=data, time=time + timedelta(seconds=1))


async def test_a_broken_push_is_shown_partial_and_measured_when_its_sender_came_back(tmp_path):
    hospital = Hospital(tmp_path)
    await hospital.send(stored(1), stored(2), ended(outcome="lost"))
    await hospital.rest()
    page = await hospital.page(key(1))
    assert (page.card.state, page.card.partial, page.series[0].run) == ("attention", 1, None)
    assert page.series[0].completeness.lacks == ["lost"]
    assert hospital.bus.data("chips.job.v1") == []
    await hospital.send(stored(2, association=2), stored(3, association=2))
    await hospital.send(began(ended(association=2, instances=2), 60))
    await hospital.rest()
    page = await hospital.page(key(1))
    assert await grades(hospital) == [(1, "partial"), (2, "complete_assumed")]
    assert (page.card.state, page.card.measured, page.card.partial) == ("done", 1, msgspec.UNSET)
    assert page.series[0].run.version == 2


async def test_a_series_that_a_person_calls_whole_is_measured_without_another_image(tmp_path):
    hospital = Hospital(tmp_path)
    await hospital.send(stored(1), stored(2), ended(outcome="aborted"))
    await hospital.rest()
    await hospital.send(announced(2))
    await hospital.rest()
    page = await hospital.page(key(1))
    assert await grades(hospital) == [(1, "partial"), (1, "complete_expected")]
    assert (page.card.state, page.series[0].run.version, page.series[0].version) == ("done", 1, 1)


async def test_late_images_tell_who_used_the_version_before(tmp_path):
    hospital = Hospital(tmp_path)
    await hospital.send(stored(1), stored(2), ended())
    await hospital.rest()
    await hospital.send(stored(3, association=2), ended(association=2, outcome="aborted"))
    await hospital.rest()
    page = await hospital.page(key(1))
    run = page.series[0].run
    assert (page.series[0].version, page.series[0].since, run.version, page.card.outdated) == (2, 2, 1, 1)
    (record,) = [one for one in hospital.bus.data("chips.feed.v1", FeedSeriesAnonymized) if one.version == 2]
    assert record.outdated == [run.job]
    assert (record.completeness.grade, page.card.state) == ("partial", "attention")


async def test_gaps_in_what_the_gateway_read_make_a_series_partial(tmp_path):
    hospital = Hospital(tmp_path)
    numbered = [stored(one, placement=Placement(number=one)) for one in (1, 2, 4)]
    await hospital.send(*numbered, ended())
    await hospital.rest()
    (series,) = (await hospital.page(key(1))).series
    assert (series.completeness.grade, series.completeness.missing) == ("partial", 1)
    assert series.completeness.gaps == [Span(first=3, last=3)]


async def test_other_bytes_of_an_image_make_a_version_but_no_new_work(tmp_path):
    hospital = Hospital(tmp_path)
    await hospital.send(stored(1), ended())
    await hospital.rest()
    await hospital.send(stored(1, digest=99))
    await hospital.rest()
    page = await hospital.page(key(1))
    assert (page.card.conflicts, page.series[0].version, page.card.measured) == (1, 2, 1)
    assert page.card.state == "attention"
    assert len(hospital.bus.data("chips.result.v1", ResultPublished)) == 1


async def test_a_series_that_is_all_quarantine_makes_no_work(tmp_path):
    hospital = Hospital(tmp_path)
    await hospital.send(stored(7), stored(0x17), ended())
    await hospital.rest()
    page = await hospital.page(key(1))
    assert (page.card.state, page.card.quarantined, page.card.anonymized) == ("attention", 2, 0)
    assert page.series[0].run is None
    assert len(hospital.bus.events("chips.image.v1")) == 4


@pytest.mark.parametrize("seed", range(10))
async def test_repeats_and_crashes_end_in_the_same_pages(tmp_path, seed):
    plain = Hospital(tmp_path / "plain")
    await plain.send(*pushed())
    await plain.rest()
    hospital = Hospital(tmp_path / "storm", seed=seed)
    await hospital.send(*pushed())
    await hospital.storm(80)
    await hospital.rest()
    for study in (key(1), key(2)):
        page = await hospital.page(study)
        assert bare(page) == bare(await plain.page(study))
        history = [event async for event in hospital.store.events.read(f"feed/{PROJECT}/{page.card.feed}")]
        state = FeedState()
        for event in history:
            state = evolve(state, event)
        assert detail(state) == page
        published = {event.id for event in hospital.bus.events("chips.feed.v1")}
        assert {event.id for event in history} <= published
    for settled in hospital.bus.data("chips.pacs.v1", SeriesSettled):
        assert settled.instances


@pytest.mark.slow
async def test_a_real_phantom_is_anonymized_and_measured(tmp_path):
    secret = ProjectKey(project=PROJECT, secret=bytes(range(32)))
    spec = draw_spec(7)
    vault = Blobs(tmp_path / "vault", private=True)
    hospital = Hospital(
        tmp_path / "blobs",
        judge=judge_with(vault, lambda _project: secret, DEMO),
        registry=load_registry(),
        clock=utc_now,
    )
    images = []
    for number, dataset in enumerate(series_of(spec)):
        file = tmp_path / f"{number}.dcm"
        dataset.save_as(file, enforce_file_format=True)
        images.append(await asyncio.to_thread(as_stored, file, vault, secret))
    await hospital.send(*images, ended_of(images[0]))
    await hospital.group.settle()
    runner = Runner(means(hospital, tmp_path), NoTail(), slots=1)
    stop = asyncio.Event()
    running = asyncio.create_task(runner.run(stop))
    async with asyncio.timeout(120):
        while not hospital.bus.data("chips.result.v1"):
            await hospital.sweeper.sweep()
            await hospital.group.settle()
            await asyncio.sleep(0.1)
    await hospital.group.settle()
    stop.set()
    await running
    page = await hospital.page(images[0].data.study)
    (series,) = page.series
    assert (page.card.state, series.quarantined, series.anonymized) == ("done", 0, len(images))
    measured = {one.name: one.value for one in series.run.measures}
    volume = next(value for name, value in measured.items() if "volume" in name)
    assert volume == pytest.approx(spec.volume_ml, rel=0.2)
    manifest = msgspec.json.decode(
        hospital.blobs.path(PROJECT, work_of(hospital).manifest).read_bytes(), type=SeriesManifest
    )
    assert len(manifest.instances) == len(images)


def work_of(hospital):
    return hospital.bus.data("chips.job.v1")[0].order


def means(hospital, folder):
    return Means(
        store=hospital.store,
        producer=hospital.bus,
        blobs=hospital.blobs,
        clock=utc_now,
        runtime=SubprocessRuntime(str(Path(__file__).parents[2])),
        workplace=Workplace(folder / "work", hospital.blobs),
        registry=load_registry(),
        runner="runner",
        lease_s=20,
        attempts=1,
    )


def as_stored(file, vault, secret):
    header = read_header_identity(file)
    blob = vault.put(PROJECT, file, "application/dicom")
    data = InstanceStored(
        project=PROJECT,
        patient=patient_of(secret, header.issuer_of_patient_id, header.patient_id, header.study_instance_uid),
        study=study_key(secret, header.study_instance_uid),
        series=series_key(secret, header.series_instance_uid),
        instance=instance_key(secret, header.sop_instance_uid),
        digest=blob.sha256,
        blob=blob,
        sop_class_uid=header.sop_class_uid,
        transfer_syntax_uid=header.transfer_syntax_uid,
        modality=header.modality,
        association=uuid(1),
        origin="TEST",
        received=utc_now(),
    )
    return pacs_event(data, uuid(blob.sha256))


def ended_of(event):
    end = ended().data
    return pacs_event(msgspec.structs.replace(end, series=event.data.series), uuid("end"))
