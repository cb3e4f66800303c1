from __future__ import annotations

import pytest

from gateway.backlog import backlog
from gateway.journal import Journal


def test_it_is_what_the_journal_says_while_it_is_open(tmp_path):
    folder = tmp_path / "journal"
    assert backlog(folder) == 0
    journal = Journal(folder, segment_bytes=200)
    assert backlog(folder) == 0
    try:
        for number in range(30):
            journal.append([f"entry {number}".encode()])
            assert backlog(folder) == journal.backlog == number + 1
        while batch := journal.read(7):
            journal.confirm(len(batch))
            assert backlog(folder) == journal.backlog
    finally:
        journal.close()
    assert backlog(folder) == 0


def test_a_torn_end_counts_as_little_as_it_does_for_the_journal(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.append([b"one", b"two"])
    journal.close()
    (segment,) = (tmp_path / "journal").glob("*.journal")
    before = segment.read_bytes()
    segment.write_bytes(before + b"\0\0\0\7torn")
    assert backlog(tmp_path / "journal") == 2
    assert segment.read_bytes() == before + b"\0\0\0\7torn", "looking must not mend"


def test_one_without_a_position_is_all_backlog(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.append([b"one", b"two"])
    journal.close()
    (tmp_path / "journal" / "confirmed").unlink()
    assert backlog(tmp_path / "journal") == 2
    assert not (tmp_path / "journal" / "confirmed").exists()


def test_a_vault_of_another_user_is_told(tmp_path, monkeypatch):
    (tmp_path / "journal").mkdir()

    def closed(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.iterdir", closed)
    with pytest.raises(PermissionError):
        backlog(tmp_path / "journal")
