"""Turn arrays towards the patient: which array axis runs left, back or up. Pure."""

from __future__ import annotations

from itertools import permutations

import msgspec
import numpy as np

from plugins.imaging.types import Floats, Volume, Voxels


class Facing(msgspec.Struct, frozen=True, kw_only=True):
    """Array axis ``axes[p]`` (of i, j, k) runs along patient axis p (L, P, S), reversed if ``flips[p]``."""

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]


def facing_of(affine: Floats) -> Facing:
    """Match each patient axis with the array axis that lies closest, one to one."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    best = max(permutations(range(3)), key=lambda order: sum(abs(directions[p, order[p]]) for p in range(3)))
    flips = [bool(directions[p, best[p]] < 0) for p in range(3)]
    return Facing(axes=(best[0], best[1], best[2]), flips=(flips[0], flips[1], flips[2]))


def towards_patient(volume: Volume) -> tuple[Voxels, tuple[float, float, float]]:
    """View the voxels with axes (S, P, L), each growing that way, and their spacing in mm. Copies nothing."""
    facing = facing_of(volume.affine)
    array_axes = [2 - facing.axes[p] for p in (2, 1, 0)]  # array order is (k, j, i)
    turned = np.transpose(volume.voxels, array_axes)
    steps = tuple(slice(None, None, -1) if facing.flips[p] else slice(None) for p in (2, 1, 0))
    spacing = volume.spacing
    return turned[steps], (spacing[facing.axes[2]], spacing[facing.axes[1]], spacing[facing.axes[0]])


def slice_axis(volume: Volume) -> int:
    """Say which axis of `towards_patient` the acquired slices are stacked along (0: S, 1: P, 2: L)."""
    facing = facing_of(volume.affine)
    return 2 - facing.axes.index(2)
