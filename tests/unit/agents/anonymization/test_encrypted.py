"""Encrypted originals: who has the key reads them, and they change nothing else."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from io import BytesIO

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence

from agents.anonymization.anonymize import anonymize
from agents.anonymization.encrypted import recipient
from agents.anonymization.outcome import Anonymized, Quarantine
from agents.anonymization.policy.document import Policy
from streams.errors import Rejected


def certificate(private):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "trusted third party")])
    begin = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=3650))
        .sign(private, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


@pytest.fixture(scope="module")
def reader():
    """The key of who may read, and its certificate."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private, certificate(private)


@pytest.fixture(scope="module")
def stranger():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private, certificate(private)


def policy(*pems, **more):
    return Policy(name="tried", version=1, encrypt_for=list(pems), **more)


def opened(result):
    assert isinstance(result, Anonymized), result
    return pydicom.dcmread(BytesIO(result.content))


@pytest.fixture
def decrypted(tmp_path):
    """By openssl, which shares nothing with the library that encrypted."""
    tool = shutil.which("openssl")
    assert tool

    def run(envelope, private):
        (tmp_path / "envelope").write_bytes(envelope)
        (tmp_path / "key").write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        command = [tool, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "envelope", "-inkey", "key"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None

    return run


@pytest.fixture
def source(ct, encode):
    return encode(ct())


def read(content, syntax):
    return read_dataset(
        BytesIO(content), syntax == "1.2.840.10008.1.2", syntax != "1.2.840.10008.1.2.2", at_top_level=False
    )


@pytest.fixture
def held_in(ct, encode, key, reader):
    """The item of encrypted originals that an object in a transfer syntax gets."""

    def make(syntax):
        data = ct()
        data.add_new(0x00190010, "LO", "ACME")
        data.add_new(0x00191001, "LO", "private")
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99X", "Klinik am See"
        data.InstitutionCodeSequence = Sequence([item])
        out = opened(anonymize(encode(data, syntax), key=key, policy=policy(reader[1])))
        (held,) = out[0x04000500].value
        assert held.EncryptedContentTransferSyntaxUID == out.file_meta.TransferSyntaxUID
        return held

    return make


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "deflated"])
def test_who_has_the_key_reads_what_was_changed(held_in, decrypted, reader, syntax):
    held = held_in(syntax)
    content = decrypted(held.EncryptedContent, reader[0])
    message = read(content, held.EncryptedContentTransferSyntaxUID)
    (originals,) = message.ModifiedAttributesSequence
    assert originals.PatientName == "Mustermann^Erika"
    assert originals.PatientID == "PID-12345"
    assert originals.SOPInstanceUID == "1.2.3.4.1"
    assert originals.InstitutionCodeSequence[0].CodeMeaning == "Klinik am See"
    assert originals[0x00191001].value in ("private", b"private ")
    assert "PixelData" not in originals
    assert "Rows" not in originals, "what is as it was is no original of anything"


def test_nobody_else_does(source, key, reader, stranger, decrypted):
    result = anonymize(source, key=key, policy=policy(reader[1]))
    assert b"Mustermann" not in result.content
    envelope = opened(result)[0x04000500][0].EncryptedContent
    assert decrypted(envelope, stranger[0]) is None


def test_each_of_several_does(source, key, reader, stranger, decrypted):
    result = anonymize(source, key=key, policy=policy(reader[1], stranger[1]))
    envelope = opened(result)[0x04000500][0].EncryptedContent
    for private, _ in (reader, stranger):
        assert b"Mustermann" in decrypted(envelope, private)


def test_it_is_never_the_same_twice_and_everything_else_is(source, key, reader):
    one, two = (anonymize(source, key=key, policy=policy(reader[1])) for _ in range(2))
    plain = anonymize(source, key=key, policy=policy())
    assert one.sha256 != two.sha256
    assert one.policy == two.policy == plain.policy
    rest = opened(one)
    del rest[0x04000500]
    assert rest == opened(plain)
    assert rest.DeidentificationMethod == opened(plain).DeidentificationMethod


def test_originals_that_were_encrypted_before_go(source, key, reader):
    once = anonymize(source, key=key, policy=policy(reader[1]))
    twice = opened(anonymize(once.content, key=key, policy=policy()))
    assert 0x04000500 not in twice


def test_more_than_a_header_holds_stays_in(ct, encode, key, reader):
    data = ct()
    data.add_new(0x00190010, "LO", "ACME")
    data.add_new(0x00191001, "OB", bytes(17 << 20))
    result = anonymize(encode(data), key=key, policy=policy(reader[1]))
    assert isinstance(result, Quarantine)
    assert result.reason == "too-large"


def test_a_certificate_that_can_not_be_used_is_refused():
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    other = ec.generate_private_key(ec.SECP256R1())
    for pem in ("nothing", certificate(weak), certificate(other)):
        with pytest.raises(Rejected, match="certificate"):
            recipient(pem)


def test_an_object_for_a_certificate_that_can_not_be_used_stays_in(source, key):
    result = anonymize(source, key=key, policy=policy("-----BEGIN CERTIFICATE-----"))
    assert isinstance(result, Quarantine)
