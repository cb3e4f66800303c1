from __future__ import annotations

import errno
import os

import pytest

from gateway import incoming
from gateway import vault as module
from gateway.spool import Announced, Spool
from gateway.vault import Vault
from streams.errors import NoSpace, Unavailable

CT = Announced("1.2.840.10008.5.1.4.1.1.2", "1.2.3.4.5", "1.2.840.10008.1.2.1")


@pytest.fixture(params=[True, False], ids=["nameless", "named"])
def nameless(request, monkeypatch):
    """Whether files on their way in have no name, which not every system can."""
    if not request.param:
        monkeypatch.setattr(incoming, "_NAMELESS", None)
    return request.param


def received(vault: Vault, data: bytes = b"data"):
    spool = Spool(vault.incoming, CT, vault.has_room)
    spool.write(data)
    vault.spools = [*getattr(vault, "spools", []), spool]  # type: ignore[attr-defined] - a nameless file ends with it
    return spool.finish()


def test_an_adopted_file_is_a_blob_and_nothing_else(tmp_path, nameless):
    vault = Vault(tmp_path / "vault", 0)
    one = received(vault)
    raw = one.path.read_bytes()
    assert len(list(vault.incoming.iterdir())) == (0 if nameless else 1)
    vault.blobs.adopt("default", one)
    assert vault.blobs.path("default", one.sha256).read_bytes() == raw
    vault.blobs.adopt("default", received(vault))
    for spool in vault.spools:
        spool.discard()
    assert list(vault.incoming.iterdir()) == []
    (file,) = [path for path in vault.blobs.root.rglob("*") if path.is_file()]
    assert (file.name, file.stat().st_nlink) == (one.sha256, 1)


@pytest.mark.parametrize("there", ["nothing", "torn bytes", "no links"])
def test_bytes_and_name_are_durable_and_no_name_is_taken_by_bytes_that_are_not(
    tmp_path, monkeypatch, there, nameless
):
    vault = Vault(tmp_path / "vault", 0)
    vault.blobs.prepare("default")
    one = received(vault, b"more")
    final = vault.blobs.root / "default" / one.sha256[:2] / one.sha256
    raw, inode = one.path.read_bytes(), one.path.stat().st_ino
    if there == "torn bytes":
        final.write_bytes(b"torn")
    order = []

    def synced(fd):
        order.append(os.fstat(fd).st_ino)
        real(fd)

    def renamed(file, name):
        order.append("rename")
        return rename(file, name)

    def no_links(*_, **__):
        raise OSError(errno.EPERM, "no links here")

    real, rename = os.fsync, module.Path.replace
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(module.Path, "replace", renamed)
    if there == "no links":
        monkeypatch.setattr(module, "link", no_links)
    vault.blobs.adopt("default", one)
    folder = final.parent.stat().st_ino
    assert order == ([inode, folder] if there == "nothing" else [inode, "rename", folder])
    assert final.read_bytes() == raw
    vault.spools[0].discard()
    assert list(vault.incoming.iterdir()) == []


@pytest.mark.parametrize("meanwhile", ["nobody", "another sender"])
def test_what_could_not_be_synced_loses_its_name_unless_another_has_it(
    tmp_path, monkeypatch, nameless, meanwhile
):
    vault = Vault(tmp_path / "vault", 0)
    vault.blobs.prepare("default")
    one, other = received(vault), received(vault)
    real = os.fsync

    def fails(fd):
        if os.fstat(fd).st_ino == one.path.stat().st_ino:
            if meanwhile != "nobody":
                vault.blobs.adopt("default", other)
            raise OSError(errno.ENOSPC, "full")
        real(fd)

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(NoSpace):
        vault.blobs.adopt("default", one)
    assert vault.blobs.exists("default", one.sha256) == (meanwhile != "nobody")


def test_folders_are_made_before_they_are_asked_for(tmp_path, monkeypatch):
    vault = Vault(tmp_path / "vault", 0)
    synced = name_synced(monkeypatch, lambda: vault.blobs.prepare("default"))
    assert str(vault.blobs.root.resolve() / "default") in synced
    assert len(list((vault.blobs.root / "default").iterdir())) == 256
    vault.blobs.prepare("default")
    with pytest.raises(ValueError, match="project"):
        vault.blobs.prepare("../..")


def name_synced(monkeypatch, make):
    """Give the folders whose names `make` synced, in order."""
    synced, real = [], os.fsync

    def fsync(fd):
        synced.append(os.path.realpath(f"/proc/self/fd/{fd}"))
        real(fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        make()
    return synced


@pytest.mark.parametrize("made_before", [False, True], ids=["new", "made by one that died"])
def test_the_names_above_the_vault_last_too(tmp_path, monkeypatch, made_before):
    root = tmp_path / "data" / "vault"
    if made_before:
        (root / "objects" / "default").mkdir(parents=True)
    synced = name_synced(monkeypatch, lambda: Vault(root, 0))
    assert {str(root.parent.resolve()), str(tmp_path.resolve())} <= set(synced)
    vault = Vault(root, 0)
    first, second = received(vault), received(vault, b"other data of the same prefix?")
    synced = name_synced(monkeypatch, lambda: vault.blobs.adopt("default", first))
    objects = root.resolve() / "objects"
    assert {str(root.resolve()), str(objects), str(objects / "default")} <= set(synced)
    synced = name_synced(monkeypatch, lambda: vault.blobs.adopt("default", second))
    assert str(root.resolve()) not in synced, "once a process is enough"


@pytest.mark.parametrize(("code", "family"), [(errno.ENOSPC, NoSpace), (errno.EIO, Unavailable)])
def test_a_failing_disk_has_a_family(tmp_path, monkeypatch, code, family):
    vault = Vault(tmp_path / "vault", 0)
    one = received(vault)

    def fails(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(family):
        vault.blobs.adopt("default", one)
    assert not vault.blobs.exists("default", one.sha256)


def test_what_a_dead_gateway_was_receiving_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(incoming, "_NAMELESS", None)
    vault = Vault(tmp_path / "vault", 0)
    left = received(vault)
    assert left.path.exists()
    vault.sweep_after(os.getpid() + 1)
    assert left.path.exists()
    vault.sweep_after(os.getpid())
    assert not left.path.exists()
    left = received(vault)
    Vault(tmp_path / "vault", 0).sweep()
    assert not left.path.exists()


def test_temporary_files_that_dead_writers_left_go_and_those_of_living_ones_stay(tmp_path):
    folder = tmp_path / "vault" / "objects" / "tmp"
    folder.mkdir(parents=True)
    old, young = folder / "1-old", folder / "1-young"
    for file in (old, young):
        file.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    Vault(tmp_path / "vault", 0).sweep()
    assert list(folder.iterdir()) == [young]


def test_the_reserve_stays_free(tmp_path):
    free = Vault(tmp_path / "vault", 0).free()
    assert Vault(tmp_path / "vault", free // 2).has_room()
    assert not Vault(tmp_path / "vault", free * 2).has_room()


def test_folders_are_the_owners_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        vault = Vault(tmp_path / "vault", 0)
        vault.blobs.adopt("default", received(vault))
    finally:
        os.umask(before)
    for path in [tmp_path / "vault", *(tmp_path / "vault").rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
