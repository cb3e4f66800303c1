"""The SDK keeps the contract for the plugin."""

from __future__ import annotations

import msgspec
import pytest

from plugins.contract.results import parse_progress, read_result, write_input
from plugins.contract.sdk import Report, main
from plugins.contract.types import Manifest, PluginInput, PluginMeasure, Resources


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    level: int = 7


MANIFEST = Manifest(
    name="test",
    version="1.0.0",
    title="Test",
    description="",
    modalities=["CT"],
    resources=Resources(memory_bytes=2**28, pids=8, seconds=10, output_bytes=2**20),
)


@pytest.fixture
def folders(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    write_input(tmp_path / "in", PluginInput(project="p", series="s", version=1, instances=[]))
    return tmp_path


def go(folders, run, *more):
    arguments = ["--input", str(folders / "in"), "--output", str(folders / "out"), *more]
    return main(MANIFEST, run, Parameters, arguments)


def test_result_is_written_and_valid(folders, capsys):
    def run(context):
        context.progress(0.5, "half")
        kept = context.save("a.webp", role="mip", media_type="image/webp", data=b"12")
        level = PluginMeasure(name="level", value=context.parameters.level, unit="1")
        return Report(outcome="measured", artefacts=[kept], measures=[level], tools={"x": "1"})

    assert go(folders, run) == 0
    checked = read_result(folders / "out")
    assert checked.result.plugin == "test"
    assert checked.result.measures[0].value == 7
    assert checked.files[0].size == 2
    assert parse_progress(capsys.readouterr().out.encode()).step == "half"
    assert sorted(path.name for path in (folders / "out").iterdir()) == ["a.webp", "result.json"]


def test_parameters(folders):
    seen = []

    def run(context):
        seen.append(context.parameters.level)
        return Report(outcome="not_a_volume")

    (folders / "p.json").write_bytes(b'{"level": 3}')
    assert go(folders, run, "--parameters", str(folders / "p.json")) == 0
    assert seen == [3]


def test_failure_ends_with_its_cause_and_no_result(folders, capsys):
    def run(_context):
        raise ValueError("the bone is\nmissing")

    assert go(folders, run) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "ValueError: the bone is missing"
    assert not (folders / "out" / "result.json").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_a_failure(folders, capsys, value):
    def run(_context):
        return Report(outcome="measured", measures=[PluginMeasure(name="m", value=value, unit="1")])

    assert go(folders, run) == 1
    assert "not a finite number" in capsys.readouterr().err
    assert not (folders / "out" / "result.json").exists()


@pytest.mark.parametrize("content", [None, b"{", b'{"level": "x"}', b'{"unknown": 1}'])
def test_bad_parameters(folders, capsys, content):
    if content is not None:
        (folders / "p.json").write_bytes(content)
    assert go(folders, lambda _: Report(outcome="measured"), "--parameters", str(folders / "p.json")) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("InvalidInput: p.json")


@pytest.mark.parametrize("path", ["../x.dcm", "/etc/passwd"])
def test_input_paths_stay_inside(folders, capsys, path):
    instance = {"instance": "i", "path": path, "sha256": "0" * 64, "size": 1}
    content = {"project": "p", "series": "s", "version": 1, "instances": [instance]}
    (folders / "in" / "input.json").write_bytes(msgspec.json.encode(content))
    assert go(folders, lambda _: Report(outcome="measured")) == 1
    assert "input.json breaks the contract" in capsys.readouterr().err
