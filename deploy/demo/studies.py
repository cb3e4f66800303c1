"""What the demo sends: real studies that Python packages carry, and a phantom that nobody saw before."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pydicom.dataset import Dataset

from plugins.phantom.ellipsoid import draw_spec
from plugins.phantom.packaged import mni_series, pydicom_data_files
from plugins.phantom.series import series_of
from plugins.phantom.types import PhantomSpec


class Sent(NamedTuple):
    """What lies in the folder: the phantom, and its Series Instance UID."""

    phantom: PhantomSpec
    phantom_series_uid: str


def write(folder: Path) -> Sent:
    """Write the demo's studies into a folder.

    Raises
    ------
    plugins.phantom.packaged.MissingStudies
        When a package that carries them is not installed.
    """
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


def _save(images: Iterable[Dataset], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        image.save_as(folder / f"{number:04d}.dcm", enforce_file_format=True)
