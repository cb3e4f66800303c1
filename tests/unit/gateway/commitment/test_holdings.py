"""What the vault says that it holds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from gateway.commitment.holdings import Held, Holdings

CT, SERIES = "1.2.840.10008.5.1.4.1.1.2", "0c" * 16


def test_what_is_noted_is_found_also_by_another_process(tmp_path):
    held = Held(CT, "ab" * 32, SERIES)
    Holdings(tmp_path / "h").add("p", "0a" * 16, held)
    again = Holdings(tmp_path / "h")
    assert again.find("p", "0a" * 16) == held
    assert again.find("p", "0b" * 16) is None
    assert again.find("other", "0a" * 16) is None
    assert {
        path.stat(follow_symlinks=False).st_mode & 0o77
        for path in (tmp_path / "h").rglob("*")
        if path.is_dir()
    } == {0}


def test_of_two_the_last_counts_and_the_same_again_changes_nothing(tmp_path):
    holdings = Holdings(tmp_path / "h")
    for digest in ("ab", "ab", "cd"):
        holdings.add("p", "0a" * 16, Held(CT, digest * 32, SERIES))
    assert holdings.find("p", "0a" * 16) == Held(CT, "cd" * 32, SERIES)
    assert len([path for path in (tmp_path / "h").rglob("*") if path.is_symlink()]) == 1


def test_many_threads_note_side_by_side(tmp_path):
    holdings = Holdings(tmp_path / "h")
    keys = [f"{number % 5:032x}" for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda one: holdings.add("p", one, Held(CT, "ab" * 32, SERIES)), keys))
    assert all(holdings.find("p", one) for one in keys)
