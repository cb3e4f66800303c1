from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian

from gateway.outgoing import MAX_CONTEXTS, Outgoing, Skipped, batches, examine, find
from tests.door import image, written


def bundled(name: str) -> Path:
    return Path(str(get_testdata_file(name)))


def test_folders_are_searched_by_name_and_links_to_folders_are_not(tmp_path):
    for name in ("b/2", "b/1", "a/x/3", "c"):
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).touch()
    (tmp_path / "root" / "z").symlink_to(tmp_path, target_is_directory=True)
    found = [str(path.relative_to(tmp_path / "root")) for path in find([tmp_path / "root"])]
    assert found == ["c", "a/x/3", "b/1", "b/2"]
    assert list(find([tmp_path / "root" / "c"])) == [tmp_path / "root" / "c"]


def test_a_file_says_what_it_is(tmp_path):
    one = image()
    (path,) = written(tmp_path, [one])
    found = examine(path)
    assert isinstance(found, Outgoing)
    assert found.context == (one.SOPClassUID, ExplicitVRLittleEndian)
    assert found.sop_instance_uid == one.SOPInstanceUID
    assert found.size == path.stat().st_size
    assert path.read_bytes()[found.offset : found.offset + 4] == b"\x08\x00\x16\x00"


def test_the_data_set_is_believed_where_its_meta_says_otherwise():
    found = examine(bundled("rtplan.dcm"))
    assert isinstance(found, Outgoing)
    assert found.sop_instance_uid == "1.2.777.777.77.7.7777.7777.20030903150023"


def test_a_deflated_file_says_what_it_is():
    found = examine(bundled("image_dfl.dcm"))
    assert isinstance(found, Outgoing)
    assert found.transfer_syntax_uid == "1.2.840.10008.1.2.1.99"
    assert found.sop_instance_uid == "1.3.6.1.4.1.5962.1.1.0.0.0.977067309.6001.0"


def test_what_is_no_object_is_skipped_with_a_note(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    for path, note in [
        (text, "Not a DICOM file"),
        (tmp_path / "missing", "can't be read"),
        (bundled("DICOMDIR"), "DICOMDIR"),
        (bundled("no_meta.dcm"), "Not a DICOM file"),
        (bundled("meta_missing_tsyntax.dcm"), "missing"),
    ]:
        found = examine(path)
        assert isinstance(found, Skipped)
        assert note in found.why


def out(number: int, context: int) -> Outgoing:
    return Outgoing(Path(str(number)), 1, 1, 0, f"1.{context}", f"2.{number}", "1.2.840.10008.1.2")


@given(st.lists(st.integers(0, 400), max_size=600), st.integers(1, 8))
def test_batches_keep_order_and_bounds(contexts, associations):
    files = [out(number, context) for number, context in enumerate(contexts)]
    pieces = batches(files, associations)
    assert [file for piece in pieces for file in piece] == files
    assert all(pieces)
    for piece in pieces:
        assert len({file.context for file in piece}) <= MAX_CONTEXTS
    if len(set(contexts)) <= MAX_CONTEXTS:
        assert len(pieces) <= associations
