"""What the door says of an object that it keeps."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from agents.anonymization.anonymize import anonymize
from agents.anonymization.policy.ready import BASIC
from gateway.errors import ObjectRefused
from gateway.identity import ProjectKey
from gateway.journal import Journal
from gateway.spool import Announced
from gateway.storing import Storing
from gateway.vault import Vault
from schemas.catalogue import decode
from schemas.pacs import Placement
from streams.clock import utc_now
from tests.door import CT, PATIENT, encoded, image, new_uid

KEY = ProjectKey(project="default", secret=bytes(range(32)))
ASSOCIATION = "00000000-0000-5000-8000-000000000001"


@pytest.fixture
def storing(tmp_path):
    journal = Journal(tmp_path / "vault" / "journal")
    yield Storing(
        key=KEY,
        vault=Vault(tmp_path / "vault", 0),
        journal=journal,
        clock=utc_now,
    )
    journal.close()


def keep(storing, dataset):
    spool = storing.spool(Announced(CT[0], dataset.SOPInstanceUID, CT[1]))
    spool.write(encoded(dataset))
    return storing.store(spool.finish(), association=ASSOCIATION, origin="TEST")


@pytest.mark.parametrize("patient_id", [None, "", "  "])
def test_studies_without_a_patient_id_are_not_one_patient(storing, patient_id):
    said = {}
    for study in ("1.2.3.1", "1.2.3.1", "1.2.3.2"):
        dataset = image(study=study)
        del dataset.PatientID
        if patient_id is not None:
            dataset.PatientID = patient_id
        said.setdefault(study, set()).add(keep(storing, dataset).patient)
    assert {len(patients) for patients in said.values()} == {1}
    assert said["1.2.3.1"] != said["1.2.3.2"]


def test_an_image_belongs_to_the_story_of_its_association(storing):
    with capture_logs() as lines:
        keep(storing, image())
    (event,) = map(decode, storing._journal.read(10))
    assert event.correlationid == ASSOCIATION != event.id
    (line,) = [line for line in lines if line["event"] == "object.stored"]
    assert (line["event_id"], line["correlationid"]) == (event.id, ASSOCIATION)
    assert PATIENT not in str(lines)


def test_a_data_set_that_begins_with_file_meta_information_is_refused(storing, tmp_path):
    dataset = image()
    spool = storing.spool(Announced(CT[0], dataset.SOPInstanceUID, CT[1]))
    spool.write(b"\2\0\x10\0UI\x12\x001.2.840.10008.1.2\0" + encoded(dataset))
    with pytest.raises(ObjectRefused) as refused:
        storing.store(spool.finish(), association=ASSOCIATION, origin="TEST")
    assert refused.value.reason == "bad-structure"


@pytest.mark.parametrize("patient_id", ["", "SYNTH-4711"])
def test_door_and_anonymization_mean_the_same_patient(storing, tmp_path, patient_id):
    dataset = image(study=new_uid())
    dataset.PatientID = patient_id
    stored = keep(storing, dataset)
    (original,) = [path for path in (tmp_path / "vault" / "objects").rglob("*") if path.is_file()]
    judged = anonymize(original, key=KEY, policy=BASIC)
    assert (judged.patient, judged.study, judged.series, judged.instance) == (
        stored.patient,
        stored.study,
        stored.series,
        stored.instance,
    )


def test_an_image_tells_its_place_in_the_series(storing):
    dataset = image()
    dataset.InstanceNumber, dataset.AcquisitionNumber = 4, 1
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [0, 0, 2.5], [1, 0, 0, 0, 1, 0]
    placement = keep(storing, dataset).placement
    assert placement == Placement(number=4, acquisition=1, position=2.5, normal=(0.0, 0.0, 1.0))
