from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from gateway import keys, masters
from gateway.keys import Keyring
from gateway.wrapping import FORMAT
from streams.errors import NewerFormat, Rejected, Unavailable


def _key_in_process(vault, queue):
    queue.put(Keyring(vault).project_key("default").secret)


def die_after(monkeypatch, name):
    """Die as soon as a file of this name is whole."""
    real = masters.write

    def write(file, content):
        real(file, content)
        if file.name == name:
            raise KeyboardInterrupt

    for module in (keys, masters):
        monkeypatch.setattr(module, "write", write)


def test_a_key_is_made_once_and_lasts(tmp_path):
    first = Keyring(tmp_path / "vault").project_key("default")
    assert first.project == "default"
    assert Keyring(tmp_path / "vault").project_key("default") == first
    assert Keyring(tmp_path / "vault").project_key("other").secret != first.secret


def test_asking_for_a_key_that_nobody_made_makes_none(tmp_path):
    vault = tmp_path / "vault"
    assert Keyring(vault).known_key("default") is None
    assert not vault.exists()
    vault.mkdir()
    assert Keyring(vault).known_key("default") is None
    assert list(vault.iterdir()) == []
    made = Keyring(vault).project_key("default")
    before = (vault / "keys.json").read_bytes()
    assert Keyring(vault).known_key("default") == made
    assert Keyring(vault).known_key("other") is None
    assert (vault / "keys.json").read_bytes() == before


def test_two_vaults_share_no_key(tmp_path):
    assert Keyring(tmp_path / "a").project_key("p").secret != Keyring(tmp_path / "b").project_key("p").secret


def test_processes_that_start_together_get_one_key(tmp_path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=_key_in_process, args=(tmp_path / "vault", queue)) for _ in range(4)]
    for worker in workers:
        worker.start()
    secrets = {queue.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(secrets) == 1


def test_files_are_the_owners_only_and_hold_no_clear_key(tmp_path):
    vault = tmp_path / "vault"
    secret = Keyring(vault).project_key("default").secret
    for file in vault.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
        content = file.read_bytes()
        assert secret not in content
        assert secret.hex().encode() not in content
    assert vault.stat().st_mode & 0o077 == 0


def test_the_wrapping_rotates_and_the_key_stays(tmp_path):
    vault = tmp_path / "vault"
    ring = Keyring(vault)
    secret = ring.project_key("default").secret
    master, wrapped = (vault / "master.key").read_text(), (vault / "keys.json").read_text()
    ring.rotate()
    assert Keyring(vault).project_key("default").secret == secret
    assert (vault / "master.key").read_text() != master
    assert (vault / "keys.json").read_text() != wrapped
    assert not (vault / "master.key.next").exists()


@pytest.mark.parametrize("survived", ["master.key.next", "keys.json"])
def test_a_rotation_that_dies_between_its_files_leaves_a_keyring_that_opens(tmp_path, monkeypatch, survived):
    vault = tmp_path / "vault"
    secret = Keyring(vault).project_key("default").secret
    with monkeypatch.context() as patched:
        die_after(patched, survived)
        with pytest.raises(KeyboardInterrupt):
            Keyring(vault).rotate()
    assert Keyring(vault).project_key("default").secret == secret
    assert Keyring(vault).project_key("default").secret == secret


@pytest.mark.parametrize("survived", ["master.key.next", "keys.json"])
def test_a_first_use_that_dies_between_its_files_starts_anew(tmp_path, monkeypatch, survived):
    vault = tmp_path / "vault"
    with monkeypatch.context() as patched:
        die_after(patched, survived)
        with pytest.raises(KeyboardInterrupt):
            Keyring(vault).project_key("default")
    assert Keyring(vault).project_key("default") == Keyring(vault).project_key("default")


@pytest.mark.parametrize("lost", ["keys.json", "master.key"])
def test_a_lost_file_is_never_replaced_silently(tmp_path, lost):
    vault = tmp_path / "vault"
    Keyring(vault).project_key("default")
    before = {file.name: file.read_bytes() for file in vault.iterdir() if file.name != lost}
    (vault / lost).unlink()
    with pytest.raises(Rejected, match="restore it from a backup"):
        Keyring(vault).project_key("default")
    assert {file.name: file.read_bytes() for file in vault.iterdir()} == before


def test_the_master_key_can_lie_elsewhere(tmp_path):
    master = tmp_path / "secrets" / "chips"
    secret = Keyring(tmp_path / "vault", master).project_key("default").secret
    assert not (tmp_path / "vault" / "master.key").exists()
    assert Keyring(tmp_path / "vault", master).project_key("default").secret == secret
    # An operator may bring one key for several vaults.
    assert Keyring(tmp_path / "second", master).project_key("default").secret != secret


def test_a_master_key_of_another_vault_is_refused(tmp_path):
    Keyring(tmp_path / "a").project_key("p")
    Keyring(tmp_path / "b").project_key("p")
    with pytest.raises(Rejected, match="not the master key"):
        Keyring(tmp_path / "a", tmp_path / "b" / "master.key").project_key("p")


def test_a_damaged_wrapped_key_is_refused(tmp_path):
    Keyring(tmp_path).project_key("p")
    file = tmp_path / "keys.json"
    content = json.loads(file.read_text())
    wrapped = content["projects"]["p"]
    content["projects"]["p"] = ("A" if wrapped[0] != "A" else "B") + wrapped[1:]
    file.write_text(json.dumps(content))
    with pytest.raises(Rejected, match="unwrapped"):
        Keyring(tmp_path).project_key("p")
    file.write_text("{")
    with pytest.raises(Rejected, match="damaged"):
        Keyring(tmp_path).project_key("p")


def test_keys_of_a_newer_chips_are_no_damaged_ones(tmp_path):
    Keyring(tmp_path).project_key("p")
    file = tmp_path / "keys.json"
    newer = json.dumps({"format": FORMAT + 1, "projects": {"p": {"wrapped": "otherwise"}}})
    file.write_text(newer)
    for ask in (Keyring(tmp_path).project_key, Keyring(tmp_path).known_key):
        with pytest.raises(NewerFormat, match="newer"):
            ask("p")
    assert file.read_text() == newer


@pytest.mark.parametrize("name", ["keys.json", "master.key"])
def test_files_that_others_can_read_are_refused(tmp_path, name):
    Keyring(tmp_path).project_key("p")
    (tmp_path / name).chmod(0o640)
    with pytest.raises(Rejected, match="chmod 600"):
        Keyring(tmp_path).project_key("p")


def test_a_folder_that_is_no_folder_is_unavailable(tmp_path):
    (tmp_path / "vault").write_text("")
    with pytest.raises(Unavailable, match="keyring"):
        Keyring(tmp_path / "vault").project_key("p")


def test_keys_are_durable_before_they_are_given(tmp_path, monkeypatch):
    synced = []
    real = os.fsync

    def fsync(handle):
        synced.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    Keyring(tmp_path / "vault").project_key("p")
    assert ".keys.json.partial" in synced
    assert ".master.key.next.partial" in synced
    assert synced[-1] == "vault"
