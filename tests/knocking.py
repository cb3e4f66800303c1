"""At a door with a file of sources: who comes in, who is sent away, and what is pushed in."""

from __future__ import annotations

import contextlib

from pynetdicom import AE
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification

from tests.door import CT, encoded, image, open_door, rejection_of, settings_in, store_bytes


@contextlib.contextmanager
def association(port, calling="CT1", called="CHIPS", *, identity=None, tls_args=None, echo=False):
    ae = AE(calling)
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 30
    contexts = [build_context(*CT), *([build_context(Verification)] if echo else [])]
    made = ae.associate(
        "127.0.0.1",
        port,
        contexts=contexts,
        ae_title=called,
        ext_neg=[identity] if identity else None,
        tls_args=tls_args,
    )
    try:
        yield made
    finally:
        if made.is_established:
            made.release()


def refusal(port, calling="CT1", called="CHIPS", *, identity=None):
    return rejection_of(port, calling, called, identity)


def identity(kind, primary=b"", secondary=b"", *, wants=True):
    item = UserIdentityNegotiation()
    item.user_identity_type, item.primary_field = kind, primary
    item.positive_response_requested = wants
    if secondary:
        item.secondary_field = secondary
    return item


def door_of(tmp_path, text, processes=1, **changes):
    file = tmp_path / "sources.toml"
    file.write_text(text)
    return open_door(
        settings_in(tmp_path / "data", dicom_processes=processes, sources_file=str(file), **changes)
    )


def comes_in(port) -> bool:
    with association(port) as made:
        return made.is_established


def push(made, one=None):
    one = one or image()
    answer = store_bytes(made, encoded(one), one.SOPInstanceUID)
    return answer.Status, answer.ErrorComment
