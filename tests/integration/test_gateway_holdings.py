"""What was acknowledged is said to be kept, whatever died in between, with and without a bus."""

from __future__ import annotations

from gateway.publisher import BATCH
from tests.bench.sender import prepare, send
from tests.commitment import COMMITMENT, Listening, act, of, request
from tests.door import DoorProcess, associated, image, new_uid, settings_in, until
from tests.engines.ports import free_port


def test_what_the_bus_has_not_heard_of_is_kept_all_the_same(tmp_path, monkeypatch):
    """Without topics, so that nothing leaves the journal; and more than the publisher reads at once."""
    settings = settings_in(tmp_path / "data", dicom_port=free_port(), dicom_processes=2)
    images = [image("1.2.3.4", number=number) for number in range(BATCH + 50)]
    asked, away = of(images), (str(images[0].SOPClassUID), new_uid())
    wanted = {uid for _, uid in asked}

    def kept() -> set[str]:
        listening = Listening()
        with associated(settings.dicom_port, [COMMITMENT], evt_handlers=listening.handlers) as association:
            assert act(association, request([*asked, away])) == 0
            until(lambda: listening.reports)
        (told,) = listening.reports
        assert told.failed.keys() == ({away[1]} | wanted) - set(told.kept)
        return set(told.kept)

    door = DoorProcess(settings, tmp_path / "log")
    try:
        assert kept() == set()
        send(settings.dicom_port, [prepare(one) for one in images])
        assert kept() == wanted
        door.kill()
        door = DoorProcess(settings, tmp_path / "log")
        assert kept() == wanted
    finally:
        door.kill()
