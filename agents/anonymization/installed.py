"""The tools that are installed here, made once by each process that anonymizes. An adapter."""

from __future__ import annotations

import functools

from agents.anonymization.pixels.model import read_model
from agents.anonymization.policy.document import Policy
from agents.anonymization.standard.codes import PolicyOption
from agents.anonymization.text.documents import clean_document
from agents.anonymization.tools import Tools

_LOOKING: frozenset[PolicyOption] = frozenset(("clean_pixel_data", "clean_graphics"))
"""Options that look for text in pictures."""


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


def check_installed(policy: Policy) -> None:
    """Raise `Misconfigured` when a tool that a policy asks for is not there; loads none."""
    if _LOOKING & policy.options:
        read_model()
