"""What an anonymization says of itself in an object (DICOM PS3.15, E.1.1; PS3.3, C.7.1.1, C.12.1). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agents.anonymization.encode import Encoder
from agents.anonymization.policy.document import Policy
from agents.anonymization.standard.codes import BASIC_PROFILE, OPTION_CODES, PolicyOption
from gateway.elements import Walker
from gateway.part10 import Bounds, Malformed, encoding_of, read_meta

EDITION = "PS3.15 2026c"
IDENTITY_REMOVED, METHOD, METHOD_CODES, LONGITUDINAL = 0x00120062, 0x00120063, 0x00120064, 0x00280303
WRITTEN = frozenset((IDENTITY_REMOVED, METHOD, METHOD_CODES, LONGITUDINAL))
"""Elements that say it, at the top level."""
_LONGEST = 64
"""Characters of a value of De-identification Method (LO)."""

_OF_PIXELS: frozenset[PolicyOption] = frozenset(("clean_pixel_data", "clean_recognizable_visual_features"))


def method_elements(
    encoder: Encoder, policy: Policy, label: str, *, tools: Sequence[str] = (), pixels_cleaned: bool = False
) -> dict[int, bytes]:
    """Give the elements by tag.

    Parameters
    ----------
    label
        The policy's, with what decided beside it.
    tools
        What decided beside the policy, with versions.
    pixels_cleaned
        Whether pixels were cleaned. The code of Clean Pixel Data stands only in objects to which that was
        done; who takes out faces adds the code of that. All other options are applied to every object.
    """
    undone = _OF_PIXELS - {"clean_pixel_data"} if pixels_cleaned else _OF_PIXELS
    codes = (OPTION_CODES[option] for option in OPTION_CODES if option in policy.options - undone)
    method = (f"CHIPS {label}, {EDITION}", *tools)
    text = "\\".join(value.replace("\\", "/")[:_LONGEST] for value in method)
    return {
        IDENTITY_REMOVED: encoder.element(IDENTITY_REMOVED, "CS", b"YES"),
        METHOD: encoder.element(METHOD, "LO", text.encode("ascii", "replace")),
        METHOD_CODES: encoder.sequence(
            METHOD_CODES,
            [
                encoder.element(0x00080100, "SH", code.value.encode())
                + encoder.element(0x00080102, "SH", b"DCM")
                + encoder.element(0x00080104, "LO", code.meaning.encode())
                for code in (BASIC_PROFILE, *codes)
            ],
        ),
        LONGITUDINAL: encoder.element(LONGITUDINAL, "CS", temporal_information(policy)),
    }


def temporal_information(policy: Policy) -> bytes:
    """Give Longitudinal Temporal Information Modified."""
    if "retain_longitudinal_modified_dates" in policy.options:
        return b"MODIFIED"
    return b"UNMODIFIED" if "retain_longitudinal_full_dates" in policy.options else b"REMOVED"


def with_method(content: bytes, policy: Policy, tools: Sequence[str]) -> bytes:
    """Give an anonymized file that says what else decided about it, after it was written.

    Raises
    ------
    gateway.part10.Malformed
        When it is no such file.
    """
    meta = read_meta(content)
    encoding = encoding_of(meta.text(0x00020010))
    encoder = Encoder(encoding)
    said = method_elements(encoder, policy, policy.label_with(tools), tools=tools)[METHOD]
    for element in Walker(content, meta.dataset, encoding, Bounds()):
        if element.tag == METHOD and element.depth == 0:
            begin = element.offset - 8
            return content[:begin] + said + content[element.offset + element.length :]
    raise Malformed("bad-structure", "An anonymized object does not say that it is one.")
