"""One object by the fast path: an anonymized object, or None when it is for the careful way."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

from agents.anonymization.admission import check_object, check_transfer_syntax
from agents.anonymization.careful import Owner, Task, check_policy, known_of, values_of
from agents.anonymization.encode import Encoder, part10
from agents.anonymization.fast.look import Look, Places
from agents.anonymization.fast.making import Maker
from agents.anonymization.fast.pattern import pattern_of
from agents.anonymization.fast.pixels import check
from agents.anonymization.fast.scan import Surprise
from agents.anonymization.fast.series import Asked, Decided, Series
from agents.anonymization.fast.sources import InMemory, OnDisk, Source
from agents.anonymization.fast.tables import Tables
from agents.anonymization.fast.top import WINDOW, Top
from agents.anonymization.kinds import CHARACTER_SET
from agents.anonymization.method import IDENTITY_REMOVED, LONGITUDINAL, METHOD, METHOD_CODES, method_elements
from agents.anonymization.outcome import Anonymized
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.rules import PATIENT_ID, PATIENT_NAME, Rules, Within, book_of
from agents.anonymization.recognizable import shows_face
from agents.anonymization.shown import Shown
from agents.anonymization.surplus.image import Image
from agents.anonymization.text.known import KnownValues
from agents.anonymization.text.naming import Naming
from agents.anonymization.tools import NO_TOOLS
from gateway.elements import PIXEL_DATA
from gateway.header import SHARED, HeaderIdentity, identity_from
from gateway.identity import ProjectKey, instance_key, patient_of, pseudonymous_uid, series_key, study_key
from gateway.part10 import Bounds, Encoding, encoding_of, read_meta

_BOUNDS = Bounds()
_MEDIA_SOP_CLASS, _TRANSFER_SYNTAX = 0x00020002, 0x00020010
_SOP_INSTANCE, _NUMBER_OF_FRAMES, _BODY_PART = 0x00080018, 0x00280008, 0x00180015
_ENTRIES = 1 << 15
"""Entries of tables from which they are made anew: real objects have some hundred."""
_LATELY = 4
"""Series that are remembered; each object is compared with all of them until one fits."""
_A_UID = "2.25." + 39 * "0"
"""As long as each pseudonym of a UID."""


class FastPath:
    """Anonymizes what it knows to take, for one key and policy; remembers what objects have in common.

    Any number of threads may use it.
    """

    def __init__(self, key: ProjectKey, policy: Policy) -> None:
        self._key = key
        self._policy = policy
        self._label = policy.label
        self._asks_for_faces = "clean_recognizable_visual_features" in policy.options
        self._book = book_of(policy)
        self._tables: dict[Rules, Tables] = {}
        self._places = functools.lru_cache(maxsize=64)(Places)
        self._known = functools.lru_cache(maxsize=256)(_known_of)
        self._context = functools.lru_cache(maxsize=16)(self._new_context)
        self._uid = functools.lru_cache(maxsize=1 << 15)(self._new_uid)
        self._meta = functools.lru_cache(maxsize=64)(self._new_meta)
        self._lately: tuple[Series, ...] = ()
        self._patient = functools.lru_cache(maxsize=256)(functools.partial(patient_of, key))
        self._study = functools.lru_cache(maxsize=256)(functools.partial(study_key, key))
        self._series = functools.lru_cache(maxsize=256)(functools.partial(series_key, key))

    def take(self, source: bytes | Path, study: KnownValues | None = None) -> Anonymized | None:
        """Anonymize an object as the careful way does; None when that has to judge it.

        Raises
        ------
        OSError
            When the file can't be read.
        """
        if self._policy.encrypt_for:
            return None
        try:
            if isinstance(source, bytes):
                return self._taken(InMemory(source), study)
            with OnDisk(source) as file:
                return self._taken(file, study)
        except OSError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the careful way finds the reason or has none
            return None

    def _taken(self, source: Source, study: KnownValues | None) -> Anonymized:
        """Anonymize an object.

        Raises
        ------
        Surprise, agents.anonymization.outcome.Refusal, gateway.part10.Malformed
            When the careful way has to judge it.
        """
        first = source.read(0, WINDOW)
        return self._taken_again(source, first, study) or self._taken_anew(source, first, study)

    def _taken_again(self, source: Source, first: bytes, study: KnownValues | None) -> Anonymized | None:
        """Anonymize an object like others that came lately; None when it is like none of them."""
        for series in self._lately:
            if series.study is not study:
                continue
            found = series.take(source, first, _BOUNDS)
            if found is not None:
                if series is not self._lately[0]:
                    self._lately = (series, *(one for one in self._lately if one is not series))
                return found
        return None

    def _taken_anew(self, source: Source, first: bytes, study: KnownValues | None) -> Anonymized:
        meta = read_meta(first)
        syntax = meta.text(_TRANSFER_SYNTAX)
        check_transfer_syntax(syntax)
        encoding = encoding_of(syntax)
        if encoding.deflated or not encoding.little:
            raise Surprise
        expected = meta.text(_MEDIA_SOP_CLASS)
        tables = self._tables_of(expected)
        top = _walked(source, first, meta.dataset, tables, encoding)
        identity = identity_from(top.values, syntax)
        if identity.sop_class_uid != expected:
            tables = self._tables_of(identity.sop_class_uid)
            top = _walked(source, first, meta.dataset, tables, encoding)
        pattern = pattern_of(source, first, meta, top)
        values = Asked(top.values)
        self._admit(identity, values, top)
        owner = Owner.of(identity)
        charset = values.get(CHARACTER_SET, b"")
        known = self._known(tables.rules, charset, tuple(top.named), study)
        maker, look = self._context(tables, encoding, owner, charset, known)
        written: dict[int, bytes] = {}
        parts = maker.data_set(top.tokens, top.numbers, written)
        look.at(parts)
        asked = Asked(written)
        shown = Shown(asked, encoding)
        image = Image.of(lambda tag: values.get(tag, b""), syntax, little=True)
        pixel_bytes = shown.pixel_bytes()
        if top.pixels is not None:
            check(source, top.pixels, image, pixel_bytes, known)
        groups, reasons = tables.tallies.counts(top.numbers)
        begin = functools.partial(self._begin, identity.sop_class_uid, syntax)
        instance_uid = written[_SOP_INSTANCE].decode("ascii").rstrip("\0 ")
        found = Anonymized(
            output=source.spliced([begin(instance_uid), *parts]),
            patient=self._patient(*owner),
            study=self._study(identity.study_instance_uid),
            series=self._series(identity.series_instance_uid),
            instance=instance_key(self._key, identity.sop_instance_uid),
            sop_class_uid=identity.sop_class_uid,
            transfer_syntax_uid=syntax,
            modality=identity.modality,
            instance_number=identity.instance_number,
            number_of_frames=shown.integer(_NUMBER_OF_FRAMES) or 1,
            attributes=shown.attributes(),
            policy=self._label,
            counts=groups,
            reasons=reasons,
            face=self._asks_for_faces and shows_face(identity.sop_class_uid, values.text(_BODY_PART)),
        )
        if pattern is not None and not pattern.tags & (values.tags | asked.tags | SHARED):
            decided = Decided(
                key=self._key,
                study=study,
                known=known,
                maker=maker,
                look=look,
                tallies=tables.tallies,
                image=image,
                pixel_bytes=pixel_bytes,
                begin=begin,
                like=found,
            )
            self._lately = (Series(pattern, top, decided), *self._lately[: _LATELY - 1])
        return found

    def _admit(self, identity: HeaderIdentity, values: Asked, top: Top) -> None:
        """Raise when policy or admission keep the object in, or its pixels must be cleaned."""

        def text(tag: int) -> str:
            if tag == PIXEL_DATA and top.pixels is not None:
                raise Surprise
            return values.text(tag)

        check_policy(self._policy, identity)
        if check_object(identity.sop_class_uid, text, self._policy):
            raise Surprise

    def _tables_of(self, sop_class: str) -> Tables:
        rules = self._book.of(sop_class)
        tables = self._tables.get(rules)
        if tables is None or tables.entries > _ENTRIES:
            tables = self._tables[rules] = Tables(rules)
        return tables

    def _new_context(
        self,
        tables: Tables,
        encoding: Encoding,
        owner: Owner,
        charset: bytes,
        known: KnownValues,
    ) -> _Context:
        rules = tables.rules
        task = Task(self._key, self._policy, None, NO_TOOLS)
        values = values_of(task, owner, rules, known, charset, uid=self._uid)
        encoder = Encoder(encoding)
        method = method_elements(encoder, self._policy, self._label)
        puts = (
            *(
                encoder.element(tag, vr, values.make(rules.decide(tag), tag, vr, b"") or b"")
                for tag, vr in ((PATIENT_NAME, "PN"), (PATIENT_ID, "LO"))
            ),
            method[IDENTITY_REMOVED] + method[METHOD] + method[METHOD_CODES],
            method[LONGITUDINAL],
        )
        look = Look(self._places(rules, encoding), known)
        return _Context(Maker(values, encoder, puts, tables.tallies), look)

    def _begin(self, sop_class: str, syntax: str, instance_uid: str) -> bytes:
        """Give what stands in front of a data set."""
        if len(instance_uid) == len(_A_UID):
            return self._meta(sop_class, syntax).replace(_A_UID.encode(), instance_uid.encode())
        return part10(sop_class, instance_uid, syntax, b"")

    def _new_meta(self, sop_class: str, syntax: str) -> bytes:
        return part10(sop_class, _A_UID, syntax, b"")

    def _new_uid(self, value: bytes) -> bytes:
        return pseudonymous_uid(self._key, value.decode("latin-1")).encode()


class _Context(NamedTuple):
    """What objects share that have the same rules, patient, names and character set."""

    maker: Maker
    look: Look


@functools.lru_cache(maxsize=8)
def fast_path(key: ProjectKey, policy: Policy) -> FastPath:
    """Give the fast path of a key and policy, made once."""
    return FastPath(key, policy)


def _known_of(
    rules: Rules, charset: bytes, named: tuple[Naming, ...], study: KnownValues | None
) -> KnownValues:
    return known_of((Naming(None, CHARACTER_SET, charset), *named), rules, study)


def _walked(source: Source, first: bytes, start: int, tables: Tables, encoding: Encoding) -> Top:
    table = tables.of(None, Within.OBJECT, implicit=encoding.implicit)
    top = Top(source, first, start, table, _BOUNDS)
    top.walk()
    return top
