"""What an object says of its image, as far as it tells how its pixels lie. Types."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Image(NamedTuple):
    """The attributes of Image Pixel (DICOM PS3.3, C.7.6.3); None where there is no such number."""

    syntax: str
    little: bool
    frames: int
    samples: int | None
    rows: int | None
    columns: int | None
    bits_allocated: int | None
    bits_stored: int | None
    high_bit: int | None
    signed: bool
    padding: int | None
    """Pixel Padding Value, as a whole number without a sign."""

    @classmethod
    def of(cls, value: Callable[[int], bytes], syntax: str, *, little: bool) -> Image:
        """Read it; `value` gives a top-level value by its tag."""

        def short(tag: int) -> int | None:
            found = value(tag)
            return int.from_bytes(found, "little" if little else "big") if len(found) == 2 else None  # noqa: PLR2004 - bytes of a US

        frames = value(0x00280008).strip(b" \0")
        return cls(
            syntax=syntax,
            little=little,
            frames=int(frames) if frames.isdigit() and len(frames) < 10 and int(frames) else 1,  # noqa: PLR2004 - digits of an IS
            samples=short(0x00280002),
            rows=short(0x00280010),
            columns=short(0x00280011),
            bits_allocated=short(0x00280100),
            bits_stored=short(0x00280101),
            high_bit=short(0x00280102),
            signed=short(0x00280103) == 1,
            padding=short(0x00280120),
        )

    def plane_bytes(self) -> int | None:
        """Give the bytes of one frame of one sample; None: it does not say."""
        if self.rows is None or self.columns is None or self.bits_allocated is None:
            return None
        return -(-self.rows * self.columns * self.bits_allocated // 8)
