from __future__ import annotations

import json
import os

import pytest

from deploy import keys
from deploy.exits import Exit, status_of
from deploy.keys import open_key_file
from gateway.keys import Keyring
from streams.errors import Damaged, Misconfigured, NewerFormat, Rejected

WORDS = "correct horse battery staple"


def new(file, **options):
    chosen = {"project": "default", "passphrase": False, "passphrase_file": None, **options}
    return keys.new(file, **chosen)


def rotate(file=None, **options):
    chosen = {"master": None, "passphrase_file": None, "new_passphrase_file": None, **options}
    return keys.rotate(file, **chosen)


def key_of(file, master=None, passphrase_file=None):
    return open_key_file(file, master=master, passphrase_file=passphrase_file).only_key()


@pytest.fixture
def secret_text(tmp_path):
    """Write a text to a file of the owner's."""

    def write(name, text):
        file = tmp_path / name
        file.write_text(text)
        file.chmod(0o600)
        return file

    return write


def test_the_vaults_wrapping_is_new_and_the_pseudonyms_stay(tmp_path, monkeypatch, capsys):
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


def test_a_new_key_file_opens_and_only_the_owner_reads_it(tmp_path, capsys):
    file = tmp_path / "study.key"
    assert new(file) == 0
    key = key_of(file)
    assert key.project == "default"
    assert key == key_of(file)
    for made in (file, tmp_path / "study.key.master"):
        assert made.stat().st_mode & 0o777 == 0o600
        assert key.secret.hex() not in made.read_text()
    assert key.secret.hex() not in capsys.readouterr().out
    assert new(tmp_path / "other.key") == 0
    assert key_of(tmp_path / "other.key").secret != key.secret


def test_it_is_the_same_format_as_the_vaults(tmp_path):
    """Who runs CHIPS and anonymizes a folder beside it gets the same pseudonyms."""
    key = Keyring(tmp_path / "vault").project_key("default")
    vault = tmp_path / "vault"
    assert key_of(vault / "keys.json", master=vault / "master.key") == key
    new(tmp_path / "study.key")
    alone = json.loads((tmp_path / "study.key").read_text())
    assert alone.keys() == json.loads((vault / "keys.json").read_text()).keys()


@pytest.mark.parametrize("there", ["study.key", "study.key.master"])
def test_nothing_is_overwritten(tmp_path, there):
    (tmp_path / there).write_text("mine")
    with pytest.raises(Rejected, match="overwritten"):
        new(tmp_path / "study.key")
    assert (tmp_path / there).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_rotates_with_its_master_key_elsewhere(tmp_path):
    file, elsewhere = tmp_path / "study.key", tmp_path / "safe" / "master"
    new(file)
    elsewhere.parent.mkdir()
    (tmp_path / "study.key.master").rename(elsewhere)
    key, before = key_of(file, master=elsewhere), elsewhere.read_text()
    assert rotate(file, master=elsewhere) == 0
    assert key_of(file, master=elsewhere) == key
    assert elsewhere.read_text() != before
    assert not (tmp_path / "study.key.master").exists()


def test_a_passphrase_opens_it_and_rotates(tmp_path, secret_text):
    file = tmp_path / "study.key"
    old, changed = secret_text("old", WORDS + "\n"), secret_text("changed", WORDS + ", changed\n")
    assert new(file, passphrase_file=old) == 0
    assert not (tmp_path / "study.key.master").exists()
    key = key_of(file, passphrase_file=old)
    assert rotate(file, passphrase_file=old, new_passphrase_file=changed) == 0
    assert key_of(file, passphrase_file=changed) == key
    with pytest.raises(Rejected, match="not the passphrase"):
        key_of(file, passphrase_file=old)
    assert WORDS not in file.read_text()


def test_a_passphrase_is_asked_for(tmp_path, monkeypatch):
    asked = []

    def answer(prompt):
        asked.append(prompt)
        return WORDS

    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda _: True})())
    monkeypatch.setattr("getpass.getpass", answer)
    file = tmp_path / "study.key"
    assert new(file, passphrase=True) == 0
    assert len(asked) == 2
    assert key_of(file) == key_of(file)


def test_without_a_terminal_it_has_to_be_in_a_file(tmp_path, secret_text, monkeypatch):
    monkeypatch.setattr("sys.stdin", type("Pipe", (), {"isatty": lambda _: False})())
    with pytest.raises(Rejected, match="no terminal"):
        new(tmp_path / "study.key", passphrase=True)
    new(tmp_path / "study.key", passphrase_file=secret_text("words", WORDS))
    with pytest.raises(Rejected, match="--passphrase-file"):
        key_of(tmp_path / "study.key")


def test_a_short_passphrase_is_refused(tmp_path, secret_text):
    with pytest.raises(Rejected, match="12 to"):
        new(tmp_path / "study.key", passphrase_file=secret_text("words", "too short"))
    assert not (tmp_path / "study.key").exists()


def test_a_passphrase_that_others_can_read_is_refused(tmp_path, secret_text):
    words = secret_text("words", WORDS)
    words.chmod(0o644)
    with pytest.raises(Misconfigured, match="Others can read"):
        new(tmp_path / "study.key", passphrase_file=words)


@pytest.mark.parametrize(
    ("break_it", "error", "told"),
    [
        (lambda file: file.unlink(), Rejected, "chips keys new"),
        (lambda file: file.chmod(0o644), Misconfigured, "Others can read"),
        (lambda file: file.with_name("study.key.master").chmod(0o640), Misconfigured, "Others can read"),
        (lambda file: file.with_name("study.key.master").unlink(), Damaged, "is missing"),
        (
            lambda file: file.with_name("study.key.master").write_text("00" * 32),
            Damaged,
            "not the master key",
        ),
        (lambda file: file.with_name("study.key.master").write_text("no key"), Damaged, "64 hex digits"),
        (lambda file: file.write_bytes(bytes(128) + b"DICM"), Damaged, "is no key file"),
        (lambda file: file.write_text('{"format": 1}'), Damaged, "is no key file"),
        (lambda file: file.write_text('{"format": 2}'), NewerFormat, "newer"),
        (lambda file: os.truncate(file, 1 << 30), Damaged, "far too large"),
    ],
)
def test_what_is_wrong_with_a_key_file_is_told(tmp_path, break_it, error, told):
    file = tmp_path / "study.key"
    new(file)
    break_it(file)
    with pytest.raises(error, match=told) as raised:
        key_of(file)
    assert status_of(raised.value) in {Exit.USAGE, Exit.CONFIG, Exit.DATA}


def test_of_several_projects_one_has_to_be_named(tmp_path):
    ring = Keyring(tmp_path)
    ring.project_key("one")
    other = ring.project_key("two")
    file = open_key_file(tmp_path / "keys.json", master=tmp_path / "master.key", passphrase_file=None)
    with pytest.raises(Rejected, match="one, two"):
        file.only_key()
    assert file.known_key("two") == other


@pytest.mark.parametrize("wrapped_by", ["passphrase", "master"])
def test_the_other_way_of_opening_it_is_told(tmp_path, secret_text, wrapped_by):
    file, words = tmp_path / "study.key", secret_text("words", WORDS)
    if wrapped_by == "passphrase":
        new(file, passphrase_file=words)
        opener = keys.KeyFile(file, keys.MasterFile(file.with_name("study.key.master")))
    else:
        new(file)
        opener = keys.KeyFile(file, keys.Passphrase(WORDS))
    with pytest.raises(Rejected, match="is wrapped by a"):
        opener.only_key()


def test_an_option_for_another_wrapping_is_refused_and_nothing_is_done(tmp_path, secret_text):
    by_master, by_words = tmp_path / "m.key", tmp_path / "w.key"
    words = secret_text("words", WORDS)
    new(by_master)
    new(by_words, passphrase_file=words)
    before = by_master.read_bytes(), by_words.read_bytes()
    for options in ({"new_passphrase_file": words}, {"passphrase_file": words}):
        with pytest.raises(Rejected, match=r"opens with a master key.*passphrase-file out"):
            rotate(by_master, **options)
        with pytest.raises(Rejected, match="vault's master key"):
            rotate(**options)
    with pytest.raises(Rejected, match=r"opens with a passphrase.*leave --master out"):
        rotate(by_words, master=words, passphrase_file=words, new_passphrase_file=words)
    with pytest.raises(Rejected, match="leave --passphrase-file out"):
        key_of(by_master, passphrase_file=words)
    with pytest.raises(Rejected, match="leave --master out"):
        key_of(by_words, master=words, passphrase_file=words)
    assert (by_master.read_bytes(), by_words.read_bytes()) == before
