"""The page has words for every code that our own parts can send, and none for codes that are gone."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agents.anonymization import admission, manifest
from gateway import pressure, tls
from gateway import refusals as refused
from gateway.dul import negotiation
from gateway.refusal_events import closed_unheard
from gateway.sources import judging
from plugins.imaging.intensity import statistics
from plugins.imaging.measures import measure
from plugins.imaging.types import Volume

ROOT = Path(__file__).parent.parent.parent
CATALOGUE = (ROOT / "ui" / "web" / "src" / "texts" / "en.codes.ts").read_text(encoding="utf-8")
SOURCES = (ROOT / "ui" / "web" / "src" / "texts" / "en.sources.ts").read_text(encoding="utf-8")

REASONS = {"Refusal": 0, "Malformed": 0, "Quarantine": "reason"}
FINDINGS = {"_finding": 0, "_largest": 2, "PluginFinding": "code"}
"""What makes a code, and where in its call the code stands."""

FORWARDED = {
    ("admission.py", "reason"),  # of _REFUSED
    ("conformance.py", "_WHATEVER"),  # of nothing: it stands for each in a document
    ("anonymize.py", "reason"),  # of a Refusal or Malformed
    ("geometry.py", "code"),  # of _finding and _largest
    ("plugin.py", "code"),  # of _finding
    ("whole_series.py", "refused.reason"),  # of a Refusal
}
"""Calls that hand on a code that was made elsewhere."""


def texts(group: str) -> set[str]:
    (block,) = re.findall(rf"^  {group}: \{{\n(.*?)^  \}}", CATALOGUE, re.MULTILINE | re.DOTALL)
    return {
        quoted or plain for quoted, plain in re.findall(r"^    (?:'([^']+)'|(\w+)):", block, re.MULTILINE)
    }


def codes(source: Path, makers: dict[str, int | str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        place = makers.get(ast.unparse(node.func).rpartition(".")[2])
        if place is None:
            continue
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        given = node.args[place] if isinstance(place, int) else named[place]
        if isinstance(given, ast.Constant):
            yield given.value
        else:
            assert (source.name, ast.unparse(given)) in FORWARDED, (
                f"{source}:{node.lineno} makes a code that can't be read from the source"
            )


def made(folders: list[str], makers: dict[str, int | str]) -> set[str]:
    sources = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    return {code for source in sources for code in codes(source, makers)}


def test_every_reason_for_quarantine_has_its_words():
    refused = {reason for reason, _, _ in admission._REFUSED}
    assert texts("reasons") == made(["agents", "gateway"], REASONS) | refused | {manifest.GIVEN_UP}


def refusals() -> set[str]:
    """Give every word with which the door refuses, but those of `Malformed`, which are reasons above."""
    rejections = {
        one.word
        for module in (negotiation, judging, pressure)
        for one in vars(module).values()
        if isinstance(one, negotiation.Rejection)
    }
    makers = [
        one
        for one in vars(refused).values()
        if inspect.isfunction(one) and inspect.signature(one).return_annotation == "ObjectRefused"
    ]
    objects = {maker().reason for maker in makers if not inspect.signature(maker).parameters}
    handshakes = set(re.findall(r'"(tls-[a-z]+)"', inspect.getsource(tls)))
    return rejections | objects | handshakes | {closed_unheard("default", "").reason}


def test_every_refusal_says_why_and_what_to_do():
    (block,) = re.findall(r"^  reasons: \{\n(.*?)^  \}", SOURCES, re.MULTILINE | re.DOTALL)
    words = re.findall(r"^    (?:'([^']+)'|(\w+)): \[", block, re.MULTILINE)
    assert {quoted or plain for quoted, plain in words} == refusals()


def test_every_finding_has_its_words():
    assert texts("findings") == made(["plugins"], FINDINGS)


def test_every_measure_has_its_words():
    voxels = np.zeros((4, 4, 4), dtype=np.int16)
    voxels[1:3, 1:3, 1:3] = 100
    volume = Volume(voxels=voxels, affine=np.eye(4))
    measures = measure(volume, statistics(volume.voxels), intensity_unit="1")
    assert texts("measures") == {one.name for one in measures}


def test_a_new_code_is_seen(tmp_path):
    source = tmp_path / "new.py"
    source.write_text('raise Refusal("a-new-one", "x")\nraise outcome.Refusal("another", "x")\n')
    assert set(codes(source, REASONS)) == {"a-new-one", "another"}


def test_a_code_that_is_made_up_on_the_way_is_seen(tmp_path):
    source = tmp_path / "new.py"
    source.write_text('raise Refusal(f"bad-{vr}", "x")\n')
    with pytest.raises(AssertionError, match="can't be read from the source"):
        set(codes(source, REASONS))
