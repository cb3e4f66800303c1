"""Types of the plugin contract: what a plugin is given, what it gives back, what it declares of itself.

These mirror `schemas.job` (which carries blob references where a plugin only knows files) without importing
it, so that a plugin's image holds nothing of the backbone.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

INPUT_FILE = "input.json"
RESULT_FILE = "result.json"
INSTANCES_DIR = "instances"

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{0,63}$(?!\n)")]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{1,63}$(?!\n)")]
VersionText = Annotated[str, msgspec.Meta(pattern=r"^[0-9][0-9A-Za-z.+-]{0,31}$(?!\n)")]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
RelativePath = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$(?!\n)")
]
"""A path below the folder: forward slashes, no segment that begins with a dot."""

Outcome = Literal["measured", "not_a_volume"]
Severity = Literal["info", "warning", "error"]
MediaType = Literal[
    "application/gzip", "application/json", "application/octet-stream", "image/png", "image/webp", "text/csv"
]
"""What an artefact may be. Nothing that a browser would run as a page or a script."""


class InputInstance(msgspec.Struct, frozen=True, kw_only=True):
    """One anonymized DICOM Part 10 file of the input folder; `size` in bytes."""

    instance: Annotated[str, msgspec.Meta(max_length=128)]
    path: RelativePath
    sha256: Digest
    size: Annotated[int, msgspec.Meta(ge=0)]
    media_type: str = "application/dicom"


class PluginInput(msgspec.Struct, frozen=True, kw_only=True):
    """``input.json``: one version of a series."""

    project: str
    series: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    instances: list[InputInstance]


class Coded(msgspec.Struct, frozen=True, kw_only=True):
    """A concept in a coding scheme, as in DICOM PS3.3 section 8.8 (for example UCUM, SCT, DCM)."""

    scheme: Annotated[str, msgspec.Meta(max_length=16)]
    value: Annotated[str, msgspec.Meta(max_length=64)]
    meaning: Annotated[str, msgspec.Meta(max_length=64)]


class ArtefactFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the plugin wrote. Roles the page knows: volume, key_slice, mip, render, strip."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    path: RelativePath
    media_type: MediaType
    role: Name


class PluginMeasure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A finite number with its UCUM unit (mm, mL, 1, [hnsf'U]); `code` says what was measured."""

    name: Name
    value: float
    unit: Annotated[str, msgspec.Meta(max_length=32)]
    label: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    code: Coded | None = None


class PluginFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something noteworthy about the input. No identifying value and no text from a DICOM header."""

    code: Code
    severity: Severity
    message: Annotated[str, msgspec.Meta(max_length=512)]
    detail: dict[str, float | int | str] = {}


class PluginResult(msgspec.Struct, frozen=True, kw_only=True):
    """``result.json``. `tools` names the versions on which the numbers depend."""

    plugin: Name
    version: VersionText
    outcome: Outcome
    artefacts: Annotated[list[ArtefactFile], msgspec.Meta(max_length=32)]
    measures: Annotated[list[PluginMeasure], msgspec.Meta(max_length=64)]
    findings: Annotated[list[PluginFinding], msgspec.Meta(max_length=32)]
    tools: dict[str, str]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A line on standard output: how far (0 to 1), and the step in words."""

    progress: Annotated[float, msgspec.Meta(ge=0, le=1)]
    step: Annotated[str, msgspec.Meta(max_length=128)]


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """Limits under which a plugin is run, whatever the runtime."""

    memory_bytes: Annotated[int, msgspec.Meta(ge=16 * 2**20)]
    pids: Annotated[int, msgspec.Meta(ge=1, le=4096)]
    seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)]
    output_bytes: Annotated[int, msgspec.Meta(ge=1)]
    tmp_bytes: Annotated[int, msgspec.Meta(ge=0)] = 64 * 2**20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``plugin.json`` beside a plugin's code."""

    name: Name
    version: VersionText
    title: Annotated[str, msgspec.Meta(max_length=64)]
    description: Annotated[str, msgspec.Meta(max_length=512)]
    modalities: list[str]
    """DICOM modalities that it accepts; empty: any, because it tells by itself what it can't use."""
    resources: Resources
    accepts_partial: bool = False
    """Run it on a series that is known to lack images, too."""
    requires: list[str] = []
    """Distributions that its image holds, by their names in the lock file."""

    @property
    def image(self) -> str:
        """Name and tag of its container image."""
        return f"chips-plugin-{self.name}:{self.version}"

    def accepts(self, modality: str) -> bool:
        """Say whether a series of `modality` is worth a run."""
        return not self.modalities or modality in self.modalities


class ResultLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a result may cost the host that reads it; sizes in bytes."""

    result_bytes: int = 2**20
    file_bytes: int = 4 * 2**30
    total_bytes: int = 8 * 2**30
