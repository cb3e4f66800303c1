"""The originals of what was changed, for whom may read them: Encrypted Attributes Sequence (PS3.15, E.1.1).

The originals are put into an item of Modified Attributes Sequence, encrypted as CMS enveloped data (RFC 5652)
for the certificates of a policy. Encryption draws a fresh key each time, so that two runs never give the same
bytes: an object with encrypted originals has another digest each time, and everything else in it is the same.
"""

from __future__ import annotations

import functools
from collections.abc import Set as AbstractSet

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.serialization import Encoding as Form
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, PKCS7Options

from agents.anonymization.encode import Encoder
from agents.anonymization.outcome import Refusal
from gateway.elements import PIXEL_DATA, Walker
from gateway.part10 import LONG_VRS, Bounds, Encoding
from streams.errors import Rejected

ENCRYPTED, MODIFIED = 0x04000500, 0x04000550
_TRANSFER_SYNTAX, _CONTENT = 0x04000510, 0x04000520
_BOUNDS = Bounds()
_LONGEST = 16 * 1024 * 1024
"""Bytes of originals; more than that is no header."""
_IMPLICIT, _EXPLICIT, _BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
_LEAST_BITS = 2048


@functools.lru_cache(maxsize=32)
def recipient(pem: str) -> x509.Certificate:
    """Read a certificate for which originals can be encrypted.

    Raises
    ------
    streams.errors.Rejected
        When it is none, or not of an RSA key of at least 2,048 bits.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Rejected("A recipient of encrypted attributes is no PEM certificate.") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < _LEAST_BITS:
        raise Rejected(f"A recipient's certificate must have an RSA key of at least {_LEAST_BITS} bits.")
    return certificate


def originals(dataset: bytes, encoding: Encoding, tags: AbstractSet[int]) -> bytes:
    """Give the top-level elements `tags` of a data set as they lie in it, without pixels.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When there are more than 16 MiB of them.
    gateway.part10.Malformed
        When it is no data set.
    """
    heads: list[tuple[int, int]] = []
    for element in Walker(dataset, 0, encoding, _BOUNDS):
        if element.depth == 0:
            long_head = not encoding.implicit and element.vr in LONG_VRS
            heads.append((element.tag, element.offset - (12 if long_head else 8)))
    ends = [begin for _, begin in heads[1:]] + [len(dataset)]
    parts = [
        dataset[begin:end]
        for (tag, begin), end in zip(heads, ends, strict=True)
        if tag in tags and tag != PIXEL_DATA
    ]
    if sum(map(len, parts)) > _LONGEST:
        raise Refusal("too-large", "There is more to encrypt than a header holds.")
    return b"".join(parts)


def encrypted_attributes(attributes: bytes, encoder: Encoder, pems: tuple[str, ...]) -> bytes:
    """Give the element Encrypted Attributes Sequence.

    Parameters
    ----------
    attributes
        Encoded originals, in the encoding of `encoder`.
    pems
        Certificates of those who may read them: each can with their own key alone.

    Raises
    ------
    streams.errors.Rejected
        When a certificate is none that can be used.
    """
    message = encoder.sequence(MODIFIED, [attributes])
    builder = PKCS7EnvelopeBuilder().set_data(message).set_content_encryption_algorithm(AES256)
    for pem in pems:
        builder = builder.add_recipient(recipient(pem))
    envelope = builder.encrypt(Form.DER, [PKCS7Options.Binary])
    syntax = _IMPLICIT if encoder.implicit else _EXPLICIT if encoder.little else _BIG
    item = encoder.element(_TRANSFER_SYNTAX, "UI", syntax.encode()) + encoder.element(
        _CONTENT, "OB", envelope
    )
    return encoder.sequence(ENCRYPTED, [item])
