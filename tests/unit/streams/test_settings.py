"""Settings: from defaults, file and environment, each with its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import Rejected
from streams.settings import READ_ELSEWHERE, Settings, load

ROOT = Path(__file__).parents[3]


def shown(loaded) -> dict[str, tuple[str, str]]:
    return {line.name: (line.value, line.source) for line in loaded.show()}


def test_defaults_need_nothing(tmp_path):
    loaded = load({}, tmp_path)
    assert loaded.settings == Settings()
    assert shown(loaded)["dicom_port"] == ("11112", "default")
    assert {source for _, source in shown(loaded).values()} == {"default"}


def test_the_environment_wins_over_the_file(tmp_path):
    (tmp_path / "chips.toml").write_text('dicom_port = 1\nhttp_port = 2\ndata = "d"\n')
    loaded = load({"CHIPS_HTTP_PORT": "3", "PATH": "/bin"}, tmp_path)
    assert (loaded.settings.dicom_port, loaded.settings.http_port, loaded.settings.data) == (1, 3, "d")
    assert shown(loaded)["http_port"] == ("3", "CHIPS_HTTP_PORT")
    assert shown(loaded)["dicom_port"] == ("1", str(tmp_path / "chips.toml"))


def test_a_named_file_is_read_and_must_be_there(tmp_path):
    named = tmp_path / "other.toml"
    named.write_text("attempts = 5\n")
    assert load({"CHIPS_CONFIG": str(named)}, tmp_path).settings.attempts == 5
    with pytest.raises(Rejected, match="CHIPS_CONFIG"):
        load({"CHIPS_CONFIG": str(tmp_path / "none.toml")}, tmp_path)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"CHIPS_HTTP_PORT": "99999"}, "http_port"),
        ({"CHIPS_HTTP_PORT": "many"}, "CHIPS_HTTP_PORT"),
        ({"CHIPS_STORE": "postgres://x"}, "store"),
        ({"CHIPS_PROJECT": "Upper"}, "project"),
        ({"CHIPS_PROJECT": "p\n"}, "project"),
        ({"CHIPS_ISOLATION": "none"}, "isolation"),
        ({"CHIPS_QUIET_S": "0"}, "quiet_s"),
        ({"CHIPS_POLICY": ""}, "policy"),
        ({"CHIPS_VALUT": "/vault"}, "CHIPS_VALUT: is it CHIPS_VAULT"),
        ({"CHIPS_CONFG": "x"}, "is it CHIPS_CONFIG"),
        ({"CHIPS_SOMETHING_OF_NOBODY": "x"}, "CHIPS_SOMETHING_OF_NOBODY: unset it"),
    ],
)
def test_a_wrong_value_names_its_setting(tmp_path, environment, told):
    with pytest.raises(Rejected, match=told):
        load(environment, tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("prot = 1\n", "prot"),
        ("valt = 'v'\n", "no setting valt in the file: is it vault"),
        ("http_port = [", "not TOML"),
        ("http_port = 'x'\n", "chips.toml"),
    ],
)
def test_a_wrong_file_is_told(tmp_path, content, told):
    (tmp_path / "chips.toml").write_text(content)
    with pytest.raises(Rejected, match=told):
        load({}, tmp_path)


def test_paths_and_addresses_have_defaults_under_data():
    settings = Settings(data="/srv/chips")
    assert settings.store_url == "sqlite:///srv/chips/store.db"
    assert settings.bus_url == "embedded:///srv/chips/bus"
    assert settings.path("vault") == Path("/srv/chips/vault")
    given = Settings(store="sqlite:///elsewhere/x.db", blobs="/blobs", bus="kafka://h:1")
    assert given.path("store") == Path("/elsewhere/x.db")
    assert given.path("blobs") == Path("/blobs")
    assert given.bus_url == "kafka://h:1"


def test_what_is_shown_is_what_takes_effect(tmp_path):
    told = shown(load({"CHIPS_DATA": "/srv/chips", "CHIPS_HTTP_PORT": "81"}, tmp_path))
    assert told["bus"] == ("embedded:///srv/chips/bus", "default")
    assert told["store"] == ("sqlite:///srv/chips/store.db", "default")
    assert told["vault"] == ("/srv/chips/vault", "default")
    assert told["blobs"] == ("/srv/chips/blobs", "default")
    assert told["public_url"] == ("http://127.0.0.1:81", "default")
    assert told["kafka_ca_file"] == ("(none)", "default")


def test_variables_that_others_read_are_no_settings(tmp_path):
    others = dict.fromkeys([*READ_ELSEWHERE - {"CHIPS_CONFIG"}, "CHIPS_TEST_ENGINES"], "x")
    assert load(others, tmp_path).settings == Settings()


def test_each_variable_that_is_read_elsewhere_is():
    sources = [path for room in ("deploy", "streams") for path in (ROOT / room).rglob("*.py")]
    text = "".join(path.read_text() for path in sources if path.name != "settings.py")
    assert {name for name in READ_ELSEWHERE if f'"{name}"' not in text} <= {"CHIPS_CONFIG"}


def test_no_setting_is_a_secret():
    """Secrets lie in files, so that none is shown, logged, or seen in a process list."""
    assert not [name for name in Settings.__struct_fields__ if "password" in name or "secret" in name]
