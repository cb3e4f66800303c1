"""Real studies from installed packages: pydicom's and pydicom-data's files, and nilearn's MNI152 template.

Reads files of the environment; never the network (pydicom's own look-up would download what is missing).
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import SimpleITK
from pydicom.dataset import Dataset

from plugins.phantom.series import planes_of
from plugins.phantom.types import Layout, PhantomSpec
from streams.errors import Rejected

_HINT = "install it with `pip install chips[demo]`"
_MNI = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
_PYDICOM = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "examples_overlay.dcm",
    "examples_ybr_color.dcm",
    "JPEG2000.dcm",
    "JPGExtended.dcm",
    "image_dfl.dcm",
    "test-SR.dcm",
    "rtdose.dcm",
)
_PYDICOM_SERIES = (
    "dicomdirtests/98892001/CT5N",
    "dicomdirtests/98892003/MR700",
    "dicomdirtests/77654033/CT2",
)
_PYDICOM_DATA = (
    "693_UNCR.dcm",
    "MR2_UNCR.dcm",
    "MR-SIEMENS-DICOM-WithOverlays.dcm",
    "RG1_J2KI.dcm",
    "US1_UNCR.dcm",
    "color3d_jpeg_baseline.dcm",
    "JPEG-LL.dcm",
    "eCT_Supplemental.dcm",
    "emri_small.dcm",
    "emri_small_jpeg_ls_lossless.dcm",
    "liver.dcm",
)
MNI_PEAK = 1000
"""Modality value of the brightest voxel of the template."""


class MissingStudies(Rejected):
    """A package that carries real studies is not installed."""


def pydicom_data_files() -> list[Path]:
    """List real CT, MR, CR, US, NM, SEG, SR and multi-frame files, compressed and not.

    Raises
    ------
    MissingStudies
        If pydicom-data is not installed, or has lost one of the files.
    """
    own = _package("pydicom") / "data" / "test_files"
    more = _package("data_store", "pydicom-data") / "data"
    files = [own / name for name in _PYDICOM]
    files += [file for name in _PYDICOM_SERIES for file in sorted((own / name).iterdir())]
    files += [more / name for name in _PYDICOM_DATA]
    lost = [file.name for file in files if not file.is_file()]
    if lost:
        raise MissingStudies(f"pydicom-data lacks {', '.join(lost)}: {_HINT}")
    return files


def mni_series(seed: int = 152) -> list[Dataset]:
    """Make an MR series of the MNI152 T1 template (ICBM 2009a, 1 mm), with a synthetic identity.

    The template: V. Fonov et al., NeuroImage 54 (2011); its licence is in NOTICE.

    Raises
    ------
    MissingStudies
        If nilearn is not installed.
    """
    path = _package("nilearn") / "datasets" / "data" / _MNI
    if not path.is_file():
        raise MissingStudies(f"nilearn lacks {_MNI}: {_HINT}")
    image = SimpleITK.ReadImage(str(path))
    values = SimpleITK.GetArrayFromImage(image).astype(np.float64)
    voxels = np.rint(np.clip(values / values.max(), 0, 1) * MNI_PEAK).astype(np.int16)
    directions = np.array(image.GetDirection()).reshape(3, 3)
    spacing = image.GetSpacing()
    # Towards L and P, as scanners write axial slices; the file runs towards R and A.
    for axis, flipped in enumerate(np.diag(directions) < 0):
        if flipped:
            voxels = np.flip(voxels, axis=2 - axis)
    far = np.array(image.TransformIndexToPhysicalPoint([size - 1 for size in image.GetSize()]))
    corner = np.minimum(np.array(image.GetOrigin()), far)
    slices, rows, columns = voxels.shape
    x, y, z = (float(value) for value in corner)
    layout = Layout(
        rows=rows,
        columns=columns,
        slices=slices,
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        normal=(0.0, 0.0, 1.0),
        positions=tuple((x, y, z + spacing[2] * k) for k in range(slices)),
    )
    spec = PhantomSpec(
        seed=seed, modality="MR", axes_mm=(0.0, 0.0, 0.0), spacing_mm=(spacing[0], spacing[1], spacing[2])
    )
    images = planes_of(voxels, layout, spec, description="T1 template, MNI152 2009a")
    for dataset in images:
        dataset.BodyPartExamined = "BRAIN"
        del dataset.Laterality  # of paired parts only
        dataset.StudyDescription = "Brain template"
    return images


def _package(name: str, distribution: str | None = None) -> Path:
    """Find a package's folder without importing it."""
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise MissingStudies(f"{distribution or name} is not installed: {_HINT}")
    return Path(next(iter(found.submodule_search_locations)))
