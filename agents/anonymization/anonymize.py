"""One object in, an anonymized object or the reason for its quarantine out: the careful path, with pydicom.

Pure but for reading a file when a path is given, and deterministic: the same bytes, key and policy give the
same bytes on any machine. Anything that can't be judged ends in quarantine; nothing is raised but for a file
that can't be read. Keeps the object about four times in memory; objects of more than `LIMIT` bytes are for a
path that streams.
"""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from agents.anonymization.admission import check_object, check_pixels, check_transfer_syntax
from agents.anonymization.encode import Encoder, part10
from agents.anonymization.outcome import Anonymized, Quarantine, Refusal
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.rules import RuleBook
from agents.anonymization.rewrite import Rewriter
from agents.anonymization.shown import Shown
from agents.anonymization.verify import check_output, measure
from gateway.header import identity_of
from gateway.identity import (
    ProjectKey,
    instance_key,
    patient_of,
    pseudonymous_uid,
    series_key,
    study_key,
)
from gateway.part10 import Bounds, Malformed, encoding_of, inflate, read_meta

LIMIT = 1024 * 1024 * 1024
"""Bytes of an object that this path takes."""

_BOUNDS = Bounds()
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"


def anonymize(source: bytes | Path, *, key: ProjectKey, policy: Policy) -> Anonymized | Quarantine:
    """Anonymize a DICOM Part 10 file by the Basic Application Level Confidentiality Profile and options.

    Parameters
    ----------
    source
        The file's bytes or its path.
    key
        The project's key.
    policy
        What may stay.

    Returns
    -------
    Anonymized or Quarantine
        Neither holds anything that identifies.

    Raises
    ------
    OSError
        When the file can't be read.

    Notes
    -----
    DICOM PS3.15, Annex E, edition 2026c. Deflated objects come out inflated, because what a deflater
    writes depends on its version; all others keep their transfer syntax.
    """
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > LIMIT:
        message = "The object is larger than can be judged at once."
        return Quarantine(reason="too-large", message=message, policy=policy.label)
    content = source.read_bytes() if isinstance(source, Path) else source
    try:
        return _anonymize(content, key, policy)
    except (Refusal, Malformed) as refused:
        reason = refused.reason if isinstance(refused, Refusal) else refused.code
        return Quarantine(reason=reason, message=str(refused), policy=policy.label)
    except Exception:  # noqa: BLE001 - whatever a parser stumbles over, the object must not get past it
        return Quarantine(
            reason="unparsable", message="The object can't be read as DICOM.", policy=policy.label
        )


def _anonymize(content: bytes, key: ProjectKey, policy: Policy) -> Anonymized:
    meta = read_meta(content)
    syntax = meta.text(0x00020010)
    check_transfer_syntax(syntax)
    identity = identity_of(content)
    encoding, body, start = encoding_of(syntax), content, meta.dataset
    if encoding.deflated:
        body, start = inflate(content, start, _BOUNDS), 0
        syntax, encoding = _EXPLICIT_LITTLE, encoding_of(_EXPLICIT_LITTLE)
    span = measure(body, start, encoding, _BOUNDS)
    # at_top_level would let pydicom guess another encoding than the one the bounds were measured in
    dataset = read_dataset(
        BytesIO(body[start : span.end]), encoding.implicit, encoding.little, at_top_level=False
    )
    rules = RuleBook(policy).of(identity.sop_class_uid)
    check_object(identity.sop_class_uid, lambda tag: _text(dataset, tag))

    patient = patient_of(key, identity.issuer_of_patient_id, identity.patient_id, identity.study_instance_uid)
    rewriter = Rewriter(key=key, rules=rules, patient=patient, encoder=Encoder(encoding))
    rewritten = rewriter.rewrite(dataset)
    pixels = memoryview(body)[span.pixels_begin : span.pixels_end]
    shown = Shown(rewriter.top, encoding)
    check_pixels(pixels, shown.pixel_bytes(), encapsulated=span.encapsulated, names=rewriter.known.occur_in)
    check_output(rewritten, encoding, rules, pixels)
    instance_uid = pseudonymous_uid(key, identity.sop_instance_uid)
    output = part10(identity.sop_class_uid, instance_uid, syntax, rewritten)
    return Anonymized(
        content=output,
        sha256=hashlib.sha256(output).hexdigest(),
        patient=patient,
        study=study_key(key, identity.study_instance_uid),
        series=series_key(key, identity.series_instance_uid),
        instance=instance_key(key, identity.sop_instance_uid),
        sop_class_uid=identity.sop_class_uid,
        transfer_syntax_uid=syntax,
        modality=identity.modality,
        instance_number=identity.instance_number,
        number_of_frames=shown.integer(0x00280008) or 1,
        attributes=shown.attributes(),
        policy=policy.label,
        counts=rewriter.counts(),
    )


def _text(dataset: Dataset, tag: int) -> str:
    item = dataset.get_item(tag, keep_deferred=True) if tag in dataset else None
    if item is None or not item.is_raw:
        return ""
    return (item.value or b"").decode("latin-1").strip("\0 ")
