from __future__ import annotations

import pytest

from deploy.keys import rotate
from gateway.keys import Keyring
from streams.errors import Rejected


def test_the_wrapping_is_new_and_the_pseudonyms_stay(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHIPS_VAULT", str(tmp_path / "vault"))
    before = Keyring(tmp_path / "vault").project_key("default")
    master = (tmp_path / "vault" / "master.key").read_text()
    assert rotate() == 0
    assert Keyring(tmp_path / "vault").project_key("default") == before
    assert (tmp_path / "vault" / "master.key").read_text() != master
    assert master.strip() not in capsys.readouterr().out


def test_a_vault_without_keys_is_not_given_any(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHIPS_VAULT", str(tmp_path / "wrong"))
    with pytest.raises(Rejected, match="is CHIPS_VAULT right"):
        rotate()
    assert not (tmp_path / "wrong").exists()
