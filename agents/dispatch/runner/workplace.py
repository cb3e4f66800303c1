"""The folder of an attempt: input laid out from blobs, output to be filled. An adapter to the file system.

``<work>/<project>.<job>.<attempt>.<fencing>/{input,output}``. All of it blocks: call it in a thread.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from plugins.contract.results import write_input
from plugins.contract.types import INSTANCES_DIR, InputInstance, PluginInput
from schemas.image import SeriesManifest
from schemas.job import WorkOrder
from streams.blobs import Blobs
from streams.errors import NoSpace, Unavailable

CONTAINER_USER = 10_001

_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}


class Laid(NamedTuple):
    """A folder that is ready, and the group that may read its files."""

    folder: Path
    group: int


class Left(NamedTuple):
    """A folder that some runner made."""

    folder: Path
    project: str
    job: str


class Workplace:
    """Folders of attempts.

    Parameters
    ----------
    root
        Where they lie.
    blobs
        The outer zone's.
    """

    def __init__(self, root: Path, blobs: Blobs) -> None:
        self.root = root.resolve()
        self._blobs = blobs

    def lay_out(self, order: WorkOrder, attempt: int, fencing: int, *, linked: bool) -> Laid:
        """Make the folder of an attempt.

        Parameters
        ----------
        linked
            True when the step can't write to its input (a read-only mount and another user): then files
            are hard links to the blobs where that is possible. False: they are copies.

        Raises
        ------
        streams.blobs.Missing
            When a blob is gone.
        streams.errors.Unavailable
            When the disk fails or is full.
        """
        folder = self.root / f"{order.project}.{order.job}.{attempt}.{fencing}"
        try:
            shutil.rmtree(folder, ignore_errors=True)
            instances = folder / "input" / INSTANCES_DIR
            instances.mkdir(parents=True)
            self.root.chmod(0o700)
            for made in (folder, folder / "input", instances):
                made.chmod(0o755)
            group = self._fill(order, folder / "input", linked=linked)
            _open_output(folder / "output")
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise NoSpace(f"No space for work in {self.root}: make room") from error
            raise Unavailable(f"Cannot lay out work in {self.root}: {error.strerror}") from error
        return Laid(folder, group)

    def remove(self, folder: Path) -> None:
        """Remove the folder of an attempt; what cannot be removed now is swept later."""
        if folder.is_relative_to(self.root) and folder != self.root:
            shutil.rmtree(folder, ignore_errors=True)

    def left(self) -> Iterator[Left]:
        """Give the folders that are there."""
        for folder in sorted(self.root.glob("*.*.*.*")):
            project, job, _, _ = folder.name.split(".")
            yield Left(folder, project, job)

    def _fill(self, order: WorkOrder, into: Path, *, linked: bool) -> int:
        body = self._blobs.path(order.project, order.manifest).read_bytes()
        manifest = msgspec.json.decode(body, type=SeriesManifest)
        group = os.getgid()
        listed = []
        for entry in manifest.instances:
            source = self._blobs.path(order.project, entry.blob)
            name = f"{INSTANCES_DIR}/{entry.instance}.dcm"
            group = _bring(source, into / name, linked=linked)
            listed.append(
                InputInstance(
                    instance=entry.instance,
                    path=name,
                    sha256=entry.blob.sha256,
                    size=entry.blob.size,
                    media_type=entry.blob.media_type,
                )
            )
        content = PluginInput(
            project=order.project, series=order.series, version=order.version, instances=listed
        )
        write_input(into, content)
        (into / "input.json").chmod(0o644)
        return group


def size_of(folder: Path) -> int:
    """Add up the sizes of the files below a folder, bytes; follows no link."""
    total = 0
    for parent, _, files in os.walk(folder):
        for file in files:
            try:
                total += (Path(parent) / file).lstat().st_size
            except FileNotFoundError:  # its writer removed it meanwhile
                continue
    return total


def _bring(source: Path, target: Path, *, linked: bool) -> int:
    if linked:
        try:
            target.hardlink_to(source)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
        else:
            return target.stat().st_gid
    shutil.copyfile(source, target)
    target.chmod(0o644)
    return target.stat().st_gid


def _open_output(output: Path) -> None:
    """Let the container's user write: as its owner where we may say so, else by everyone's leave."""
    output.mkdir()
    if os.geteuid() == 0:
        os.chown(output, CONTAINER_USER, CONTAINER_USER)
        output.chmod(0o700)
    else:
        output.chmod(0o777)
