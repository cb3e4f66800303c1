"""What looks at pixels and documents: given to the core by who starts it. Types.

Each tool names itself with its version: where it decided about an object, that is part of what the object
says of its anonymization, and of its policy's label. Without a tool nothing comes out that only it can judge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from agents.anonymization.policy.document import Policy
from agents.anonymization.text.known import KnownValues


class Cleaned(Protocol):
    """An object whose pixels were cleaned."""

    @property
    def content(self) -> bytes:
        """The DICOM Part 10 file."""

    @property
    def tools(self) -> tuple[str, ...]:
        """What decided, with versions."""


class TextFinder(Protocol):
    """Finds text in images."""

    @property
    def name(self) -> str:
        """Its name and version."""

    def finds_text(self, image: NDArray[np.uint8]) -> bool:
        """Tell whether text is drawn in an image of shape (rows, columns)."""


class Tools(NamedTuple):
    """The tools that there are."""

    clean_pixels: Callable[[bytes, Policy], Cleaned] | None = None
    """Cleans the pixels of an anonymized object; raises `agents.anonymization.outcome.Refusal`."""
    text_finder: TextFinder | None = None
    clean_document: Callable[[bytes, str, KnownValues], bytes] | None = None
    """Cleans an encapsulated document of a media type; raises `agents.anonymization.outcome.Refusal`."""


NO_TOOLS = Tools()
