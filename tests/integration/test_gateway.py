"""The door with real senders: what comes in is kept as it came, once, and told to the bus."""

from __future__ import annotations

import asyncio
import hashlib
import warnings
from pathlib import Path

import pydicom
import pydicom.data
import pytest
from pydicom.uid import UID, AllTransferSyntaxes
from pynetdicom import AllStoragePresentationContexts

from schemas.identity import instance_event_id
from streams.errors import Rejected
from tests.dcmtk import dcmtk
from tests.door import (
    CT,
    PATIENT,
    DoorProcess,
    associated,
    command,
    digest_of,
    encoded,
    ended,
    image,
    make_topics,
    open_door,
    published_when,
    settings_in,
    store_bytes,
    stored,
    written,
)
from tests.engines.ports import free_port
from tests.orthanc import orthanc_sends

FILES = Path(pydicom.data.__file__).parent / "test_files"
PRIVATE_CLASS, PRIVATE_SYNTAX = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"


def dataset_bytes(path: Path) -> bytes:
    """What follows the file meta information."""
    with path.open("rb") as file:
        pydicom.filereader.read_preamble(file, False)
        pydicom.filereader.read_dataset(file, False, True, stop_when=lambda tag, *_: tag.group != 2)
        return file.read()


def syntax_examples() -> dict[str, Path]:
    """One bundled file of each transfer syntax there is."""
    found = {}
    for path in sorted(FILES.glob("*.dcm")):
        try:
            with warnings.catch_warnings(action="ignore"):  # some are deliberately odd
                head = pydicom.dcmread(path, stop_before_pixels=True)
        except (pydicom.errors.InvalidDicomError, KeyError, ValueError, EOFError):
            continue
        meta = head.file_meta
        placed = all(head.get(name) for name in ("StudyInstanceUID", "SeriesInstanceUID"))
        if placed and meta.get("MediaStorageSOPInstanceUID") == head.get("SOPInstanceUID"):
            found.setdefault(str(meta.get("TransferSyntaxUID", "")), path)
    return {uid: path for uid, path in found.items() if uid}


SYNTAXES = syntax_examples()


async def test_echo(tmp_path):
    async with open_door(settings_in(tmp_path)) as door:
        assert (await command("echoscu", "127.0.0.1", str(door.port)))[0] == 0


async def test_the_bundled_files_have_the_syntaxes_that_matter():
    assert {
        "1.2.840.10008.1.2",  # implicit VR little endian
        "1.2.840.10008.1.2.1",  # explicit VR little endian
        "1.2.840.10008.1.2.1.99",  # deflated
        "1.2.840.10008.1.2.2",  # explicit VR big endian
        "1.2.840.10008.1.2.5",  # RLE
        "1.2.840.10008.1.2.4.50",  # JPEG
        "1.2.840.10008.1.2.4.90",  # JPEG 2000
    } <= SYNTAXES.keys()


@pytest.mark.parametrize("syntax", sorted(SYNTAXES), ids=lambda uid: UID(uid).name)
async def test_every_syntax_is_kept_byte_by_byte(tmp_path, syntax):
    path = SYNTAXES[syntax]
    sent = dataset_bytes(path)
    meta = pydicom.dcmread(path, stop_before_pixels=True).file_meta
    context = (str(meta.MediaStorageSOPClassUID), syntax)
    async with open_door(settings_in(tmp_path)) as door:

        def send():
            with associated(door.port, [context]) as association:
                response = store_bytes(
                    association, sent, str(meta.MediaStorageSOPInstanceUID), context=context
                )
                assert response.Status == 0

        await asyncio.to_thread(send)
        events = await published_when(door.settings, 2)
        (kept,) = door.originals()
    (event,) = stored(events)
    assert dataset_bytes(kept) == sent
    assert event.digest == digest_of(path) == digest_of(kept)
    assert event.blob.sha256 == kept.name == hashlib.sha256(kept.read_bytes()).hexdigest()
    assert event.blob.size == kept.stat().st_size
    assert (event.sop_class_uid, event.transfer_syntax_uid) == context
    # Any reader understands the file as one of this syntax.
    assert pydicom.dcmread(kept, stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax


async def test_every_storage_class_and_syntax_is_accepted_also_unknown_ones(tmp_path):
    classes = [str(cx.abstract_syntax) for cx in AllStoragePresentationContexts]
    contexts = [(uid, CT[1]) for uid in [*classes, PRIVATE_CLASS, "1.2.840.10008.5.1.4.1.1.99999"]]
    contexts += [
        (CT[0], str(uid)) for uid in [*AllTransferSyntaxes, PRIVATE_SYNTAX, "1.2.840.10008.1.2.4.999"]
    ]
    contexts += [(PRIVATE_CLASS, PRIVATE_SYNTAX)]
    contexts = list(dict.fromkeys(contexts))
    accepted = []
    async with open_door(settings_in(tmp_path)) as door:
        for start in range(0, len(contexts), 128):

            def negotiate(wanted=contexts[start : start + 128]):
                with associated(door.port, wanted) as association:
                    found = association.accepted_contexts
                    accepted.extend((str(cx.abstract_syntax), str(cx.transfer_syntax[0])) for cx in found)

            await asyncio.to_thread(negotiate)
    assert sorted(accepted) == sorted(contexts)
    assert len(classes) > 150


async def test_a_private_class_in_a_private_syntax_is_kept(tmp_path):
    one = image()
    one.SOPClassUID = PRIVATE_CLASS
    context = (PRIVATE_CLASS, PRIVATE_SYNTAX)
    async with open_door(settings_in(tmp_path)) as door:

        def send():
            with associated(door.port, [context]) as association:
                assert store_bytes(association, encoded(one), one.SOPInstanceUID, context=context).Status == 0

        await asyncio.to_thread(send)
        (event,) = stored(await published_when(door.settings, 2))
    assert (event.sop_class_uid, event.transfer_syntax_uid) == context


@pytest.mark.parametrize("processes", [1, 2])
async def test_private_and_unknown_ones_are_kept_out_where_the_setting_says_so(tmp_path, processes):
    wanted = [CT, (CT[0], PRIVATE_SYNTAX), (PRIVATE_CLASS, CT[1]), ("1.2.840.10008.5.1.4.1.1.99999", CT[1])]
    settings = settings_in(tmp_path, dicom_accept="standard", dicom_processes=processes)
    async with open_door(settings) as door:

        def negotiate():
            with associated(door.port, wanted) as association:
                found = association.accepted_contexts
                return [(str(one.abstract_syntax), str(one.transfer_syntax[0])) for one in found]

        assert await asyncio.to_thread(negotiate) == [CT]


@pytest.mark.parametrize("sender", ["storescu", "dcmsend"])
async def test_dcmtk_sends_a_folder(tmp_path, sender):
    series = image().SeriesInstanceUID
    paths = written(tmp_path / "out", [image(series, number=n) for n in range(12)])
    async with open_door(settings_in(tmp_path / "data")) as door:
        code, output = await command(
            dcmtk(sender), "+sd", "+r", "127.0.0.1", str(door.port), str(tmp_path / "out")
        )
        assert code == 0, output
        events = await published_when(door.settings, 13)
        kept = {digest_of(path) for path in door.originals()}
    assert {one.digest for one in stored(events)} == {digest_of(path) for path in paths} == kept
    (end,) = ended(events)
    assert (end.outcome, end.instances) == ("released", 12)
    assert end.association == stored(events)[0].association


async def test_several_series_of_one_association_each_hear_of_its_end(tmp_path):
    written(tmp_path / "out", [image(series) for series in ("1.2.3.1", "1.2.3.2", "1.2.3.1")])
    async with open_door(settings_in(tmp_path / "data")) as door:
        code, output = await command(
            dcmtk("storescu"), "+sd", "127.0.0.1", str(door.port), str(tmp_path / "out")
        )
        assert code == 0, output
        events = await published_when(door.settings, 5)
    by_series = {end.series: end.instances for end in ended(events)}
    assert sorted(by_series.values()) == [1, 2]
    assert set(by_series) == {one.series for one in stored(events)}


async def test_orthanc_sends(tmp_path):
    paths = written(tmp_path / "out", [image("1.2.3.4", number=n) for n in range(5)])
    async with open_door(settings_in(tmp_path / "data")) as door:
        await orthanc_sends(tmp_path / "orthanc", paths, door.port)
        events = await published_when(door.settings, 6)
    assert {one.digest for one in stored(events)} == {digest_of(path) for path in paths}
    assert {one.origin for one in stored(events)} == {"ORTHANC"}


async def test_the_same_bytes_again_are_the_same_event_and_blob(tmp_path):
    one = image()
    async with open_door(settings_in(tmp_path)) as door:
        for _ in range(2):

            def send():
                with associated(door.port, [CT]) as association:
                    for _ in range(2):
                        assert store_bytes(association, encoded(one), one.SOPInstanceUID).Status == 0

            await asyncio.to_thread(send)
        events = await published_when(door.settings, 6)
        assert len(door.originals()) == 1
    found = [event for event in events if event.type == "chips.pacs.instance.stored.v1"]
    assert len({event.id for event in found}) == 1
    assert found[0].id == instance_event_id("default", found[0].data.instance, found[0].data.digest)
    assert len({event.id for event in events}) == 3  # the image, and the end of two associations


async def test_other_bytes_under_one_uid_are_both_kept(tmp_path):
    one = image()
    other = image(one.SeriesInstanceUID)
    other.SOPInstanceUID = one.SOPInstanceUID
    async with open_door(settings_in(tmp_path)) as door:

        def send():
            with associated(door.port, [CT]) as association:
                for dataset in (one, other):
                    assert store_bytes(association, encoded(dataset), one.SOPInstanceUID).Status == 0

        await asyncio.to_thread(send)
        events = await published_when(door.settings, 3)
        assert len(door.originals()) == 2
    first, second = stored(events)
    assert first.instance == second.instance
    assert first.digest != second.digest
    assert len({event.id for event in events}) == 3


async def test_only_one_gateway_uses_a_vault(tmp_path):
    settings = settings_in(tmp_path)
    async with open_door(settings):
        with pytest.raises(Rejected, match="Another gateway"):
            async with open_door(settings, migrate=False):
                pass


async def test_the_vault_is_its_owners_alone(tmp_path):
    async with open_door(settings_in(tmp_path)) as door:

        def send():
            one = image()
            with associated(door.port, [CT]) as association:
                store_bytes(association, encoded(one), one.SOPInstanceUID)

        await asyncio.to_thread(send)
        await published_when(door.settings, 2)
        for path in [door.vault, *door.vault.rglob("*")]:
            # A link has no permissions of its own: its folder's count.
            assert path.is_symlink() or path.stat().st_mode & 0o077 == 0, path


async def test_nothing_that_identifies_is_logged(tmp_path):
    settings = settings_in(tmp_path / "data", dicom_port=free_port())
    images = [image("1.2.3.4.5.6.77") for _ in range(3)]
    del images[1].StudyInstanceUID
    images[2].PatientID = "SYNTH 4711 \\\\ BAD"
    written(tmp_path / "out", images)
    await make_topics(settings)
    log = tmp_path / "log"
    door = DoorProcess(settings, log)
    _, output = await command(
        dcmtk("storescu"),
        "-v",
        "--no-halt",
        "+sd",
        "127.0.0.1",
        str(settings.dicom_port),
        str(tmp_path / "out"),
    )

    def odd_uid():
        with associated(settings.dicom_port, [CT]) as association:
            assert store_bytes(association, encoded(images[0]), "1.2.SYNTH.3").Status == 0x0117

    await asyncio.to_thread(odd_uid)
    door.stop()
    text = log.read_text()
    assert "object.refused" in text, output
    identities = [PATIENT, "SYNTH", "1.2.3.4.5.6.77", *(str(one.SOPInstanceUID) for one in images)]
    assert [value for value in identities if value in text] == []
    keys = [path.name for path in (tmp_path / "data").rglob("*")]
    assert [value for value in identities if any(value in key for key in keys)] == []
