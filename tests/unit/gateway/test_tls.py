"""Certificates are taken when they fit, replaced without a restart, and never by broken ones."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading

import pytest
from cryptography import x509

from gateway.dul.pdus import abort_pdu
from gateway.dul.stream import Closed, PduStream
from gateway.renewing import Renewed
from gateway.tls import HandshakeFailed, TlsFiles, context_of, contexts, secured
from streams.errors import Misconfigured
from tests.certificates import Paper


@pytest.fixture
def papers(tmp_path):
    authority = Paper(tmp_path, "authority")
    return authority, Paper(tmp_path, "chips", authority), Paper(tmp_path, "modality", authority)


def files(authority, ours, client="required"):
    return TlsFiles(
        certificate=str(ours.certificate),
        key=str(ours.key),
        client_ca=str(authority.certificate),
        client=client,
    )


def test_only_the_suites_and_versions_of_bcp_195(papers):
    authority, ours, _ = papers
    context = context_of(files(authority, ours))
    names = {one["name"] for one in context.get_ciphers() if one["protocol"] != "TLSv1.3"}
    assert names == {
        f"ECDHE-{signed}-{cipher}"
        for signed in ("ECDSA", "RSA")
        for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
    }
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context_of(files(authority, ours, "optional")).verify_mode == ssl.CERT_OPTIONAL
    assert context_of(files(authority, ours, "none")).verify_mode == ssl.CERT_NONE


def test_files_that_are_missing_or_do_not_fit_are_told(papers, tmp_path):
    authority, ours, other = papers
    with pytest.raises(Misconfigured, match="MISMATCH"):
        contexts(TlsFiles(certificate=str(ours.certificate), key=str(other.key), client_ca="", client="none"))
    with pytest.raises(Misconfigured, match=r"gone.pem can't be read"):
        contexts(TlsFiles(certificate=str(tmp_path / "gone.pem"), key="", client_ca="", client="none"))
    authority.certificate.write_text("nothing")
    with pytest.raises(Misconfigured, match="PEM"):
        contexts(files(authority, ours))


def test_half_a_rotation_keeps_the_old_one_and_the_whole_is_taken(papers):
    authority, ours, other = papers
    renewed = contexts(files(authority, ours))
    before = renewed.current()
    assert renewed.current() is before
    shutil.copy(other.certificate, ours.certificate)
    assert renewed.current() is before
    assert "one before still is" in renewed.problem
    shutil.copy(other.key, ours.key)
    assert renewed.current() is not before
    assert renewed.problem is None


def test_where_the_files_need_not_be_good_handshakes_fail_until_they_are(papers):
    authority, ours, other = papers
    key = ours.key.read_text()
    shutil.copy(other.key, ours.key)
    renewed = contexts(files(authority, ours, "none"), must_be_good=False)
    assert renewed.problem
    here, there = socket.socketpair()
    client = ssl.create_default_context(cafile=authority.certificate)

    def knock():
        with pytest.raises(ssl.SSLError):
            client.wrap_socket(there, server_hostname="localhost")

    thread = threading.Thread(target=knock)
    thread.start()
    with pytest.raises(HandshakeFailed, match="tls-failed"):
        secured(here, renewed.current().context, 5)
    thread.join(5)
    there.close()
    ours.key.write_text(key)
    assert renewed.problem is None


def test_it_is_known_when_our_certificate_ends(papers):
    authority, ours, other = papers
    ends = x509.load_pem_x509_certificate(ours.certificate.read_bytes()).not_valid_after_utc
    shutil.copyfileobj(other.certificate.open(), ours.certificate.open("a"))  # a chain: the first is ours
    assert contexts(files(authority, ours)).current().until == ends


def test_a_file_that_fails_is_not_read_again_until_it_changes(tmp_path):
    file = tmp_path / "rules"
    file.write_text("1")
    reads = []

    def make():
        reads.append(file.read_text())
        if "x" in reads[-1]:
            raise Misconfigured(reads[-1])
        return int(reads[-1])

    renewed = Renewed("number", [file], make)
    assert (renewed.current(), renewed.problem) == (1, None)
    file.write_text("xx")
    assert (renewed.current(), renewed.current()) == (1, 1)
    assert "xx" in renewed.problem
    assert reads == ["1", "xx"]
    file.unlink()
    file.write_text("333")
    assert renewed.current() == 333
    with pytest.raises(Misconfigured):
        Renewed("number", [file], lambda: (_ for _ in ()).throw(Misconfigured("no")))


def test_a_handshake_has_a_time_limit_and_a_word(papers):
    authority, ours, _ = papers
    context = context_of(files(authority, ours))
    here, there = socket.socketpair()
    with there, pytest.raises(HandshakeFailed, match="tls-timeout"):
        secured(here, context, 0.05)
    here, there = socket.socketpair()
    there.sendall(b"\x01\x00\x00\x00\x00\x44" + bytes(68))
    with there, pytest.raises(HandshakeFailed, match="tls-failed"):
        secured(here, context, 5)


def test_who_is_hung_up_on_hears_it_over_tls_and_that_nothing_follows(papers):
    authority, ours, _ = papers
    client = ssl.create_default_context(cafile=authority.certificate)
    here, there = socket.socketpair()
    heard = []

    def listen():
        with client.wrap_socket(there, server_hostname="localhost", suppress_ragged_eofs=False) as wrapped:
            while got := wrapped.recv(100):
                heard.append(got)

    thread = threading.Thread(target=listen)
    thread.start()
    stream = PduStream(secured(here, context_of(files(authority, ours, "none")), 5), idle_s=5, pdu_s=5)
    stream.stop_reading()
    with pytest.raises(Closed):
        stream.read()
    stream.last_word(abort_pdu())
    stream.close()
    thread.join(5)
    assert b"".join(heard) == abort_pdu()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_certificate_is_told_as_such(papers, version):
    authority, ours, _ = papers
    context = context_of(files(authority, ours))
    client = ssl.create_default_context(cafile=authority.certificate)
    client.maximum_version = version
    here, there = socket.socketpair()

    def knock():
        with pytest.raises(ssl.SSLError):
            client.wrap_socket(there, server_hostname="localhost").recv(1)

    thread = threading.Thread(target=knock)
    thread.start()
    with pytest.raises(HandshakeFailed, match="tls-certificate"):
        secured(here, context, 5)
    thread.join(5)
    there.close()
