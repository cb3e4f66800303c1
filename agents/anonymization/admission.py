"""Which objects come out at all: classes by an allow-list, and pixels that can be judged. Pure.

Nothing here looks at pixels, so an object comes out only if its class and what it says of itself make text
burned into them implausible:

- slices of CT, MR, PET and nuclear medicine and objects computed from them come out unless they say that
  something is burned in, or are captures of a screen;
- projection radiographs (CR, DX, MG, intra-oral, XA, XRF, tomosynthesis, RT images), where burned-in text is
  common, come out only if they say themselves that nothing is burned in;
- everything else, listed by name below or not, goes to quarantine.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pydicom.uid import AllTransferSyntaxes

from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.document import Policy
from agents.anonymization.surplus.removing import letters

_ROOT = "1.2.840.10008.5.1.4.1.1."

_SLICES = frozenset(
    _ROOT + end
    for end in (
        *("2", "2.1", "2.2"),  # CT: single, enhanced, legacy converted
        *("4", "4.1", "4.2", "4.4"),  # MR: single, enhanced, spectroscopy, legacy converted
        *("20", "128", "128.1", "130"),  # NM, PET: single, legacy converted, enhanced
        *("30", "66.1", "66.3", "66.4"),  # parametric map, registrations, segmentation
        *("481.2", "481.3", "481.5", "481.8"),  # RT dose, structure set, plan, ion plan
    )
)
_PROJECTIONS = frozenset(
    _ROOT + end
    for end in (
        *("1", "1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1"),  # CR, DX, MG, intra-oral
        *("12.1", "12.1.1", "12.2", "12.2.1"),  # XA, enhanced XA, XRF, enhanced XRF
        *("13.1.1", "13.1.2", "13.1.3", "13.1.4", "13.1.5"),  # X-ray 3D, breast tomosynthesis
        "481.1",  # RT image
    )
)
_REFUSED = (
    ("ultrasound", "Ultrasound: names are often drawn into its pixels.", r"(3|3\.1|6|6\.1|6\.2|6\.3)"),
    ("secondary-capture", "Secondary capture: what is on it can't be judged.", r"7(\..*)?"),
    ("photograph", "Photographs, video, endoscopy and microscopy can show or name the patient.", r"77\..*"),
    ("encapsulated-document", "Encapsulated documents can name the patient anywhere.", r"104\..*"),
    ("structured-report", "Structured reports can name the patient in any of their texts.", r"88\..*"),
    ("presentation-state", "Presentation states can carry text and drawings.", r"11\..*"),
)
_VIDEO = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?")
_STREAMED = re.compile(r"1\.2\.840\.10008\.1\.2\.(4\.204|4\.205|7\..*)")
_SYNTAXES = frozenset(str(uid) for uid in AllTransferSyntaxes)

_SCREEN = re.compile(r"SAVE|SCREEN|CAPTURE|REPORT|\bPROT\b")
_CAPTURE_DEVICE = (0x00181010, 0x00181012, 0x00181014, 0x00181016, 0x00181018, 0x00181019)
_MONOCHROME = ("", "MONOCHROME1", "MONOCHROME2")
_COLOURED = frozenset((_ROOT + "20", _ROOT + "66.4"))
"""Nuclear medicine and segmentations may use a palette by their IOD."""

Text = Callable[[int], str]
"""Gives the text of a top-level element, empty when it is not there."""


def check_transfer_syntax(uid: str) -> None:
    """Raise `Refusal` when an object in this transfer syntax can't be judged."""
    if _VIDEO.fullmatch(uid):
        raise Refusal("photograph", "Video can show or name the patient.")
    if uid not in _SYNTAXES or _STREAMED.fullmatch(uid):
        raise Refusal("unknown-transfer-syntax", "The object is encoded in a way that is not understood.")


def check_object(sop_class: str, text: Text, policy: Policy) -> bool:
    """Tell whether the object's pixels must be cleaned before it comes out.

    Raises `Refusal` when its class, or what it says of itself, keeps it in.
    """
    del policy
    if sop_class not in _SLICES and sop_class not in _PROJECTIONS:
        for reason, message, ends in _REFUSED:
            if sop_class.startswith(_ROOT) and re.fullmatch(ends, sop_class.removeprefix(_ROOT)):
                raise Refusal(reason, message)
        raise Refusal("unlisted-class", "Objects of this class are not among those that may come out.")
    burned_in = text(0x00280301).upper()
    if burned_in not in ("", "NO"):
        raise Refusal("burned-in-annotation", "The object says that text is burned into its pixels.")
    if sop_class in _PROJECTIONS and burned_in != "NO":
        raise Refusal(
            "burned-in-unknown", "A radiograph that does not say whether text is burned into its pixels."
        )
    if text(0x00280302).upper() == "YES":
        raise Refusal("recognizable-features", "The object says that the patient's face can be recognized.")
    if _SCREEN.search(text(0x00080008).upper()) or any(text(tag) for tag in _CAPTURE_DEVICE):
        raise Refusal(
            "screen-capture", "The object looks like a captured screen, which can name the patient."
        )
    if sop_class not in _COLOURED and text(0x00280004).upper() not in _MONOCHROME:
        raise Refusal("colour", "A colour image of a greyscale modality is often a captured screen.")
    return False


def check_pixels(
    pixels: memoryview, expected: int | None, *, encapsulated: bool, names: Callable[[bytes], bool]
) -> None:
    """Look for what does not belong into Pixel Data, without decoding it.

    Parameters
    ----------
    pixels
        The value.
    expected
        Bytes that the image's own description asks for; None: it has none.
    encapsulated
        Whether the value is compressed fragments, in which letters may stand where nothing decodes them.
    names
        Tells whether bytes hold a name or id of this object.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When there is more than an image.
    """
    if encapsulated:
        if any(map(names, letters(pixels))):
            raise Refusal("pixel-comment", "Letters inside the compressed pixels name the patient.")
    elif pixels and (expected is None or any(pixels[expected:])):
        raise Refusal("excess-pixels", "There is more in the pixel data than the image it describes.")


def check_overlay(tag: int, value: bytes, *, little: bool) -> None:
    """Raise `Refusal` when an overlay lies in unused bits of the pixels, from where nothing removes it."""
    if tag >> 24 == 0x60 and not tag >> 16 & 1 and tag & 0xFFFF in (0x0100, 0x0102):  # noqa: PLR2004 - tags
        number = int.from_bytes(value[:2], "little" if little else "big")
        if number != (1 if tag & 0xFFFF == 0x0100 else 0):  # noqa: PLR2004 - Overlay Bits Allocated
            raise Refusal("embedded-overlay", "An overlay is hidden in unused bits of the pixels.")
