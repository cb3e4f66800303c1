"""Which objects come out at all: classes by an allow-list, and pixels that can be judged. Pure.

Nothing here looks at pixels, so an object comes out only if its class and what it says of itself make text
burned into them implausible, or if the policy's option Clean Pixel Data lets them be cleaned:

- slices of CT, MR, PET and nuclear medicine and objects computed from them come out unless they say that
  something is burned in, or are captures of a screen;
- projection radiographs (CR, DX, MG, intra-oral, XA, XRF, tomosynthesis, RT images), where burned-in text is
  common, come out only if they say themselves that nothing is burned in;
- with Clean Pixel Data all of those in which text is plausible come out cleaned, radiographs whatever they
  say, and with them secondary captures, ultrasound, endoscopy, microscopy, ophthalmology, and photographs
  that say that nobody can be recognized on them;
- reports and documents come out with Clean Structured Content, presentation states with Clean Graphics;
- everything else, listed by name below or not, goes to quarantine.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pydicom.uid import AllTransferSyntaxes

from agents.anonymization.outcome import Refusal
from agents.anonymization.policy.document import Policy
from agents.anonymization.standard.codes import PolicyOption
from agents.anonymization.surplus.letters import letters
from agents.anonymization.surplus.spans import broken

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
_SINGLE_SLICES = frozenset(_ROOT + end for end in ("2", "4", "20", "128"))
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
_TEXTS: tuple[tuple[PolicyOption, str], ...] = (
    ("clean_structured_content", r"88\..*|104\..*"),
    ("clean_graphics", r"11\..*"),
)
"""Classes without pixels that an option cleans: reports and documents; presentation states. Which documents
can be cleaned is known once they are."""
_WITHOUT_PIXELS = r"88\..*|104\..*|11\..*|66\.[13]|481\.[358]"
"""Those, and registrations, structure sets and plans."""
_PIXEL_DATA = 0x7FE00010
_PICTURES = (
    r"3|3\.1|6|6\.1|6\.2"  # ultrasound
    r"|7|7\.[1-4]"  # secondary capture
    r"|77\.1\.[12346]|77\.1\.5\.[12456]"  # endoscopy, microscopy, photographs, slides, ophthalmology
)
"""Classes that come out once their pixels are cleaned of text."""
_PHOTOGRAPH, _SLIDE = "77.1.4", "77.1.6"
_LABEL = re.compile(r"LABEL|OVERVIEW")
_VIDEO = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.10[0-8](\.1)?")
_STREAMED = re.compile(r"1\.2\.840\.10008\.1\.2\.(4\.204|4\.205|7\..*)")
_SYNTAXES = frozenset(str(uid) for uid in AllTransferSyntaxes)

_SCREEN = re.compile(r"SAVE|SCREEN|CAPTURE|REPORT|\bPROT\b")
_CAPTURE_DEVICE = (0x00181010, 0x00181012, 0x00181014, 0x00181016, 0x00181018, 0x00181019)
_MONOCHROME = ("", "MONOCHROME1", "MONOCHROME2")
_NOT_ACQUIRED = "SECONDARY"
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
    """Tell whether the object's pixels must be cleaned of text before it comes out.

    Parameters
    ----------
    sop_class
        Its UID.
    text
        Gives what the object says.
    policy
        Its options say what can be cleaned; what can't be is kept in.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When the object's class, or what it says of itself, keeps it in.
    """
    end = sop_class.removeprefix(_ROOT) if sop_class.startswith(_ROOT) else ""
    if any(option in policy.options and re.fullmatch(ends, end) for option, ends in _TEXTS):
        _check_without_pixels(end, text)
        return False
    cleans = "clean_pixel_data" in policy.options
    if not (sop_class in _SLICES or sop_class in _PROJECTIONS or (cleans and re.fullmatch(_PICTURES, end))):
        for reason, message, ends in _REFUSED:
            if re.fullmatch(ends, end):
                raise Refusal(reason, message)
        raise Refusal("unlisted-class", "Objects of this class are not among those that may come out.")
    _check_without_pixels(end, text)
    if text(0x00280302).upper() == "YES":
        raise Refusal("recognizable-features", "The object says that the patient's face can be recognized.")
    if cleans:
        _check_photograph(end, text)
        if sop_class not in _SLICES or _suspicion(sop_class, text) is not None:
            return True
        return sop_class in _SINGLE_SLICES and _looks_captured(text)
    suspicion = _suspicion(sop_class, text)
    if suspicion is not None:
        raise suspicion
    return False


def _check_without_pixels(end: str, text: Text) -> None:
    if re.fullmatch(_WITHOUT_PIXELS, end) and text(_PIXEL_DATA):
        raise Refusal("excess-pixels", "There are pixels in an object of a kind that has none.")


def _suspicion(sop_class: str, text: Text) -> Refusal | None:
    """Give why text may be burned into the pixels of a slice or a radiograph, None when nothing says so."""
    burned_in = text(0x00280301).upper()
    if burned_in not in ("", "NO"):
        return Refusal("burned-in-annotation", "The object says that text is burned into its pixels.")
    if sop_class in _PROJECTIONS and burned_in != "NO":
        return Refusal(
            "burned-in-unknown", "A radiograph that does not say whether text is burned into its pixels."
        )
    if _SCREEN.search(text(0x00080008).upper()) or any(text(tag) for tag in _CAPTURE_DEVICE):
        return Refusal(
            "screen-capture", "The object looks like a captured screen, which can name the patient."
        )
    if sop_class not in _COLOURED and text(0x00280004).upper() not in _MONOCHROME:
        return Refusal("colour", "A colour image of a greyscale modality is often a captured screen.")
    return None


def _looks_captured(text: Text) -> bool:
    """Tell whether a slice that does not say so may still be a capture.

    It is if it has a screen's 8 bits, or was made from others and lies nowhere in the patient.
    """
    made = _NOT_ACQUIRED in text(0x00080008).upper() and not text(0x00200032)
    return made or text(0x00280101) == "\x08"


def _check_photograph(end: str, text: Text) -> None:
    """Raise `Refusal` at a photograph that shows a person, or a slide's label: there text is not all."""
    if end == _PHOTOGRAPH and text(0x00280302).upper() != "NO":
        raise Refusal("photograph", "A photograph that does not say that nobody can be recognized on it.")
    if end == _SLIDE and _LABEL.search(text(0x00080008).upper()):
        raise Refusal("photograph", "The picture of a slide's label names the patient.")


def check_pixels(
    pixels: memoryview,
    expected: int | None,
    *,
    encapsulated: bool,
    names: Callable[[bytes], bool],
    swapped: bool = False,
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
    swapped
        Whether the bytes of each two stand in the other order: those of OW in big endian (PS3.5, A.3).

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When there is more than an image.
    """
    if encapsulated:
        words = letters(pixels)
        if words is None:
            raise broken()
        if names(words):
            raise Refusal("pixel-comment", "Letters inside the compressed pixels name the patient.")
    elif pixels and (expected is None or any(_behind(pixels, expected, swapped=swapped))):
        raise Refusal("excess-pixels", "There is more in the pixel data than the image it describes.")


def _behind(pixels: memoryview, expected: int, *, swapped: bool) -> bytes | memoryview:
    """Give what stands behind so many bytes of an image."""
    if swapped and expected % 2:
        return bytes((*pixels[expected - 1 : expected], *pixels[expected + 1 :]))
    return pixels[expected:]


def check_overlay(tag: int, value: bytes, *, little: bool) -> None:
    """Raise `Refusal` when an overlay lies in unused bits of the pixels, from where nothing removes it."""
    if tag >> 24 == 0x60 and not tag >> 16 & 1 and tag & 0xFFFF in (0x0100, 0x0102):  # noqa: PLR2004 - tags
        number = int.from_bytes(value[:2], "little" if little else "big")
        if number != (1 if tag & 0xFFFF == 0x0100 else 0):  # noqa: PLR2004 - Overlay Bits Allocated
            raise Refusal("embedded-overlay", "An overlay is hidden in unused bits of the pixels.")
