"""NIfTI-1 bytes of a volume, slice by slice: no second copy of the voxels. Pure.

Written here, not by SimpleITK, because that needs a copy of the volume and a file, and its gzip has no
level. NIfTI-1 (https://nifti.nimh.nih.gov/nifti-1): coordinates are RAS, so the first two rows of an affine
to LPS change sign. The same volume gives the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from plugins.imaging.types import Floats, Volume

HEADER_BYTES = 352
GZIP_LEVEL = 4
_CODES = {"int16": (4, 16), "int32": (8, 32), "float32": (16, 32), "uint16": (512, 16)}
_SCANNER = 1
"""NIFTI_XFORM_SCANNER_ANAT."""
_MM = 2
"""NIFTI_UNITS_MM."""


def ras_affine(lps: Floats) -> Floats:
    """Turn an affine to LPS into one to RAS."""
    return np.asarray(np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps)


def header_of(volume: Volume) -> bytes:
    """Make the 352 bytes before the voxels: the sform exact, the qform as good as its format allows.

    A quaternion whose real part is left out, in single precision, is off by up to 1e-3 near half a turn.
    """
    slices, rows, columns = volume.voxels.shape
    code, bits = _CODES[volume.voxels.dtype.name]
    affine = ras_affine(volume.affine)
    spacing = volume.spacing
    quaternion, qfac = _quaternion(affine)
    header = bytearray(HEADER_BYTES)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, columns, rows, slices, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, qfac, *spacing, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, HEADER_BYTES)
    struct.pack_into("<ff", header, 112, 1, 0)
    struct.pack_into("<B", header, 123, _MM)
    struct.pack_into("<hh", header, 252, _SCANNER, _SCANNER)
    struct.pack_into("<6f", header, 256, *quaternion, *affine[:3, 3])
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    return bytes(header)


def nifti_gz(volume: Volume) -> Iterator[bytes]:
    """Give the compressed file in pieces of about one slice; no time stamp, so the bytes are reproducible."""
    squeeze = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    yield squeeze.compress(header_of(volume))
    little = volume.voxels.dtype.newbyteorder("<")
    for plane in volume.voxels:
        yield squeeze.compress(np.ascontiguousarray(plane, dtype=little).tobytes())
    yield squeeze.flush()


def _quaternion(affine: Floats) -> tuple[tuple[float, float, float], float]:
    """Give (b, c, d) and qfac of the rotation (nifti1.h, nifti_mat44_to_quatern)."""
    rotation = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    qfac = 1.0
    if np.linalg.det(rotation) < 0:
        rotation = rotation * np.array([1.0, 1.0, -1.0])
        qfac = -1.0
    # The eigenvector of the largest eigenvalue is the quaternion (Bar-Itzhack 2000): stable at every angle.
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    matrix = np.array(
        [
            [xx - yy - zz, yx + xy, zx + xz, zy - yz],
            [yx + xy, yy - xx - zz, zy + yz, xz - zx],
            [zx + xz, zy + yz, zz - xx - yy, yx - xy],
            [zy - yz, xz - zx, yx - xy, xx + yy + zz],
        ]
    )
    _, vectors = np.linalg.eigh(matrix / 3)
    b, c, d, a = vectors[:, -1]
    sign = -1.0 if a < 0 else 1.0
    return (float(sign * b), float(sign * c), float(sign * d)), qfac
