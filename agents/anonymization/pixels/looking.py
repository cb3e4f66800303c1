"""Looks through all frames of an object for text, and for codes that machines read. Pure.

Text usually stands still: frames spread over the object are looked at with care, and so is their mean, in
which what moves blurs and text stays. That text can come, go and move is why every frame is looked at, too.
What is found anywhere is redacted everywhere. Then all is looked at again, until nothing is found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from agents.anonymization.outcome import Refusal
from agents.anonymization.pixels.boxes import Box, bridges, clipped
from agents.anonymization.pixels.codes import codes
from agents.anonymization.pixels.detector import Detector, Line, Seen
from agents.anonymization.pixels.frames import Frames, blackened, pixels_of
from agents.anonymization.pixels.picture import Picture
from agents.anonymization.pixels.views import Bytes, Views, Windows

SURE = (0.0, 0.7, 0.7, 0.7, 0.8, 0.8, 0.9)
"""How sure a line is that counts, by look at the whole object: the first follows any suspicion, the last must
find nothing. What only a late look finds was hardly there before: black boxes make patterns of their own."""
SAMPLES = 8
"""Frames that are looked at with care, at most."""
WORK_AT_MOST = 384 * 1024 * 1024
"""Pixels that the detector is given for an object, at most, tiles that are alike once: four minutes or so on
one processor."""
ASKED_AT_MOST = 8 * WORK_AT_MOST
"""Those of one look if no two tiles were alike."""

_ENLARGED_TO = 2000
"""Pixels of a picture's longer side up to which it is enlarged."""
_ENLARGED, _REDUCED = 3.0, (0.5, 0.25)
"""How much a picture is enlarged for small text, at most, and reduced for large."""
_WORTH_IT = 1.25
"""What enlarging it by less than this shows, the picture shows as it is."""
_SURE_OF_CODES = 0.75
"""How sure a bar code is."""
_SMALLEST = 128
"""Pixels of a shorter side below which a picture is not reduced."""
_QUICK = 2.0
"""How much it is enlarged for a look without care, at most."""
_TALL, _TALL_PART, _WITNESSED = 32, 1 / 12, 0.3
"""A line higher than so many pixels and so much of the picture counts when so much of it was found at another
size, too. Organs can look like very large letters; names are small."""


class Looker:
    """Looks through one object.

    Parameters
    ----------
    detector
        Finds text.
    frames, picture, palette, windows
        The object.
    """

    def __init__(
        self,
        detector: Detector,
        frames: Frames,
        picture: Picture,
        palette: Bytes | None,
        windows: Windows,
    ) -> None:
        self._detector = detector
        self._frames = frames
        self._picture = picture
        self._samples = samples_of(len(frames))
        self._views = Views(
            [pixels_of(frames.stored(number), picture) for number in self._samples],
            colours=frames.colours,
            stored=picture.stored,
            palette=palette,
            windows=windows,
        )
        self._seen = Seen()
        enlarged = min(_ENLARGED, _ENLARGED_TO / max(picture.rows, picture.columns))
        self._enlarged = enlarged if enlarged >= _WORTH_IT else 1.0
        self._quick = min(_QUICK, self._enlarged)
        self._reduced = [
            scale for scale in _REDUCED if min(picture.rows, picture.columns) * scale >= _SMALLEST
        ]
        self._tall = max(_TALL, min(picture.rows, picture.columns) * _TALL_PART)

    def text(self, known: Sequence[Box], black: tuple[int, ...]) -> list[Box]:
        """Give all boxes that must be black so that no text is left: `known` ones, and what is found.

        Raises
        ------
        agents.anonymization.outcome.Refusal
            ``too-many-pixels`` when it takes too long, ``text-left`` when there is always more.
        """
        if self._work() > ASKED_AT_MOST:
            raise _too_many()
        boxes = self._clipped(known)
        for look, sure in enumerate(SURE):
            found = self._left(boxes, black, sure=sure, careful=look == 0)
            if not found and look > 0:
                return boxes
            boxes = self._clipped([*boxes, *found])
        raise Refusal("text-left", "Text was still found after cleaning.")

    def _clipped(self, boxes: Iterable[Box]) -> list[Box]:
        return clipped(boxes, self._picture.rows, self._picture.columns)

    def _work(self) -> float:
        """Give how many pixels the detector is given in the first look, at most."""
        plain = len(self._views.ranges) * (1 + sum(scale**2 for scale in self._reduced))
        careful, quick = plain + 1 + 2 * self._enlarged**2, self._quick**2
        frames = len(self._frames)
        looks = careful if frames == 1 else careful * (len(self._samples) + 1) + quick * frames
        return looks * self._picture.rows * self._picture.columns

    def _left(self, boxes: Sequence[Box], black: tuple[int, ...], *, sure: float, careful: bool) -> list[Box]:
        """Give boxes around text that is still there when `boxes` are black."""
        hidden = self._mask(boxes)
        seen: dict[float, list[Line]] = {}
        for scale, line in self._lines(boxes, black, hidden, careful=careful):
            if line.sureness >= sure:
                seen.setdefault(scale, []).append(line)
        masks = {
            scale: self._mask(self._clipped(line.seen for line in lines)) for scale, lines in seen.items()
        }
        found = [
            line
            for scale, lines in seen.items()
            for line in lines
            for left, top, right, bottom in self._clipped([line.seen])
            if not hidden[top:bottom, left:right].all()
            and (
                line.height <= self._tall
                or any(
                    mask[top:bottom, left:right].mean() >= _WITNESSED
                    for other, mask in masks.items()
                    if other != scale
                )
            )
        ]
        gaps = bridges((line.whole, line.height) for line in found if line.height <= self._tall)
        return [*(line.whole for line in found), *gaps]

    def _mask(self, boxes: Iterable[Box]) -> NDArray[np.bool_]:
        mask = np.zeros((self._picture.rows, self._picture.columns), bool)
        for left, top, right, bottom in boxes:
            mask[top:bottom, left:right] = True
        return mask

    def _lines(
        self, boxes: Sequence[Box], black: tuple[int, ...], hidden: NDArray[np.bool_], *, careful: bool
    ) -> Iterator[tuple[float, Line]]:
        shown: list[Bytes] = []
        looked_at: set[bytes] = set()
        for number in range(len(self._frames)):
            frame = blackened(self._frames.stored(number), boxes, self._picture, black)
            digest = hashlib.sha256(np.ascontiguousarray(frame).data).digest()
            sampled = number in self._samples
            if digest in looked_at and not sampled:
                continue
            looked_at.add(digest)
            pixels = pixels_of(frame, self._picture)
            compared = self._views.compared(pixels, hidden)
            if not (sampled and careful):
                yield from self._look(compared, self._quick)
            if sampled:
                plain = self._views.plain(pixels)
                shown.append(plain[0])
                yield from self._look_at(plain, compared, hidden, careful=careful)
        if len(shown) > 1:
            mean = np.mean(shown, axis=0).round().astype(np.uint8)
            greys = Views([mean], colours="RGB", stored=8, palette=None, windows=Windows(1, 0, ()))
            yield from self._look_at([mean], greys.compared(mean, hidden), hidden, careful=careful)

    def _look_at(
        self, plain: Sequence[Bytes], compared: Bytes, hidden: NDArray[np.bool_], *, careful: bool
    ) -> Iterator[tuple[float, Line]]:
        for seen, whole in codes(plain[0], hidden):
            yield 0.0, Line(seen, whole, 0.0, _SURE_OF_CODES)
        for view in plain:
            for scale in (1.0, *self._reduced):
                yield from self._look(view, scale)
        if careful:
            yield from self._look(compared, 1.0)
            if self._enlarged > 1:
                yield from self._look(plain[0], self._enlarged)
                yield from self._look(compared, self._enlarged)

    def _look(self, view: Bytes, scale: float) -> Iterator[tuple[float, Line]]:
        for line in self._detector.lines(view, scale, self._seen):
            yield scale, line
        if self._seen.pixels > WORK_AT_MOST:
            raise _too_many()


def _too_many() -> Refusal:
    return Refusal("too-many-pixels", "There are more pixels than can be looked through for text.")


def samples_of(frames: int) -> list[int]:
    """Give the numbers of the frames that are looked at with care: the first, the last, others between."""
    count = min(frames, SAMPLES)
    return sorted({number * (frames - 1) // max(1, count - 1) for number in range(count)})
