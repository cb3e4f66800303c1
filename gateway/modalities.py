"""The modalities that the standard knows (DICOM PS3.3, C.7.3.1.1.1), the retired ones among them. Pure.

Modality reaches cards and topics before an object is anonymized, and its VR lets any word stand there, so
nothing but the standard's own terms passes.
"""

from __future__ import annotations

OTHER = "OT"

_TERMS = frozenset(
    (
        *("ANN", "AR", "ASMT", "AU", "BDUS", "BI", "BMD", "CFM", "CR", "CT", "CTPROTOCOL", "DG"),
        *("DMS", "DOC", "DX", "ECG", "EEG", "EMG", "EOG", "EPS", "ES", "FID", "GM", "HC", "HD", "IO"),
        *("IOL", "IVOCT", "IVUS", "KER", "KO", "LEN", "LS", "M3D", "MG", "MR", "NM", "OAM", "OCT"),
        *("OP", "OPM", "OPT", "OPTBSV", "OPTENF", "OPV", "OSS", "OT", "PA", "PLAN", "POS", "PR"),
        *("PT", "PX", "REG", "RESP", "RF", "RG", "RTDOSE", "RTIMAGE", "RTINTENT", "RTPLAN", "RTRAD"),
        *("RTRECORD", "RTSEGANN", "RTSTRUCT", "RWV", "SEG", "SM", "SMR", "SR", "SRF", "STAIN"),
        *("TEXTUREMAP", "TG", "US", "VA", "XA", "XAPROTOCOL", "XC"),
    )
)
_RETIRED = frozenset(
    (
        *("AS", "CD", "CF", "CP", "CS", "DD", "DF", "DM", "DS", "EC", "FA", "FS", "LP", "MA", "MS"),
        *("OPR", "ST", "VF"),
    )
)


def modality_of(value: str) -> str:
    """Give the modality that a value names; `OTHER` when it is no term of the standard."""
    term = value.strip("\0 ")
    return term if term in _TERMS or term in _RETIRED else OTHER
