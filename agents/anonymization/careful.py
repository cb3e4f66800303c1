"""The careful way: an object read by pydicom, every element decided about and encoded anew. Pure.

Takes whatever the standard allows, and keeps the object about four times in memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any, Literal, NamedTuple

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from agents.anonymization.admission import check_object, check_pixels, check_transfer_syntax
from agents.anonymization.encode import Encoder, part10
from agents.anonymization.encrypted import ENCRYPTED, encrypted_attributes, originals
from agents.anonymization.graphics import NO_OVERLAYS, Overlays, judge_overlays
from agents.anonymization.method import method_elements, with_method
from agents.anonymization.outcome import Anonymized, Refusal
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.rules import Action, Rules, book_of
from agents.anonymization.recognizable import shows_face
from agents.anonymization.rewrite import Rewriter
from agents.anonymization.shown import Shown
from agents.anonymization.source import raw, tags_of, vr_of
from agents.anonymization.surplus.image import Image
from agents.anonymization.surplus.removing import check_tables, image_alone
from agents.anonymization.text.cleaning import cleaner_of
from agents.anonymization.text.content import CONTENT_SEQUENCE, check_references
from agents.anonymization.text.documents import check_declared, tools_for
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.naming import Naming, naming_in
from agents.anonymization.tools import Tools
from agents.anonymization.values import Values
from agents.anonymization.verify import Expected, Span, check_cleaned, check_output, measure
from gateway.elements import PIXEL_DATA
from gateway.header import HeaderIdentity, identity_of
from gateway.identity import (
    ProjectKey,
    date_shift_days,
    instance_key,
    patient_of,
    series_key,
    study_key,
)
from gateway.part10 import Bounds, Encoding, encoding_of, inflate, read_meta

_BOUNDS = Bounds()
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
_CHARACTER_SET = 0x00080005
_BITS_ALLOCATED = 0x00280100
_OVERLAYS = 0x60
_DOCUMENT, _DOCUMENT_LENGTH, _MEDIA_TYPE = 0x00420011, 0x00420015, 0x00420012


class Task(NamedTuple):
    """How objects are anonymized: with which key and policy, knowing what of the study, by which tools."""

    key: ProjectKey
    policy: Policy
    study: KnownValues | None
    tools: Tools


class _Object(NamedTuple):
    """An object that was read: its data set lies in `body` where `span` says, written in `encoding`."""

    identity: HeaderIdentity
    body: bytes
    start: int
    span: Span
    syntax: str
    encoding: Encoding
    dataset: Dataset

    def text(self, tag: int) -> str:
        return raw(self.dataset, tag).decode("latin-1").strip("\0 ")

    def swapped(self) -> bool:
        """Tell whether the bytes of the pixels stand in words, in the other order (PS3.5, A.3)."""
        eight = raw(self.dataset, _BITS_ALLOCATED) == b"\0\x08"
        there = eight and not self.encoding.little and PIXEL_DATA in self.dataset
        return there and vr_of(self.dataset, PIXEL_DATA) == "OW"


def anonymize_carefully(content: bytes, task: Task) -> Anonymized:
    """Anonymize a DICOM Part 10 file.

    Raises
    ------
    agents.anonymization.outcome.Refusal, gateway.part10.Malformed
        When it is for quarantine. Whatever else a parser raises means the same.
    """
    one = _read(content)
    policy, identity = task.policy, one.identity
    check_policy(policy, identity)
    must_clean = check_object(identity.sop_class_uid, one.text, policy)
    one = _without_surplus(one)
    rules = book_of(policy).of(identity.sop_class_uid)
    top = {tag: raw(one.dataset, tag) for tag in tags_of(one.dataset)}
    known = known_of(naming_in(one.body, one.start, one.encoding, _BOUNDS), rules, task.study)
    overlays = _overlays(top, task, one.encoding)
    tools: tuple[str, ...] = ()
    if overlays.seen and task.tools.text_finder:
        tools = (task.tools.text_finder.name,)
    patient = patient_of(task.key, *Owner.of(identity))
    if rules.decide(CONTENT_SEQUENCE).action is Action.CONTENT:
        check_references(one.dataset, little=one.encoding.little)
    encoder = Encoder(one.encoding)
    rewriter = Rewriter(
        rules=rules,
        values=values_of(
            task,
            Owner.of(identity),
            rules,
            known,
            raw(one.dataset, _CHARACTER_SET),
            document=_document(task, one, known),
        ),
        encoder=encoder,
        overlays=overlays,
    )
    parts = rewriter.rewrite(one.dataset)
    if _DOCUMENT in rewriter.changed and rules.decide(_DOCUMENT).action is Action.CLEAN:
        tools += tools_for(one.text(_MEDIA_TYPE))
    _measure_document(parts, rewriter, encoder)
    label = policy.label_with(tools)
    parts |= method_elements(encoder, policy, label, tools=tools, pixels_cleaned=must_clean)
    if policy.encrypt_for:
        found = originals(one.body[one.start : one.span.end], one.encoding, rewriter.changed)
        parts[ENCRYPTED] = encrypted_attributes(found, encoder, tuple(policy.encrypt_for))
    rewritten = b"".join(parts[tag] for tag in sorted(parts))

    pixels = memoryview(one.body)[one.span.pixels_begin : one.span.pixels_end]
    shown = Shown(rewriter.top, one.encoding)
    check_pixels(
        pixels,
        shown.pixel_bytes(),
        encapsulated=one.span.encapsulated,
        names=known.occur_in,
        swapped=one.swapped(),
    )
    expected = Expected(rules=rules, known=known, overlays=overlays, encrypted=bool(policy.encrypt_for))
    check_output(rewritten, one.encoding, expected, pixels)
    instance_uid = rewriter.top[0x00080018].decode("ascii").rstrip("\0 ")
    output = part10(identity.sop_class_uid, instance_uid, one.syntax, rewritten)
    syntax = one.syntax
    if must_clean:
        output, syntax, tools = _cleaned(output, task, tools, expected)
    return Anonymized(
        output=output,
        patient=patient,
        study=study_key(task.key, identity.study_instance_uid),
        series=series_key(task.key, identity.series_instance_uid),
        instance=instance_key(task.key, identity.sop_instance_uid),
        sop_class_uid=identity.sop_class_uid,
        transfer_syntax_uid=syntax,
        modality=identity.modality,
        instance_number=identity.instance_number,
        number_of_frames=shown.integer(0x00280008) or 1,
        attributes=shown.attributes(),
        policy=policy.label_with(tools),
        counts=rewriter.tally.groups(),
        reasons=rewriter.tally.reasons(),
        tools=tools,
        face="clean_recognizable_visual_features" in policy.options
        and shows_face(identity.sop_class_uid, one.text(0x00180015)),
    )


def _read(content: bytes) -> _Object:
    meta = read_meta(content)
    syntax = meta.text(0x00020010)
    check_transfer_syntax(syntax)
    identity = identity_of(content)
    encoding, body, start = encoding_of(syntax), content, meta.dataset
    if encoding.deflated:
        body, start = inflate(content, start, _BOUNDS), 0
        syntax, encoding = _EXPLICIT_LITTLE, encoding_of(_EXPLICIT_LITTLE)
    span = measure(body, start, encoding, _BOUNDS)
    return _Object(identity, body, start, span, syntax, encoding, _dataset(body, start, span, encoding))


def _dataset(body: bytes, start: int, span: Span, encoding: Encoding) -> Dataset:
    # at_top_level would let pydicom guess another encoding than the one the bounds were measured in
    return read_dataset(
        BytesIO(body[start : span.end]), encoding.implicit, encoding.little, at_top_level=False
    )


def _without_surplus(one: _Object) -> _Object:
    """Give the object whose Pixel Data holds an image and nothing else."""
    begin, end = one.span.pixels_begin, one.span.pixels_end
    pixels, encapsulated = memoryview(one.body)[begin:end], one.span.encapsulated
    value = functools.partial(raw, one.dataset)
    image = Image.of(value, one.syntax, little=one.encoding.little)
    alone = image_alone(pixels, image, encapsulated=encapsulated) if pixels else None
    check_tables(value, pixels, image, encapsulated=encapsulated)
    if alone is None:
        return one
    body = b"".join((one.body[:begin], alone, one.body[end:]))
    return one._replace(body=body, dataset=_dataset(body, one.start, one.span, one.encoding))


def check_policy(policy: Policy, identity: HeaderIdentity) -> None:
    """Raise `Refusal` when the policy keeps objects of this kind in."""
    kept_in = policy.quarantine
    if identity.sop_class_uid in kept_in.sop_classes or identity.modality in kept_in.modalities:
        raise Refusal("policy", "The policy keeps objects of this kind in.")


def known_of(namings: Iterable[Naming], rules: Rules, study: KnownValues | None) -> KnownValues:
    """Compile what must not be found again: not what the policy keeps where it stands."""
    own = KnownValues.of_elements(
        naming
        for naming in namings
        if naming.tag == _CHARACTER_SET or rules.decide(naming.tag, naming.parent).action is not Action.KEEP
    )
    return own.union(study)


def _overlays(top: Mapping[int, bytes], task: Task, encoding: Encoding) -> Overlays:
    finder = task.tools.text_finder
    if "clean_graphics" not in task.policy.options or finder is None:
        return NO_OVERLAYS
    overlays = {tag: value for tag, value in top.items() if tag >> 24 == _OVERLAYS}
    return judge_overlays(overlays, finder.finds_text, little=encoding.little)


class Owner(NamedTuple):
    """Whose an object is, as `patient_of` and `date_shift_days` ask."""

    issuer: str
    patient_id: str
    study_uid: str

    @classmethod
    def of(cls, identity: HeaderIdentity) -> Owner:
        """Take it from an identity."""
        return cls(identity.issuer_of_patient_id, identity.patient_id, identity.study_instance_uid)


def values_of(
    task: Task, owner: Owner, rules: Rules, known: KnownValues, charset: bytes, **also: Any
) -> Values:
    """Give what makes the values of an object; `also`: what else `Values` takes."""
    days = date_shift_days(task.key, *owner, task.policy.dates.at_most_days)
    return Values(
        key=task.key,
        rules=rules,
        patient=patient_of(task.key, *owner),
        known=known,
        cleaner=cleaner_of(known, charset.rstrip(b"\0 "), _days_in_texts(task.policy, days)),
        shift_days=days,
        charset=charset,
        **also,
    )


def _document(task: Task, one: _Object, known: KnownValues) -> Callable[[bytes], bytes]:
    clean_document = task.tools.clean_document

    def document(content: bytes) -> bytes:
        if clean_document is None:
            raise Refusal("encapsulated-document", "Encapsulated documents can name the patient anywhere.")
        order: Literal["little", "big"] = "little" if one.encoding.little else "big"
        length = int.from_bytes(raw(one.dataset, _DOCUMENT_LENGTH), order)
        unpadded = content[:length] if length == len(content) - 1 else content
        check_declared(one.text(_MEDIA_TYPE), one.text)
        return clean_document(unpadded, one.text(_MEDIA_TYPE), known)

    return document


def _days_in_texts(policy: Policy, days: int) -> int | None:
    """Give by how many days dates in texts move, as those of attributes do; None: they go."""
    if "retain_longitudinal_modified_dates" in policy.options:
        return days
    return 0 if "retain_longitudinal_full_dates" in policy.options else None


def _measure_document(parts: dict[int, bytes], rewriter: Rewriter, encoder: Encoder) -> None:
    """Write the length that an encapsulated document has now."""
    if _DOCUMENT_LENGTH in parts and _DOCUMENT in rewriter.changed:
        length = len(rewriter.top.get(_DOCUMENT, b""))
        value = length.to_bytes(4, "little" if encoder.little else "big")
        parts[_DOCUMENT_LENGTH] = encoder.element(_DOCUMENT_LENGTH, "UL", value)


def _cleaned(
    output: bytes, task: Task, tools: tuple[str, ...], expected: Expected
) -> tuple[bytes, str, tuple[str, ...]]:
    """Clean the pixels of an anonymized file: give it, its transfer syntax, and all that decided about it."""
    if task.tools.clean_pixels is None:
        raise Refusal("pixels-not-cleaned", "Nothing is there that could judge its pixels.")
    cleaned = task.tools.clean_pixels(output, task.policy)
    tools = (*tools, *(tool for tool in cleaned.tools if tool not in tools))
    content = with_method(cleaned.content, task.policy, tools) if tools else cleaned.content
    meta = read_meta(content)
    syntax = meta.text(0x00020010)
    check_cleaned(content, meta.dataset, encoding_of(syntax), expected)
    return content, syntax, tools
