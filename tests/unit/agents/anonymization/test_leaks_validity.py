"""What comes out is as valid as what came in: dciodvfy finds no error that the input lacked."""

from __future__ import annotations

import contextlib
import warnings

import pydicom
import pytest

from agents.anonymization.anonymize import anonymize
from agents.anonymization.outcome import Quarantine
from tests.canaries.checks import EVERYTHING, KEY, RESEARCH, policy_with
from tests.canaries.digests import objects
from tests.canaries.real import files
from tests.canaries.validity import errors, new_errors

UNREADABLE = {"explicit_VR-UN.dcm"}
"""All elements have VR UN: of such an original dciodvfy does not see what it then asks of the output."""


def made():
    return {name: content for name, content in objects() if "table" not in name}


def kind_of(path):
    with contextlib.suppress(Exception), warnings.catch_warnings(action="ignore"):
        data = pydicom.dcmread(path, force=True)
        tags = frozenset((int(element.tag), element.VR) for element in data.iterall())
        return data.get("SOPClassUID"), data.file_meta.get("TransferSyntaxUID"), tags
    return path


def real():
    """Give a file of each kind: of a class, in a syntax, with the same attributes at every depth."""
    kinds = {}
    for path in files():
        kinds.setdefault(kind_of(path), path)
    return {path.name: path.read_bytes() for path in kinds.values() if path.name not in UNREADABLE}


def new_errors_by_name(sources, folder, *options):
    found, compared = {}, 0
    for name, source in sources.items():
        result = anonymize(source, key=KEY, policy=policy_with(*options))
        if isinstance(result, Quarantine):
            continue
        compared += 1
        if wrong := new_errors(source, result.content, folder):
            found[name] = dict(wrong)
    return found, compared


@pytest.mark.parametrize(
    "options", [(), RESEARCH, EVERYTHING, ("retain_uids",)], ids=["basic", "research", "everything", "uids"]
)
def test_outputs_of_made_objects_have_no_new_error(tmp_path, options):
    found, compared = new_errors_by_name(made(), tmp_path, *options)
    assert found == {}
    assert compared > 9


def test_outputs_of_real_files_have_no_new_error(tmp_path):
    found, compared = new_errors_by_name(real(), tmp_path)
    assert found == {}
    assert compared > 35


def test_made_objects_have_no_error(tmp_path):
    for name, content in made().items():
        (tmp_path / "a.dcm").write_bytes(content)
        assert not errors(tmp_path / "a.dcm"), name


def test_an_error_is_seen(tmp_path):
    content = made()["ct"]
    broken = content.replace(b"\x28\0\x10\0US", b"\x28\0\x0f\0US")
    assert new_errors(content, broken, tmp_path)
    assert not new_errors(content, content, tmp_path)
