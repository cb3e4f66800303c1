"""The plugin's image works as the runner runs it: no network, not root, nothing writable but its output."""

from __future__ import annotations

import hashlib

import docker
import pytest

from deploy.images import EngineAway, build
from plugins.contract.results import parse_progress, read_result, write_input
from plugins.contract.types import InputInstance, PluginInput
from plugins.phantom.ellipsoid import draw_spec
from plugins.phantom.series import series_of

pytestmark = [pytest.mark.real, pytest.mark.docker]

BASE = "chips-base:bookworm"


@pytest.fixture
def folders(tmp_path):
    """Input of a phantom, and an output that the container's user may write; both readable to it."""
    spec = draw_spec(21)
    (tmp_path / "in" / "instances").mkdir(parents=True)
    instances = []
    for index, dataset in enumerate(series_of(spec)):
        path = tmp_path / "in" / "instances" / f"{index}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        name = f"instances/{index}.dcm"
        instances.append(InputInstance(instance=f"{index}", path=name, sha256=digest, size=len(data)))
    write_input(tmp_path / "in", PluginInput(project="default", series="s", version=1, instances=instances))
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o777)
    return spec, tmp_path / "in", tmp_path / "out"


def test_measured_in_a_container(docker_socket, folders):
    spec, source, target = folders
    built = build("volumetry", docker_socket, BASE)
    client = docker.DockerClient(base_url=docker_socket, timeout=120)
    try:
        output = client.containers.run(
            built.tag,
            ["--input", "/input", "--output", "/output"],
            volumes={
                str(source): {"bind": "/input", "mode": "ro"},
                str(target): {"bind": "/output", "mode": "rw"},
            },
            network_mode="none",
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            user="10001:10001",
            mem_limit="2g",
            pids_limit=64,
            tmpfs={"/tmp": "size=64m"},
            remove=True,
        )
    finally:
        client.close()
    assert all(parse_progress(line) for line in output.splitlines())
    checked = read_result(target)
    measures = {measure.name: measure.value for measure in checked.result.measures}
    assert checked.result.outcome == "measured"
    assert abs(measures["foreground_volume"] / spec.volume_ml - 1) < 0.03


def test_built_once_for_one_content(docker_socket):
    first = build("volumetry", docker_socket, BASE)
    again = build("volumetry", docker_socket, BASE)
    assert again.id == first.id
    assert not again.fresh


def test_no_engine():
    with pytest.raises(EngineAway, match="is it started"):
        build("volumetry", "unix:///nowhere/docker.sock", BASE)
