from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from streams.errors import Damaged, Misconfigured, Unavailable
from streams.settings import Settings
from streams.store.memory.store import MemoryStore
from ui.subjects import key_file
from ui.subjects.key_file import file_of, wrapping_key


@pytest.fixture
def records():
    return MemoryStore().records


@pytest.fixture
def file(tmp_path):
    return tmp_path / "new" / "subjects.key"


async def test_it_is_made_once_and_is_its_owners_alone(file, records):
    key = await wrapping_key(file, records)
    assert len(key) == 64
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert await wrapping_key(file, records) == key


async def test_pages_that_start_together_share_one(file, records):
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: key_file._make(file), range(8)))
    assert len(keys) == 1
    assert set(await asyncio.gather(*(wrapping_key(file, records) for _ in range(4)))) == keys


async def test_a_store_never_gets_a_second_one(file, records):
    await wrapping_key(file, records)
    kept = file.read_text()
    file.unlink()
    with pytest.raises(Misconfigured, match=r"is missing.*restore it"):
        await wrapping_key(file, records)
    assert not file.exists()
    await wrapping_key(file, MemoryStore().records)
    with pytest.raises(Misconfigured, match="not the key file of this store"):
        await wrapping_key(file, records)
    file.write_text(kept)
    await wrapping_key(file, records)


async def test_a_file_that_is_damaged_or_open_to_others_is_refused(file, records):
    await wrapping_key(file, records)
    kept = file.read_text()
    for damaged in ("", kept[:-3], "x" * 128, "\xff" * 64):
        file.write_text(damaged, encoding="latin-1")
        with pytest.raises(Damaged, match="no key file") as refused:
            await wrapping_key(file, records)
        assert not re.search("[0-9a-f]{32}", str(refused.value))
    file.write_text(kept)
    file.chmod(0o640)
    with pytest.raises(Misconfigured, match="chmod 600"):
        await wrapping_key(file, records)


async def test_a_folder_that_can_not_be_made_is_for_later(tmp_path, records):
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        await wrapping_key(tmp_path / "file" / "subjects.key", records)


def test_it_lies_under_data_unless_it_is_named():
    assert str(file_of(Settings(data="/d"))) == "/d/subjects.key"
    assert str(file_of(Settings(data="/d", subject_keys_file="/k/x"))) == "/k/x"
