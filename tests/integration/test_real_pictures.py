"""Text that devices burned into real pictures goes; nine in ten of all files come out, and stay valid."""

from __future__ import annotations

import functools
import math
from collections import Counter
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array

from agents.anonymization.anonymize import anonymize
from agents.anonymization.installed import installed_tools
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.pixels.boxes import Box
from agents.anonymization.pixels.cleaning import clean_pixels
from agents.anonymization.policy.ready import BASIC
from agents.anonymization.tools import Tools
from tests.canaries.checks import KEY, policy_with
from tests.canaries.drawn import legible
from tests.canaries.drawn_objects import MARKED
from tests.canaries.finding import decoded
from tests.canaries.real import files
from tests.canaries.validity import new_errors
from tests.unit.agents.anonymization.pixels.checks import Pointing
from tests.unit.agents.anonymization.pixels.test_derived import errors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

NAMED = {
    "1.2.840.10008.1.3.10": 8,  # directories of media
    "1.2.840.10008.5.1.4.39.1": 8,  # palettes
    "1.2.840.10008.5.1.4.1.1.88.11": 2,  # structured reports
    "1.2.840.10008.5.1.4.1.1.88.33": 1,
    "1.2.840.10008.5.1.4.1.1.9.1.1": 1,  # an electrocardiogram
}
"""SOP classes that a policy which cleans pixels alone holds back by name, and how many files have them."""
SEEN_AT_MOST = 256 * 256
"""Values of pixels up to which the detector sees a picture here: it takes a minute for the largest. `WRITTEN`
has some larger ones."""
UNREADABLE = {"explicit_VR-UN.dcm", "image_dfl.dcm"}
"""All elements have VR UN, or are deflated: of those dciodvfy does not see what it asks of the output."""

WRITTEN = {
    "US1_UNCR": {
        "BAPTIST MED CTR": Box(20, 27, 168, 40),
        "630P630": Box(20, 43, 92, 56),
        "+2:09:04": Box(280, 43, 358, 56),
        "78DR78": Box(560, 91, 620, 103),
        "LYMPH NODE": Box(249, 362, 358, 375),
        "TIS<0.4 MI=0.8": Box(400, 458, 540, 471),
    },
    "OBXXXX1A_2frame": {"header": Box(0, 0, 800, 58), "Cist Mag": Box(135, 85, 250, 98)},
    "gdcm-US-ALOKA-16": {
        "header": Box(0, 0, 640, 23),
        "127/128": Box(250, 36, 318, 48),
        "20Hz": Box(598, 49, 638, 60),
        "LO": Box(81, 61, 97, 71),
        "PELVIS": Box(0, 445, 640, 480),
    },
    "JPGLosslessP14SV1_1s_1f_8b": {
        "Asc Ao Diam 3.3 cm": Box(106, 67, 330, 84),
        "TIS0.4": Box(828, 27, 896, 44),
        "P Low": Box(15, 203, 68, 216),
        "Adult Echo": Box(15, 26, 142, 44),
    },
    "SC_rgb_rle_32bit_2frame": {},
    "JPGExtended": {},
    "JPEG2000": {},
    "SC_rgb_jpeg_dcmtk": {},
    "examples_jpeg2k": {"BAPTIST MED CTR": Box(20, 27, 168, 40)},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_real_text_goes(name, tmp_path):
    source = Path(str(get_testdata_file(f"{name}.dcm"))).read_bytes()
    cleaned = clean_pixels(source, BASIC).content
    new = pydicom.dcmread(BytesIO(cleaned))
    assert new.BurnedInAnnotation == "NO"
    after = pixel_array(BytesIO(cleaned), raw=True)
    after = after.reshape(-1, new.Rows, new.Columns, new.SamplesPerPixel)
    for left, top, right, bottom in WRITTEN[name].values():
        part = after[:, top:bottom, left:right].reshape(-1, new.SamplesPerPixel)
        assert len(np.unique(part, axis=0)) == 1, "all of it is black"
    assert not errors(cleaned, tmp_path) - errors(source, tmp_path)


@pytest.mark.parametrize("name", [name for name in MARKED if name != "photograph"])
def test_what_is_drawn_is_blacked_out(name):
    policy = policy_with("clean_pixel_data")
    drawn = MARKED[name]()
    result = anonymize(drawn.content, key=KEY, policy=policy, tools=installed_tools(policy))
    assert isinstance(result, Anonymized), result
    out = decoded(result.content)
    assert legible(out, drawn.lines) == []
    assert out.BurnedInAnnotation == "NO"


def values_of(source: bytes) -> int:
    """Tell how many values its pixels have, as far as that can be told."""
    header = pydicom.dcmread(BytesIO(source), stop_before_pixels=True, force=True)
    said = [header.get(name) for name in ("Rows", "Columns", "SamplesPerPixel", "NumberOfFrames")]
    return math.prod(int(one) for one in said if one and str(one).isdigit())


def class_of(path: Path) -> str:
    data = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    return str(data.get("SOPClassUID") or data.file_meta.get("MediaStorageSOPClassUID") or "")


def test_nine_in_ten_of_all_files_come_out_as_valid_as_they_were(tmp_path):
    """Of all but those of named classes: what is damaged, cut off or no object counts as staying in."""
    policy = policy_with("clean_pixel_data")
    tools = installed_tools(policy)
    blind = Tools(clean_pixels=functools.partial(clean_pixels, detector=Pointing(np.ones((1, 4, 4), bool))))
    out, wrong = [], {}
    for path in files():
        source = path.read_bytes()
        used = tools if values_of(source) <= SEEN_AT_MOST else blind
        result = anonymize(source, key=KEY, policy=policy, tools=used)
        if isinstance(result, Quarantine):
            print(path.name, result.reason)
            continue
        out.append(path)
        if result.tools and path.name not in UNREADABLE:
            found = new_errors(source, result.content, tmp_path)
            wrong |= {path.name: found} if found else {}
    assert wrong == {}
    named = {path for path in files() if class_of(path) in NAMED}
    assert Counter(map(class_of, named)) == NAMED
    assert not named & set(out)
    assert len(out) >= 0.9 * (len(files()) - len(named))
    assert len(out) >= 216
