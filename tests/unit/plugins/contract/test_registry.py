"""Every folder with a declaration is a plugin that can be started."""

from __future__ import annotations

import typing
from importlib.util import find_spec

import pytest

from plugins.contract import types
from plugins.contract.errors import UnknownPlugin
from plugins.contract.registry import find_plugin, load_registry, plugins_for
from schemas import job


def test_registry():
    registry = load_registry()
    assert "volumetry" in registry
    for name, manifest in registry.items():
        assert manifest.name == name
        assert find_spec(f"plugins.{name}.__main__") is not None
        assert manifest.image == f"chips-plugin-{name}:{manifest.version}"


def test_finding():
    registry = load_registry()
    version = registry["volumetry"].version
    assert find_plugin(registry, "volumetry", version).name == "volumetry"
    with pytest.raises(UnknownPlugin):
        find_plugin(registry, "volumetry", "0.0.0")
    with pytest.raises(UnknownPlugin):
        find_plugin(registry, "nothing", version)
    assert "volumetry" in [manifest.name for manifest in plugins_for(registry, "MR")]


def test_contract_fits_the_events():
    """What a plugin may say must fit into the events that carry it on."""
    for ours, theirs in ((types.PluginMeasure, job.Measure), (types.PluginFinding, job.Finding)):
        mine = typing.get_type_hints(ours, include_extras=True)
        for name, hint in typing.get_type_hints(theirs, include_extras=True).items():
            assert mine[name] == hint, (ours, name)
    outcome = typing.get_type_hints(job.ResultPublished, include_extras=True)["outcome"]
    assert outcome == types.Outcome
