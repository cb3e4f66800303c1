"""Read DICOM Part 10 files and decode their pixels, one plane at a time. The plugin's only file access.

Pixels are decoded by pydicom, and by GDCM (in SimpleITK) where pydicom has no decoder here (JPEG lossless,
JPEG-LS).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pydicom
import SimpleITK
from numpy.typing import NDArray
from pydicom.pixels import apply_modality_lut

from plugins.imaging.types import SliceHeader
from plugins.volumetry.headers import rescale_of, slice_headers

MAX_FILE_BYTES = 2**30
"""A larger file does not fit into the plugin's memory beside its volume."""


class Undecodable(Exception):  # noqa: N818 - a finding about the input, not a failure of the plugin
    """The pixels of a file can't be decoded; carries no text of the file."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says of itself, beside its planes."""

    modality: str
    rescale_type: str
    units: str
    planes: list[SliceHeader]


class Series:
    """The files of a series, opened one at a time; the latest stays in memory for its next frame."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._index: int | None = None
        self._dataset: Any = None
        self._by_gdcm_frames: NDArray[Any] | None = None

    def header(self, source: int) -> Header:
        """Read a file's header.

        Raises
        ------
        Undecodable
            If it is not a DICOM file, holds no image, or is too large.
        """
        path = self._paths[source]
        if path.stat().st_size > MAX_FILE_BYTES:
            raise Undecodable("the file is larger than 1 GiB")
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            planes = slice_headers(dataset, source)
        except Exception as error:  # pydicom raises whatever a malformed element provokes
            raise Undecodable(f"the header can't be read ({type(error).__name__})") from error
        if not planes or planes[0].rows <= 0 or planes[0].columns <= 0:
            raise Undecodable("there is no image in it")
        return Header(
            modality=str(dataset.get("Modality") or ""),
            rescale_type=str(dataset.get("RescaleType") or ""),
            units=str(dataset.get("Units") or ""),
            planes=planes,
        )

    def values(self, header: SliceHeader) -> NDArray[Any]:
        """Decode a plane into modality values: (rows, columns), or (rows, columns, 3) RGB.

        Raises
        ------
        Undecodable
            If no decoder here knows the transfer syntax, or the pixel data are damaged.
        """
        dataset = self._open(header.source)
        try:
            stored = _frame(dataset, header.frame)
        except Exception as error:  # decoders raise whatever damaged pixel data provoke
            if not _encapsulated(dataset):
                # GDCM would fill what is missing with zeros.
                raise Undecodable("the pixel data are damaged or incomplete") from error
            stored = self._by_gdcm(header, error)
        if stored.shape[:2] != (header.rows, header.columns):
            raise Undecodable("the pixel data have another size than the header says")
        if stored.ndim == 3:  # noqa: PLR2004 - rows, columns, samples
            return stored
        return _rescaled(dataset, header.frame, stored)

    def _open(self, source: int) -> Any:
        if self._index != source:
            self._dataset = self._by_gdcm_frames = None  # free the former before the next is read
            try:
                self._dataset = pydicom.dcmread(self._paths[source])
            except Exception as error:  # pydicom raises whatever a malformed element provokes
                raise Undecodable(f"the file can't be read ({type(error).__name__})") from error
            self._index = source
        return self._dataset

    def _by_gdcm(self, header: SliceHeader, cause: Exception) -> NDArray[Any]:
        """Let GDCM decode; it applies the rescale, which is undone to give stored values as pydicom does."""
        if self._by_gdcm_frames is None:
            self._by_gdcm_frames = self._all_frames(header.source)
        if header.frame >= self._by_gdcm_frames.shape[0]:
            raise Undecodable("the pixel data end before the last frame") from cause
        plane: NDArray[Any] = self._by_gdcm_frames[header.frame]
        slope, intercept = rescale_of(self._dataset, header.frame)
        if (slope, intercept) == (1.0, 0.0) or plane.ndim == 3:  # noqa: PLR2004 - colour is not rescaled
            return plane
        return np.asarray(np.rint((plane - intercept) / slope).astype(np.int64))

    def _all_frames(self, source: int) -> NDArray[Any]:
        reader = SimpleITK.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(self._paths[source]))
        try:
            return np.asarray(SimpleITK.GetArrayFromImage(reader.Execute()))
        except RuntimeError as error:
            raise Undecodable("no decoder here can read the pixel data") from error


def _encapsulated(dataset: Any) -> bool:
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    return (
        syntax is not None and not syntax.is_private and syntax.is_transfer_syntax and syntax.is_encapsulated
    )


def _frame(dataset: Any, frame: int) -> NDArray[Any]:
    """Decode one frame: `index` lets pydicom decode no other."""
    values: NDArray[Any] = pydicom.pixels.pixel_array(dataset, index=frame)
    return values


def _rescaled(dataset: Any, frame: int, stored: NDArray[Any]) -> NDArray[Any]:
    if "ModalityLUTSequence" in dataset:
        return np.asarray(apply_modality_lut(stored, dataset))
    slope, intercept = rescale_of(dataset, frame)
    if (slope, intercept) == (1.0, 0.0):
        return stored
    if slope.is_integer() and intercept.is_integer() and np.issubdtype(stored.dtype, np.integer):
        return stored.astype(np.int64) * int(slope) + int(intercept)
    return stored.astype(np.float64) * slope + intercept
