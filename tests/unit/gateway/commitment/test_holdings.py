"""What the vault says that it holds: at once, after a restart, and never what was not acknowledged."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.commitment import holdings as module
from gateway.commitment.holdings import STORED, Holdings, Noting
from gateway.commitment.index import FORMAT, Held, Index
from schemas import pacs
from schemas.catalogue import type_of
from schemas.envelope import encode
from schemas.identity import BlobRef
from schemas.make import first
from streams.errors import NewerFormat, Unavailable

CT, SERIES = "1.2.840.10008.5.1.4.1.1.2", "0c" * 16
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def entry(instance: str, digest: str = "ab" * 32, project: str = "p") -> bytes:
    data = pacs.InstanceStored(
        project=project,
        patient="0a" * 16,
        study="0b" * 16,
        series=SERIES,
        instance=instance,
        digest=digest,
        blob=BlobRef(sha256=digest, size=1, media_type="application/dicom"),
        sop_class_uid=CT,
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        modality="CT",
        association="01a207b6-ffd8-762b-9ab6-06032647caec",
        origin="CT1",
        received=NOW,
    )
    assert type_of(data) == STORED
    return encode(
        first(
            data,
            event_id="01a207b6-ffd8-762b-9ab6-06032647caec",
            source="/chips/gateway",
            subject="s",
            time=NOW,
            correlationid="c",
        )
    )


def opened(file: Path) -> Holdings:
    return Holdings(Index(file))


def keys(*numbers: int) -> list[str]:
    return [f"{number:032x}" for number in numbers]


def test_what_is_noted_is_found_at_once_and_once_written_by_another_process(tmp_path):
    holdings = opened(tmp_path / "h.db")
    one, two = keys(1, 2)
    holdings.note([b"no event", entry(one), b'{"type": "chips.pacs.instance.stored.v1", "data": {}}'])
    assert holdings.find("p", [one, two]) == {one: Held(CT, "ab" * 32, SERIES)}
    assert holdings.find("other", [one]) == {}
    assert opened(tmp_path / "h.db").find("p", [one]) == {}
    holdings.keep([entry(two)])
    assert opened(tmp_path / "h.db").find("p", [one, two]) == {
        key: Held(CT, "ab" * 32, SERIES) for key in (one, two)
    }
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_of_two_the_last_counts(tmp_path):
    holdings = opened(tmp_path / "h.db")
    (one,) = keys(1)
    for digest in ("ab" * 32, "cd" * 32):
        holdings.keep([entry(one, digest)])
    holdings.note([entry(one, "ef" * 32)])
    assert holdings.find("p", [one])[one].sha256 == "ef" * 32
    holdings.close()
    assert opened(tmp_path / "h.db").find("p", [one])[one].sha256 == "ef" * 32


def test_many_threads_note_write_and_find_side_by_side(tmp_path):
    holdings = opened(tmp_path / "h.db")
    wanted = keys(*range(400))

    def note(one: str) -> bool:
        holdings.note([entry(one)])
        if one.endswith("0"):
            holdings.write()
        return one in holdings.find("p", [one])

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(note, wanted))
    assert holdings.find("p", wanted).keys() == set(wanted)


def test_what_waits_in_memory_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    holdings = opened(tmp_path / "h.db")
    holdings.note([entry(one) for one in keys(*range(11))])
    assert len(opened(tmp_path / "h.db").find("p", keys(*range(20)))) == 11


def test_notes_that_can_not_be_written_are_found_while_there_is_room(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST", 10)
    holdings = opened(tmp_path / "h.db")
    with sqlite3.connect(tmp_path / "h.db") as other:
        other.execute(
            "CREATE TRIGGER no BEFORE INSERT ON held BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    holdings.keep([entry(one) for one in keys(*range(6))])
    assert len(holdings.find("p", keys(*range(6)))) == 6
    holdings.keep([entry(one) for one in keys(*range(6, 12))])
    assert holdings.find("p", keys(*range(12))) == {}
    with sqlite3.connect(tmp_path / "h.db") as other:
        other.execute("DROP TRIGGER no")
    holdings.keep([entry(one) for one in keys(*range(6))])
    assert len(opened(tmp_path / "h.db").find("p", keys(*range(6)))) == 6


def test_an_index_that_does_not_read_back_is_put_aside(tmp_path):
    (tmp_path / "h.db").write_bytes(b"no database at all" * 100)
    holdings = opened(tmp_path / "h.db")
    holdings.keep([entry(keys(1)[0])])
    assert len(holdings.find("p", keys(1))) == 1
    assert (tmp_path / "h.db.damaged").read_bytes().startswith(b"no database")


def test_a_newer_one_is_left_alone(tmp_path):
    with sqlite3.connect(tmp_path / "h.db") as db:
        db.execute(f"PRAGMA user_version={FORMAT + 1}")
    before = (tmp_path / "h.db").read_bytes()
    with pytest.raises(NewerFormat, match="newer one"):
        opened(tmp_path / "h.db")
    assert (tmp_path / "h.db").read_bytes() == before


def test_one_that_breaks_while_it_is_used_is_put_aside(tmp_path):
    holdings = opened(tmp_path / "h.db")
    holdings.keep([entry(one) for one in keys(*range(4000))])
    holdings.close()
    raw = bytearray((tmp_path / "h.db").read_bytes())
    raw[4096:] = bytes(len(raw) - 4096)  # all but the page that says what there is
    (tmp_path / "h.db").write_bytes(raw)
    holdings = opened(tmp_path / "h.db")
    assert holdings.find("p", keys(1)) == {}
    holdings.keep([entry(keys(1)[0])])
    assert len(opened(tmp_path / "h.db").find("p", keys(1))) == 1
    assert (tmp_path / "h.db.damaged").exists()


def test_one_that_can_not_be_had_is_opened_once_it_can(tmp_path):
    folder = tmp_path / "gone"
    holdings = opened(folder / "h.db")
    with pytest.raises(Unavailable, match="can't be used"):
        holdings.find("p", keys(1))
    holdings.keep([entry(keys(1)[0])])
    with pytest.raises(Unavailable, match="can't be used"):
        holdings.find("p", keys(1, 2))
    assert holdings.find("p", keys(1)), "from memory"
    folder.mkdir()
    assert holdings.find("p", keys(1, 2)).keys() == set(keys(1))
    holdings.close()
    assert opened(folder / "h.db").find("p", keys(1))
    with pytest.raises(Unavailable, match="closed"):
        holdings.find("p", keys(1))


def test_nothing_is_noted_that_is_not_durable(tmp_path):
    class Broken:
        def append(self, payloads):
            raise OSError(28, "No space left on device")

    holdings = opened(tmp_path / "h.db")
    with pytest.raises(OSError, match="No space"):
        Noting(Broken(), holdings).append([entry(keys(1)[0])])
    assert holdings.find("p", keys(1)) == {}
