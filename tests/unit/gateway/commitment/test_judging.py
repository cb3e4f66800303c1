"""What is said to be kept, and what a request says of its series."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.commitment.index import Held
from gateway.commitment.judging import MOST_SERIES, Judged, evidence, judge
from gateway.commitment.messages import NO_SUCH_INSTANCE, OTHER_CLASS, Asked, Failure, Reference
from gateway.identity import ProjectKey, instance_key
from streams.blobs import Blobs

KEY = ProjectKey(project="default", secret=bytes(32))
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
SERIES = "0c" * 16
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Known:
    """What is held, by project and instance."""

    def __init__(self):
        self.held = {}

    def find(self, project, instances):
        return {one: self.held[project, one] for one in instances if (project, one) in self.held}


@pytest.fixture
def vault(tmp_path):
    return Known(), Blobs(tmp_path / "objects", private=True)


def keep(vault, uid: str, sop_class: str = CT) -> str:
    holdings, blobs = vault
    sha256 = blobs.put("default", uid.encode(), "application/dicom").sha256
    holdings.held["default", instance_key(KEY, uid)] = Held(sop_class, sha256, SERIES)
    return sha256


def test_what_is_not_held_fails_with_its_reason(vault):
    kept, other, away, lost = (Reference(CT, f"1.2.{number}") for number in range(4))
    keep(vault, kept.sop_instance_uid)
    keep(vault, other.sop_instance_uid, MR)
    vault[1].path("default", keep(vault, lost.sop_instance_uid)).unlink()
    judged = judge(Asked("1.2.3", (kept, other, away, lost)), KEY, *vault)
    assert judged.failures == (
        Failure(other, OTHER_CLASS),
        Failure(away, NO_SUCH_INSTANCE),
        Failure(lost, NO_SUCH_INSTANCE),  # its bytes are not there, whatever the index says
    )
    keys = [instance_key(KEY, one.sop_instance_uid) for one in (kept, other, away, lost)]
    assert judged.series_of == dict(zip(keys, [SERIES, SERIES, None, None], strict=True))


def test_another_project_holds_nothing_of_it(vault):
    keep(vault, "1.2.3")
    other = ProjectKey(project="other", secret=bytes(32))
    judged = judge(Asked("1.2.3", (Reference(CT, "1.2.3"),)), other, *vault)
    assert [one.reason for one in judged.failures] == [NO_SUCH_INSTANCE]


def test_a_list_is_evidence_unless_it_is_of_more_series_than_any_request_has():
    asked = Asked("1.2.3", ())
    (event,) = evidence(Judged((), {"0a" * 16: SERIES, "0b" * 16: None}), asked, KEY, NOW)
    assert (event.data.by, event.data.series, event.data.instances) == ("commitment", SERIES, 2)
    many = {f"{number:032x}": f"{number:032x}" for number in range(MOST_SERIES + 1)}
    assert evidence(Judged((), many), asked, KEY, NOW) == []
    assert len(evidence(Judged((), dict(list(many.items())[1:])), asked, KEY, NOW)) == MOST_SERIES
