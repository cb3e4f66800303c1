"""The generated files and the released examples: nothing drifts, what was released goes on decoding."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from schemas import catalogue
from schemas import jsonschema as tool
from schemas.catalogue import TYPES, decode
from schemas.documents import VIEWS, documents, required
from schemas.envelope import InvalidEvent, encode
from schemas.samples import least, sample

RELEASES = sorted(folder.name for folder in tool.EXAMPLES.iterdir())
EXAMPLES = sorted(tool.EXAMPLES.glob("*/chips.*.json"), key=str)

REQUIRED = required()


def document(name: str) -> dict:
    return json.loads((tool.SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))


def test_the_committed_schemas_have_not_drifted():
    assert tool.drift() == [], "run `python -m schemas.jsonschema` and commit the result"


def test_drift_is_seen(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tool, "SCHEMAS", tmp_path)
    tool.write()
    assert tool.main(["--check"]) == 0
    changed, gone, extra = tmp_path / "view.card.json", tmp_path / "view.feed.json", tmp_path / "other.json"
    changed.write_bytes(changed.read_bytes().replace(b"modalities", b"modality"))
    gone.unlink()
    extra.write_text("{}")
    assert tool.drift() == ["other.json", "view.card.json", "view.feed.json"]
    assert tool.main(["--check"]) == 1
    assert "view.card.json has drifted" in capsys.readouterr().err
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0


@pytest.mark.parametrize("name", sorted(documents()))
def test_each_schema_is_a_schema_and_complete(name):
    schema = document(name)
    Draft202012Validator.check_schema(schema)
    references = {part.split('"')[0] for part in json.dumps(schema).split('"#/$defs/')[1:]}
    assert references <= set(schema["$defs"])


def test_all_types_and_views_have_a_schema():
    assert {file.stem for file in tool.SCHEMAS.glob("*.json")} == set(TYPES) | set(VIEWS)


def test_every_type_has_a_released_example():
    released = {file.stem for file in EXAMPLES}
    for suffix in ("", tool.LEAST):
        wanted = {f"{name}{suffix}" for name in TYPES}
        assert released >= wanted, "run `python -m schemas.jsonschema --examples RELEASE`"
    assert RELEASES[0] == "0.1"


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_released_example_decodes_and_fits_the_schema(file: Path):
    raw = file.read_bytes()
    event = decode(raw)
    assert event.type == file.stem.removesuffix(tool.LEAST)
    Draft202012Validator(document(event.type)).validate(json.loads(raw))
    # Nothing of it is lost: what it says is said again.
    assert json.loads(encode(event)) == json.loads(raw)
    assert decode(encode(event)) == event


@pytest.mark.parametrize("event_type", sorted(TYPES))
def test_the_least_example_has_what_is_required_and_nothing_else(event_type):
    raw = json.loads(encode(least(event_type)))
    struct = TYPES[event_type][0]
    assert set(raw["data"]) == set(REQUIRED[event_type][struct.__name__])
    assert set(raw) == set(REQUIRED[event_type]["Event"])


def turned_required(released: dict, now: dict) -> list[str]:
    """Name the fields that a release did not require and that are required now."""
    return [
        f"{name}: {part}.{field}"
        for name, parts in released.items()
        for part, fields in now.get(name, {}).items()
        for field in fields
        if field not in parts.get(part, fields)
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_nothing_that_was_optional_is_required(release):
    released = json.loads((tool.EXAMPLES / release / tool.REQUIRED).read_text(encoding="utf-8"))
    assert released
    assert turned_required(released, required()) == []


class Inner(msgspec.Struct):
    kept: str
    turned: str


class Turned(msgspec.Struct, kw_only=True):
    """A type of which a field, and one of a struct in it, were optional when it was released."""

    project: str
    title: str
    inner: Inner | None = None


def test_a_field_that_turns_required_is_seen(monkeypatch):
    name = "chips.feed.renamed.v1"
    monkeypatch.setitem(TYPES, name, (Turned, TYPES[name][1]))
    released = {
        name: required()[name] | {"Turned": ["project"], "Inner": ["kept"]},
        "chips.gone.v1": {"Gone": ["x"]},
    }
    assert turned_required(released, required()) == [f"{name}: Turned.title", f"{name}: Inner.turned"]
    monkeypatch.setitem(catalogue._DATA, name, msgspec.json.Decoder(Turned))
    with pytest.raises(InvalidEvent, match="project"):
        decode((tool.EXAMPLES / "0.1" / f"{name}{tool.LEAST}.json").read_bytes())


@pytest.mark.parametrize("event_type", sorted(TYPES))
def test_schema_and_decoder_refuse_the_same(event_type):
    good = json.loads(encode(sample(event_type)))
    validator = Draft202012Validator(document(event_type))
    fields = TYPES[event_type][0].__struct_fields__
    required = document(event_type)["$defs"][TYPES[event_type][0].__name__].get("required", [])
    for field in fields:
        bad = good | {"data": {key: value for key, value in good["data"].items() if key != field}}
        assert validator.is_valid(bad) == (field not in required)
        if field in required:
            with pytest.raises(ValueError, match=field):
                decode(json.dumps(bad).encode())
    for name in ("specversion", "id", "source", "subject", "time", "partitionkey", "data"):
        bad = {key: value for key, value in good.items() if key != name}
        assert not validator.is_valid(bad)
        with pytest.raises(ValueError, match=name):
            decode(json.dumps(bad).encode())
    with_more = good | {"futureattribute": "x", "data": good["data"] | {"future_field": [1]}}
    assert validator.is_valid(with_more)
    assert decode(json.dumps(with_more).encode()) == sample(event_type)


def test_examples_that_are_there_are_never_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "EXAMPLES", tmp_path)
    assert set(tool.write_examples("9.9")) == set(TYPES)
    kept = tmp_path / "9.9" / "chips.feed.created.v1.json"
    kept.write_text("as it was released")
    gone = tmp_path / "9.9" / "chips.feed.renamed.v1.json"
    gone.unlink()
    assert tool.write_examples("9.9") == ["chips.feed.renamed.v1"]
    assert kept.read_text() == "as it was released"


def test_samples_are_deterministic_and_travel():
    for event_type in TYPES:
        one = sample(event_type)
        assert encode(one) == encode(sample(event_type))
        assert msgspec.json.decode(encode(one))["type"] == event_type
