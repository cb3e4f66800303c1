from __future__ import annotations

import pytest

from agents.anonymization.pixels.boxes import Box
from agents.anonymization.pixels.regions import Device, load_rules, text_regions
from agents.anonymization.pixels.ultrasound import Region as Scan
from agents.anonymization.pixels.ultrasound import scanned
from agents.anonymization.policy.document import Region
from tests.unit.agents.anonymization.pixels.making_regions import TARGET, made

LOGIQ = Device("US", "GE Healthcare", "LOGIQE9", r"ORIGINAL\PRIMARY", 720, 960)


def test_the_rules_are_those_of_their_sources():
    assert TARGET.read_text(encoding="utf-8") == made()


def test_no_rule_fits_whatever_device():
    nothing = Device("", "", "", "", 0, 0)
    assert not text_regions(nothing, [])
    assert all(rule.sources for rule in load_rules())
    assert len(load_rules()) > 100


@pytest.mark.parametrize(
    ("device", "box"),
    [
        (LOGIQ, Box(0, 0, 960, 70)),
        # corners in deid's `coordinates`, a size in its `ctpcoordinates`
        (Device("CT", "SIEMENS", "SOMATOM Definition AS+", "", 512, 512), Box(450, 0, 672, 85)),
        (Device("NM", "Siemens NM", "", r"DERIVED\SECONDARY", 860, 1132), Box(0, 780, 1132, 860)),
        # only in CTP's list: rows and columns from and to
        (Device("US", "Philips", "Sparq", "", 600, 800), Box(80, 0, 800, 55)),
        # deid asks for a device that does not exist
        (Device("DX", "Canon Inc.", "CXDI Control", "", 2592, 2208), Box(0, 2512, 2208, 2592)),
        # a slip of deid's writers: "Manfacturer"
        (Device("NM", "ADAC Laboratories", "", "", 832, 1024), Box(0, 762, 1024, 842)),
    ],
)
def test_devices_have_their_boxes(device, box):
    assert box in text_regions(device, [])


@pytest.mark.parametrize(
    "device",
    [
        LOGIQ._replace(modality="MR", model="Signa"),
        LOGIQ._replace(manufacturer="Toshiba", model="Aplio"),
        # rules of a whole maker are about its CT
        Device("DX", "GE MEDICAL SYSTEMS", "Discovery XR656", r"ORIGINAL\PRIMARY", 2022, 2022),
    ],
)
def test_other_devices_have_not(device):
    assert not text_regions(device, [])


def test_a_policy_adds_regions_of_its_own():
    own = Region(boxes=[(5, 6, 10, 20)], modality="us", model="logiq", rows=720)
    assert Box(5, 6, 15, 26) in text_regions(LOGIQ, [own])
    assert Box(5, 6, 15, 26) not in text_regions(LOGIQ._replace(rows=721), [own])
    assert Box(5, 6, 15, 26) not in text_regions(LOGIQ._replace(model="Voluson"), [own])
    assert Box(0, 0, 1, 1) in text_regions(Device("", "", "", "", 4, 4), [Region(boxes=[(0, 0, 1, 1)])])


def test_ultrasound_is_where_its_regions_say():
    kept = scanned([Scan(1, 10, 20, 99, 79), Scan(3, 0, 80, 99, 99)], 100, 100)
    assert kept == [Box(10, 20, 100, 80), Box(0, 80, 100, 100)]


@pytest.mark.parametrize(
    "regions",
    [
        [],
        [Scan(1, 84, 31, 595, 414)],  # of a picture that was made smaller since
        [Scan(1, 50, 20, 40, 79)],
        [Scan(1, 10, 20, 99, None)],
        [Scan(None, 10, 20, 99, 79)],
        [Scan(9, 10, 20, 99, 79)],
        [Scan(1, 10, 20, 19, 29)],  # next to nothing
        [Scan(5, 0, 0, 99, 99)],  # graphics
        [Scan(1, 10, 20, 99, 79), Scan(1, 0, 0, 500, 99)],
    ],
)
def test_regions_that_can_not_be_right_say_nothing(regions):
    assert scanned(regions, 100, 100) is None
