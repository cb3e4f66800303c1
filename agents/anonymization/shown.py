"""What cards may say of an object: a few attributes, taken from the anonymized values only. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from agents.anonymization.kinds import DUMMY, PATIENT_AGE, PATIENT_SEX
from gateway.part10 import Encoding
from schemas.image import SeriesAttributes

_CODE = re.compile(r"[A-Z0-9 _]{1,16}")
_AGE = re.compile(r"[0-9]{3}[DWMY]")
_SEX = re.compile(r"[MFO]")


class Shown:
    """Reads values that were written to the output.

    Parameters
    ----------
    top
        Top-level values by tag.
    encoding
        How they are written.
    """

    def __init__(self, top: Mapping[int, bytes], encoding: Encoding) -> None:
        self._top = top
        self._little = encoding.little

    def attributes(self) -> SeriesAttributes:
        """Give the attributes; one that is not what it should be is left out."""
        return SeriesAttributes(
            body_part_examined=self._matching(0x00180015, _CODE),
            patient_sex=self._matching(PATIENT_SEX, _SEX),
            patient_age=self._matching(PATIENT_AGE, _AGE),
            rows=self._short(0x00280010),
            columns=self._short(0x00280011),
            slice_thickness=self._decimal(0x00180050),
        )

    def integer(self, tag: int) -> int | None:
        """Give a non-negative IS."""
        text = self._text(tag)
        return int(text) if re.fullmatch(r"[0-9]{1,12}", text) else None

    def pixel_bytes(self) -> int | None:
        """Give the bytes of native pixels by the image's own description (PS3.5, 8.1.1), None without one."""
        factors = [self._short(tag) for tag in (0x00280002, 0x00280010, 0x00280011, 0x00280100)]
        if None in factors:
            return None
        bits = (self.integer(0x00280008) or 1) * math.prod(factor or 0 for factor in factors)
        return -(-bits // 8)

    def _text(self, tag: int) -> str:
        return self._top.get(tag, b"").decode("ascii", "replace").strip("\0 ")

    def _matching(self, tag: int, pattern: re.Pattern[str]) -> str | None:
        text = self._text(tag)
        return text if pattern.fullmatch(text) and text != DUMMY.decode() else None

    def _short(self, tag: int) -> int | None:
        value = self._top.get(tag, b"")
        if len(value) != 2:  # noqa: PLR2004 - bytes of a US
            return None
        return int.from_bytes(value, "little" if self._little else "big")

    def _decimal(self, tag: int) -> float | None:
        text = self._text(tag)
        return float(text) if re.fullmatch(r"[0-9]{1,8}(\.[0-9]{0,8})?", text) else None
