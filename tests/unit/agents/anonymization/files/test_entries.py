from __future__ import annotations

import json
import os

import pytest

from agents.anonymization.files.entries import as_line, from_line


def test_a_line_is_read_as_it_was_written(line):
    for entry in (
        line("a/b.dcm", tools=("detector 1.0",), known="0" * 16),
        line("a.dcm", "quarantined", reason="ultrasound", message="Why."),
        line("ä\n😀\u2028.dcm", "duplicate", of="a.dcm"),
    ):
        content = as_line(entry)
        assert content.startswith(b'{"input": "')
        assert content.count(b"\n") == 1
        assert from_line(content) == entry


def test_a_name_that_is_no_text_comes_back(line):
    name = os.fsdecode(b"\xff\xfe.dcm")
    content = as_line(line(name))
    content.decode("ascii")
    assert os.fsencode(from_line(content).input) == b"\xff\xfe.dcm"


@pytest.mark.parametrize(
    "output",
    [
        "../1.2/1.3/1.4.dcm",
        "/etc/1.3/1.4.dcm",
        "p/1.2/1.3/1.4.dcm\n",
        "p/1.2/../1.4.dcm",
        "p/1.2/1.4.dcm",
        "p",
    ],
)
def test_no_line_names_an_output_that_is_none(line, output):
    content = as_line(line()).replace(b"p/1.2/1.3/1.4.dcm", json.dumps(output)[1:-1].encode())
    with pytest.raises(ValueError, match="output"):
        from_line(content)


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"[]\n", b'{"input": "a"}\n', b"\xff\n", b"patient list\n"]
)
def test_what_is_no_line_is_told(content):
    with pytest.raises(ValueError, match=r".*"):
        from_line(content)
