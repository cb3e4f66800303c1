"""Build a plugin's container image with Docker Engine, without a registry where the base image is at hand.

The context holds only what the plugin needs: its own folder, the contract, `plugins.imaging`, and wheels
that pip fetched outside, with the hashes of the lock file. An image is labelled with the digest of that
content and built once for it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import docker.errors
import msgspec
from packaging.markers import Marker

from plugins.contract.registry import load_registry
from plugins.contract.types import Manifest
from streams.errors import Misconfigured, Unavailable

BASE = "python:3.11-slim-bookworm"
PYTHON = "3.11"
"""Of the base image (Debian 12)."""
ROOT = Path(__file__).resolve().parent.parent
LABEL = "chips.content"
SHARED = ("plugins/__init__.py", "streams/__init__.py", "streams/errors.py")
SHARED_FOLDERS = ("plugins/contract", "plugins/imaging")
_GLIBC = ("2_34", "2_31", "2_28", "2_27", "2_17")
"""manylinux tags that Debian 12 (glibc 2.36) runs."""
_PIP_SECONDS = 900
_DOCKER_SECONDS = 900


class NotBuilt(Misconfigured):
    """The image can't be built; the message says what to change."""


class EngineAway(Unavailable):
    """Docker Engine does not answer."""


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """An image that is ready to run; `fresh` unless it was there already."""

    tag: str
    id: str
    fresh: bool


def build(
    plugin: str,
    docker_base_url: str,
    base: str = BASE,
    *,
    lock: Path = ROOT / "requirements.lock",
    wheels: Path | None = None,
) -> Built:
    """Build a plugin's image, unless one of the same content is there.

    Parameters
    ----------
    plugin
        Name in the registry.
    docker_base_url
        Docker Engine, for example ``unix:///var/run/docker.sock``.
    base
        Base image with Python 3.11 and pip; must be in the engine, or pullable by it.
    lock
        The lock file, with hashes.
    wheels
        A folder that keeps fetched wheels from build to build; a temporary one by default.

    Raises
    ------
    NotBuilt
        If the plugin, a pin or a wheel is missing, or a step of the build fails.
    EngineAway
        If Docker Engine does not answer.
    """
    manifest = load_registry().get(plugin)
    if manifest is None:
        raise NotBuilt(f"there is no plugin {plugin}; known are {', '.join(sorted(load_registry()))}")
    requirements = pins(lock.read_text(), manifest.requires)
    try:
        client = docker.DockerClient(base_url=docker_base_url, timeout=_DOCKER_SECONDS)
        try:
            return _build(client, manifest, base, requirements, wheels)
        finally:
            client.close()
    except docker.errors.BuildError as error:
        raise NotBuilt(f"building {manifest.image} failed: {error.msg}") from error
    except (docker.errors.DockerException, OSError) as error:
        raise EngineAway(f"Docker Engine at {docker_base_url}: {error}; is it started?") from error


def pins(lock: str, names: list[str]) -> str:
    """Take the pins of `names`, with their hashes, for the Python of the base image, from a lock file. Pure.

    Raises
    ------
    NotBuilt
        If a name has no pin.
    """
    environment = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.2", "sys_platform": "linux"}
    found: dict[str, str] = {}
    for block in re.split(r"\n(?=[a-zA-Z0-9])", lock):
        head = re.match(r"([A-Za-z0-9._-]+)(==[^\s;\\]+)\s*(?:;\s*([^\\\n]+?))?\s*\\", block)
        if head is None or head[1].lower() not in names:
            continue
        if head[3] and not Marker(head[3]).evaluate(environment):
            continue
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}", block)
        found[head[1].lower()] = " ".join([head[1] + head[2], *hashes])
    missing = sorted(set(names) - set(found))
    if missing:
        raise NotBuilt(f"requirements.lock has no pin of {', '.join(missing)}: make it anew")
    return "".join(f"{found[name]}\n" for name in sorted(found))


def _build(
    client: docker.DockerClient, manifest: Manifest, base: str, requirements: str, wheels: Path | None
) -> Built:
    content = _digest(manifest, requirements, _base_id(client, base))
    try:
        present = client.images.get(manifest.image)
        if present.labels.get(LABEL) == content:
            return Built(tag=manifest.image, id=present.id, fresh=False)
    except docker.errors.ImageNotFound:
        pass
    with tempfile.TemporaryDirectory(prefix="chips-image-") as folder:
        context = Path(folder)
        for source in _sources(manifest):
            target = context / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        shutil.copy(ROOT / "plugins" / manifest.name / "Dockerfile", context / "Dockerfile")
        (context / "requirements.txt").write_text(requirements)
        kept = wheels or context / "wheels"
        _fetch(context / "requirements.txt", kept, client.info()["Architecture"])
        if wheels is not None:
            shutil.copytree(wheels, context / "wheels")
        image, _ = client.images.build(
            path=str(context),
            tag=manifest.image,
            buildargs={"BASE": base},
            labels={LABEL: content},
            network_mode="none",
            rm=True,
            forcerm=True,
        )
    return Built(tag=manifest.image, id=image.id, fresh=True)


def _base_id(client: docker.DockerClient, base: str) -> str:
    try:
        return str(client.images.get(base).id)
    except docker.errors.ImageNotFound:
        pass
    try:
        return str(client.images.pull(base).id)
    except docker.errors.APIError as error:
        raise NotBuilt(f"the base image {base} is neither in Docker Engine nor can it be pulled") from error


def _sources(manifest: Manifest) -> Iterator[Path]:
    """List what the image holds, sorted, so that the digest is the same everywhere."""
    for name in SHARED:
        yield ROOT / name
    for folder in (*SHARED_FOLDERS, f"plugins/{manifest.name}"):
        files = (path for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".json"})
        yield from sorted(files)


def _digest(manifest: Manifest, requirements: str, base_id: str) -> str:
    digest = hashlib.sha256(f"{base_id}\n{requirements}".encode())
    for source in (*_sources(manifest), ROOT / "plugins" / manifest.name / "Dockerfile"):
        digest.update(f"\n{source.relative_to(ROOT).as_posix()}\n".encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _fetch(requirements: Path, target: Path, architecture: str) -> None:
    """Let pip fetch the wheels for the base image, whatever Python runs here; hashes are checked."""
    target.mkdir(parents=True, exist_ok=True)
    platforms = [f"--platform=manylinux_{glibc}_{architecture}" for glibc in _GLIBC]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", f"--python-version={PYTHON}", "--implementation=cp", "--abi=cp311"]
    command += ["--abi=abi3", "--abi=none", *platforms, f"--platform=manylinux2014_{architecture}"]
    command += ["--dest", str(target), "--requirement", str(requirements)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)  # noqa: S603 - our own arguments
    except subprocess.TimeoutExpired as error:
        raise NotBuilt(f"pip did not fetch the wheels within {_PIP_SECONDS} s") from error
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise NotBuilt(f"pip can't fetch the wheels of the image: {last}")
