"""What becomes of the descriptors in real files: those of pydicom and pydicom-data."""

from __future__ import annotations

from pathlib import Path

import data_store
import pydicom
import pytest

from agents.anonymization.text.cleaning import Cleaner
from agents.anonymization.text.folding import pieces
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.naming import CHARACTER_SET, NAMING

DESCRIPTORS = 0x00081030, 0x0008103E, 0x00181030, 0x00321060, 0x00400254, 0x00204000
"""Of study, series, protocol, requested and performed procedure; Image Comments."""


def raw(dataset, tags):
    values = {}
    for tag in tags:
        element = dataset.get_item(tag, keep_deferred=True) if tag in dataset else None
        if element is not None and element.is_raw and element.value:
            values[tag] = element.value
    return values


@pytest.fixture(scope="module")
def objects():
    """What each object calls its people, and its descriptors."""
    found = []
    for folder in (Path(pydicom.__file__).parent / "data", Path(data_store.__file__).parent / "data"):
        for path in sorted(folder.rglob("*")):
            try:
                dataset = pydicom.dcmread(path, stop_before_pixels=True)
            except (pydicom.errors.InvalidDicomError, OSError, ValueError, AttributeError):
                continue
            naming = raw(dataset, (CHARACTER_SET, *NAMING))
            found.append((naming, list(raw(dataset, DESCRIPTORS).values())))
    return found


def test_what_names_nobody_stays(objects):
    seen, changed = 0, []
    for naming, descriptors in objects:
        known = KnownValues.of_dataset(naming)
        cleaner = Cleaner(known, naming.get(CHARACTER_SET, b"").strip(b"\0 "))
        people = " ".join(naming.get(tag, b"").decode("latin-1") for tag in (0x00100010, 0x00100020))
        named = {piece.key for piece in pieces(people) if not piece.digits}
        for value in descriptors:
            seen += 1
            if cleaner.clean(value, "LT") != value:
                changed.append(value)
                # only phantoms: each is called what its image shows
                assert named & {piece.key for piece in pieces(value.decode("latin-1"))}, value
    print(f"{seen} descriptors, {seen - len(changed)} unchanged")
    assert seen > 250
    assert len(changed) < 0.05 * seen
