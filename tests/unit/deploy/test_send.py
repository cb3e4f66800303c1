from __future__ import annotations

import socket
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from deploy.send import Tls, send

CT = Path(get_testdata_file("CT_small.dcm", download=False))


def sent(tmp_path, *what, **options) -> int:
    chosen = {"called_ae": "A", "calling_ae": "B", "associations": 1, "retries": 0}
    return send(what, manifest=tmp_path / "manifest.jsonl", **{**chosen, **options})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"associations": 0}, "--associations takes 1 to 64, not 0"),
        ({"associations": 65}, "--associations"),
        ({"retries": -1}, "--retries takes 0 to 1000, not -1"),
        ({"called_ae": "LONGER THAN SIXTEEN"}, "no AE title"),
        ({"calling_ae": ""}, "no AE title"),
        ({"tls": Tls(certificate=CT)}, "give --tls-ca, too"),
    ],
)
def test_a_wrong_option_is_told(tmp_path, capsys, options, told):
    assert sent(tmp_path, str(CT), "127.0.0.1:1", **options) == 64
    assert told in capsys.readouterr().err


def test_files_that_are_not_for_tls_are_told(tmp_path, capsys):
    assert sent(tmp_path, str(CT), "127.0.0.1:1", tls=Tls(CT)) == 78
    assert "CT_small.dcm can't be used for TLS" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", ":11112"])
def test_a_wrong_target_is_told(tmp_path, capsys, target):
    assert sent(tmp_path, str(CT), target) == 64
    assert "chips: " in capsys.readouterr().err


def test_a_folder_without_dicom_is_told(tmp_path, capsys):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("no image")
    assert sent(tmp_path, str(tmp_path / "notes"), "127.0.0.1:1") == 64
    assert "There is no DICOM object in" in capsys.readouterr().err


def test_what_nobody_takes_is_no_success(tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    assert sent(tmp_path, str(CT), f"127.0.0.1:{port}") == 1
