"""What the demo sends: real studies that Python packages carry, and a phantom that nobody saw before."""

from __future__ import annotations

import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pydicom.dataset import Dataset

from gateway.header import read_header_identity
from gateway.identity import ProjectKey, series_key
from gateway.outgoing import Outgoing, examine, find
from plugins.phantom.ellipsoid import draw_spec
from plugins.phantom.packaged import mni_series, pydicom_data_files
from plugins.phantom.series import series_of
from plugins.phantom.types import PhantomSpec


class Sent(NamedTuple):
    """What lies in the folder: the phantom, and its Series Instance UID."""

    phantom: PhantomSpec
    phantom_series_uid: str


def write(folder: Path) -> Sent:
    """Write the demo's studies into a folder; what an earlier demo left there goes.

    Raises
    ------
    plugins.phantom.packaged.MissingStudies
        When a package that carries them is not installed.
    """
    if folder.exists():
        shutil.rmtree(folder)
    for number, file in enumerate(pydicom_data_files()):
        target = folder / "packages" / f"{number:03d}-{file.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    _save(mni_series(), folder / "mni")
    # The seed is new each time: a measure that was right by memory would be wrong here.
    spec = draw_spec(secrets.randbelow(2**31))
    phantom = series_of(spec)
    _save(phantom, folder / "phantom")
    return Sent(spec, str(phantom[0].SeriesInstanceUID))


def series_of_files(folder: Path, key: ProjectKey) -> dict[str, int]:
    """Count the distinct images of each series in a folder, by series key, as the gateway will name it.

    Raises
    ------
    gateway.part10.Malformed
        When a DICOM file lacks a UID: the demo sends none such.
    """
    images: defaultdict[str, set[str]] = defaultdict(set)
    for path in find([folder]):
        if isinstance(examine(path), Outgoing):
            identity = read_header_identity(path)
            images[series_key(key, identity.series_instance_uid)].add(identity.sop_instance_uid)
    return {series: len(uids) for series, uids in images.items()}


def _save(images: Iterable[Dataset], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        image.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
