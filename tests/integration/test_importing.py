"""Files on the same way in as images from the network, through the gateway that runs."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from pydicom.uid import DeflatedExplicitVRLittleEndian

from tests.dcmtk import dcmtk
from tests.door import (
    command,
    digest_of,
    ended,
    image,
    open_door,
    published_when,
    settings_in,
    stored,
    until,
    written,
)


def import_command(settings, *arguments: str) -> list[str]:
    environment = {
        f"CHIPS_{name.upper()}": str(getattr(settings, name)) for name in ("data", "disk_reserve_mb")
    }
    return [
        "env",
        *(f"{name}={value}" for name, value in environment.items()),
        *(sys.executable, "-m", "deploy.cli", "import", *arguments),
    ]


async def test_a_folder_an_archive_and_the_network_bring_the_same(tmp_path):
    images = [image("1.2.3.4", number=n) for n in range(6)]
    paths = written(tmp_path / "in" / "deep", images)
    (tmp_path / "in" / "readme.txt").write_text("no image")
    shutil.copy(paths[0], tmp_path / "in" / "again.dcm")
    with zipfile.ZipFile(tmp_path / "in" / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths[3:]:
            archive.write(path, f"x/{path.name}")
            path.unlink()
    manifest = str(tmp_path / "m.jsonl")
    async with open_door(settings_in(tmp_path / "data")) as door:
        code, output = await command(
            *import_command(door.settings, str(tmp_path / "in"), "--manifest", manifest)
        )
        assert code == 0, output
        assert "7 stored, 0 before, 0 refused; 1 files are no DICOM objects" in output
        assert "object.stored" not in output, "a line for each is the gateway's, where it is asked for"
        events = await published_when(door.settings, 8)
        assert len(door.originals()) == 6
        code, output = await command(
            *import_command(door.settings, str(tmp_path / "in"), "--manifest", manifest)
        )
        assert code == 0, output
        assert "0 stored, 7 before" in output
        # The network brings the same bytes again: the same event, and no other file.
        code, output = await command(
            dcmtk("storescu"), "+sd", "+r", "127.0.0.1", str(door.port), str(tmp_path / "in" / "deep")
        )
        assert code == 0, output
        events = await published_when(door.settings, 12)
        assert len(door.originals()) == 6
        assert door.incoming() == []
    assert len({event.id for event in events if hasattr(event.data, "instance")}) == 6
    assert {one.origin for one in stored(events)} == {"import", "STORESCU"}
    (end, _) = ended(events)
    assert (end.outcome, end.instances) == ("released", 7)
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert {line["sop_instance_uid"] for line in lines} == {str(one.SOPInstanceUID) for one in images}


async def test_a_deflated_object_longer_than_what_is_looked_at_is_kept(tmp_path):
    one = image(side=600)
    one.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    (path,) = written(tmp_path / "in", [one])
    assert path.stat().st_size > 300_000
    async with open_door(settings_in(tmp_path / "data")) as door:
        code, output = await command(
            *import_command(door.settings, str(path), "--manifest", str(tmp_path / "m.jsonl"))
        )
        assert code == 0, output
        (kept,) = door.originals()
        assert digest_of(kept) == digest_of(path)


async def test_without_a_gateway_it_says_what_to_do(tmp_path):
    settings = settings_in(tmp_path / "data")
    async with open_door(settings):
        pass
    written(tmp_path / "in", [image()])
    code, output = await command(
        *import_command(settings, str(tmp_path / "in"), "--manifest", str(tmp_path / "m.jsonl"))
    )
    assert code == 75
    assert "chips up" in output


async def test_bad_files_are_told_and_the_others_stored(tmp_path):
    good, bad = image(), image()
    del bad.StudyInstanceUID
    (path, broken) = written(tmp_path / "in", [good, bad])
    (tmp_path / "in" / "cut.dcm").write_bytes(path.read_bytes()[:400])
    async with open_door(settings_in(tmp_path / "data")) as door:
        code, output = await command(
            *import_command(door.settings, str(tmp_path / "in"), "--manifest", str(tmp_path / "m.jsonl"))
        )
        assert code == 1
        assert "1 stored, 0 before, 2 refused" in output
        assert f"{broken}: Study Instance UID is missing" in output
        assert len(door.originals()) == 1
        assert door.incoming() == []


async def test_a_killed_import_goes_on_where_it_was(tmp_path):
    written(tmp_path / "in", [image("1.2.3.4", number=n, side=256) for n in range(150)])
    manifest = tmp_path / "m.jsonl"
    async with open_door(settings_in(tmp_path / "data")) as door:
        line = import_command(door.settings, str(tmp_path / "in"), "--manifest", str(manifest))
        killed = await asyncio.create_subprocess_exec(
            *line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        await asyncio.to_thread(until, lambda: manifest.exists() and manifest.read_bytes().count(b"\n") > 20)
        killed.kill()
        await killed.wait()
        done = manifest.read_bytes().count(b"\n")
        assert done < 150
        code, output = await command(*line)
        assert code == 0, output
        assert f"{done} before" in output or f"{done - 1} before" in output
        events = await published_when(door.settings, 151)
        assert len(door.originals()) == 150
    assert len({event.id for event in events if hasattr(event.data, "instance")}) == 150


async def test_a_watched_folder_gives_what_comes_once_it_is_whole(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (path,) = written(tmp_path / "out", [image()])
    raw = path.read_bytes()
    async with open_door(settings_in(tmp_path / "data")) as door:
        watching = await asyncio.create_subprocess_exec(
            *import_command(
                door.settings,
                *(str(folder), "--watch", "--quiet-s", "1", "--manifest", str(tmp_path / "m.jsonl")),
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            (folder / "growing.dcm").write_bytes(raw[:500])
            growing = asyncio.create_task(asyncio.to_thread(_grow, folder / "growing.dcm", raw))
            (event,) = stored(await published_when(door.settings, 2))
            await growing
            assert event.digest == digest_of(path)
            shutil.copy(written(tmp_path / "more", [image()])[0], folder / "more.dcm")
            await published_when(door.settings, 4)
        finally:
            watching.send_signal(signal.SIGTERM)
            output, _ = await asyncio.wait_for(watching.communicate(), 30)
    assert watching.returncode == 0, output
    assert b"refused" not in output.replace(b"0 refused", b"")


def _grow(path: Path, raw: bytes) -> None:
    for size in range(500, len(raw), 300):
        path.write_bytes(raw[:size])
        time.sleep(0.2)  # as slowly as a device writes
    path.write_bytes(raw)
