"""Which objects can show a face once they are rendered (DICOM PS3.15, E.3.2). Pure."""

from __future__ import annotations

import re

_ROOT = "1.2.840.10008.5.1.4.1.1."
_VOLUMES = frozenset(_ROOT + end for end in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4"))
"""CT and MR: single, enhanced, enhanced colour, legacy converted."""
_ELSEWHERE = frozenset(
    (
        *("ABDOMEN", "ABDOMENPELVIS", "ANKLE", "AORTA", "ARM", "BLADDER", "BREAST", "CALCANEUS", "CALF"),
        *("CHEST", "CHESTABDOMEN", "CHESTABDPELVIS", "COCCYX", "COLON", "ELBOW", "EXTREMITY"),
        *("FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "HEART", "HIP", "HUMERUS", "KIDNEY", "KNEE", "LEG"),
        *("LIVER", "LSPINE", "LUNG", "PANCREAS", "PELVIS", "PROSTATE", "RADIUS", "RIB", "SACRUM", "SCAPULA"),
        *("SHOULDER", "SSPINE", "STERNUM", "THIGH", "THORAX", "TIBIA", "TLSPINE", "TOE", "TSPINE", "ULNA"),
        *("UTERUS", "WRIST", "LSSPINE", "SPLEEN", "STOMACH", "TESTIS", "OVARY", "HINDLIMB", "FORELIMB"),
    )
)
"""Values of Body Part Examined (PS3.16, Annex L) of parts without a face: the neck has its chin."""


def shows_face(sop_class: str, body_part: str) -> bool:
    """Tell whether a face can be in an object: in any CT or MR that does not say that it is of another part.

    Parameters
    ----------
    sop_class
        Its UID.
    body_part
        Body Part Examined, empty when the object does not say.
    """
    return sop_class in _VOLUMES and re.sub(r"[ _-]", "", body_part.upper()) not in _ELSEWHERE
