"""A result is read without trusting who wrote it."""

from __future__ import annotations

import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract.errors import InvalidResult
from plugins.contract.results import parse_progress, read_result
from plugins.contract.types import ArtefactFile, PluginMeasure, PluginResult, ResultLimits


def result(*artefacts, measures=()):
    return PluginResult(
        plugin="test",
        version="1.0.0",
        outcome="measured",
        artefacts=list(artefacts),
        measures=list(measures),
        findings=[],
        tools={},
    )


def artefact(path="a.webp", name="a"):
    return ArtefactFile(name=name, path=path, media_type="image/webp", role="mip")


def leave(folder, content):
    data = content if isinstance(content, bytes) else msgspec.json.encode(content)
    (folder / "result.json").write_bytes(data)


def test_good_result(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.webp").write_bytes(b"1234")
    leave(tmp_path, result(artefact("deep/a.webp")))
    checked = read_result(tmp_path)
    assert [(file.path, file.size) for file in checked.files] == [(tmp_path / "deep" / "a.webp", 4)]


@pytest.mark.parametrize(
    "path",
    [
        "../a.webp",
        "/etc/passwd",
        "a/../../b",
        ".hidden",
        "a//b",
        "a/",
        "",
        "a\\b",
        "a\0b",
        "~/x",
        "a/./b",
        "a\n",
    ],
)
def test_paths_that_leave_the_folder_are_refused(tmp_path, path):
    (tmp_path.parent / "a.webp").write_bytes(b"outside")
    leave(tmp_path, result(artefact(path)))
    with pytest.raises(InvalidResult):
        read_result(tmp_path)


@given(st.text(alphabet="./\\a~\0\n ", max_size=12))
def test_no_path_leads_outside(tmp_path_factory, path):
    folder = tmp_path_factory.mktemp("out")
    leave(folder, result(artefact(path)))
    try:
        checked = read_result(folder)
    except InvalidResult:
        return
    for file in checked.files:
        assert file.path.resolve().is_relative_to(folder.resolve())


def test_links_are_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"host file")
    output = tmp_path / "out"
    output.mkdir()
    (output / "a.webp").symlink_to(secret)
    leave(output, result(artefact()))
    with pytest.raises(InvalidResult, match="not a plain file"):
        read_result(output)


def test_linked_folders_are_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.webp").write_bytes(b"host file")
    output = tmp_path / "out"
    output.mkdir()
    (output / "deep").symlink_to(tmp_path / "elsewhere")
    leave(output, result(artefact("deep/a.webp")))
    with pytest.raises(InvalidResult, match="not a plain folder"):
        read_result(output)


def test_linked_result_is_refused(tmp_path):
    leave(tmp_path, result())
    output = tmp_path / "out"
    output.mkdir()
    (output / "result.json").symlink_to(tmp_path / "result.json")
    with pytest.raises(InvalidResult):
        read_result(output)


@pytest.mark.parametrize("name", ["result.json", "a.webp"])
def test_pipes_do_not_hang_the_reader(tmp_path, name):
    if name != "result.json":
        leave(tmp_path, result(artefact()))
    os.mkfifo(tmp_path / name)
    with pytest.raises(InvalidResult, match="not a plain file"):
        read_result(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        msgspec.json.encode(result()).replace(b"measured", b"wonderful"),
        msgspec.json.encode(result(artefact())).replace(b"image/webp", b"text/html"),
        msgspec.json.encode(result(measures=[PluginMeasure(name="m", value=1.5, unit="mm")])).replace(
            b"1.5", b"1e999"
        ),
        msgspec.json.encode(result(measures=[PluginMeasure(name="m", value=1.5, unit="mm")])).replace(
            b"1.5", b"NaN"
        ),
        msgspec.json.encode(result(*[artefact(f"{i}.webp", str(i)) for i in range(33)])),
    ],
)
def test_broken_results_are_refused(tmp_path, content):
    (tmp_path / "a.webp").write_bytes(b"1")
    leave(tmp_path, content)
    with pytest.raises(InvalidResult):
        read_result(tmp_path)


def test_missing_result_and_missing_file(tmp_path):
    with pytest.raises(InvalidResult):
        read_result(tmp_path)
    leave(tmp_path, result(artefact()))
    with pytest.raises(InvalidResult, match="artefact a"):
        read_result(tmp_path)


def test_two_artefacts_of_one_name(tmp_path):
    (tmp_path / "a.webp").write_bytes(b"1")
    leave(tmp_path, result(artefact(), artefact()))
    with pytest.raises(InvalidResult, match="same name"):
        read_result(tmp_path)


@pytest.mark.parametrize(
    "limits",
    [ResultLimits(result_bytes=10), ResultLimits(file_bytes=3), ResultLimits(total_bytes=7)],
)
def test_limits(tmp_path, limits):
    (tmp_path / "a.webp").write_bytes(b"1234")
    (tmp_path / "b.webp").write_bytes(b"1234")
    leave(tmp_path, result(artefact(), artefact("b.webp", "b")))
    assert len(read_result(tmp_path, ResultLimits(total_bytes=8)).files) == 2
    with pytest.raises(InvalidResult, match="at most"):
        read_result(tmp_path, limits)


def test_progress_lines():
    assert parse_progress(b'{"progress":0.4,"step":"x"}\n').progress == 0.4
    for line in (b"hello", b'{"progress":2,"step":"x"}', b'{"progress":0.4}', b"\xff", b" " * 5000):
        assert parse_progress(line) is None
