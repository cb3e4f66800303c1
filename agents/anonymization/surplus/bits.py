"""Bits of native pixels that are no part of a value (DICOM PS3.5, 8.1.1). Pure."""

from __future__ import annotations

import numpy as np

from agents.anonymization.outcome import Refusal
from agents.anonymization.surplus.image import Image

_SIZES = frozenset((8, 16, 32))


def unused(image: Image) -> int:
    """Give the bits of a sample that the image's description leaves out, as a mask; 0: none.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When the description can't be true.
    """
    allocated, stored = image.bits_allocated, image.bits_stored
    if allocated is None or stored is None or allocated not in _SIZES or stored == allocated:
        return 0
    high = stored - 1 if image.high_bit is None else image.high_bit
    if not 0 < stored <= high + 1 <= allocated:
        raise Refusal("bad-value", "The image's bits can't be as it says.")
    value = ((1 << stored) - 1) << (high + 1 - stored)
    return ~value & ((1 << allocated) - 1)


def without_unused(pixels: memoryview, image: Image) -> bytes | None:
    """Give pixels whose unused bits are empty; None: they are, or they repeat the sign.

    Raises
    ------
    agents.anonymization.outcome.Refusal
        When padding is told from pixels by these bits.
    """
    mask = unused(image)
    if not mask or len(pixels) * 8 % (image.bits_allocated or 8):
        return None
    kind = np.dtype(f"{'<' if image.little else '>'}u{(image.bits_allocated or 8) // 8}")
    values = np.frombuffer(pixels, kind)
    if not int(np.bitwise_or.reduce(values, initial=0)) & mask:
        return None
    unused_bits, value_bits = kind.type(mask), kind.type(~mask & ((1 << kind.itemsize * 8) - 1))
    if image.signed and not mask & 1:
        repeated = np.where(values & kind.type((mask & -mask) >> 1), unused_bits, kind.type(0))
        cleared = (values & value_bits) | repeated
        if np.array_equal(cleared, values):
            return None
    else:
        cleared = values & value_bits
    padding = image.padding
    if padding is not None and padding & mask and bool(np.any((values == padding) & (cleared != values))):
        raise Refusal("unused-bits", "Padding is told from pixels by bits that belong to no value.")
    return bytes(cleared.astype(kind))
