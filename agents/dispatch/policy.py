"""Which work a series makes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from plugins.contract.registry import plugins_for
from plugins.contract.types import Manifest
from schemas.identity import derived_id
from schemas.image import SeriesAnonymized
from schemas.job import WorkOrder
from schemas.pacs import Completeness


def work_orders(series: SeriesAnonymized, registry: Mapping[str, Manifest]) -> list[WorkOrder]:
    """Give one order for each plugin that accepts the series; none when nothing of it was anonymized.

    A version that is partial is for plugins that say so of themselves, and none runs while an end is waited
    for: when the version is graded anew it comes again. One that 0.1 settled was never graded, and runs.

    The same images make the same job, whatever the version: its id is made of plugin and manifest.
    """
    if series.manifest is None or not series.anonymized:
        return []
    return [
        WorkOrder(
            project=series.project,
            job=derived_id(
                "job",
                f"{plugin.name}@{plugin.version}",
                f"{series.project}\n{series.series}\n{series.manifest.sha256}",
            ),
            study=series.study,
            series=series.series,
            version=series.version,
            modality=series.modality,
            plugin=plugin.name,
            plugin_version=plugin.version,
            manifest=series.manifest,
        )
        for plugin in plugins_for(dict(registry), series.modality)
        if _may_run(plugin, series.completeness)
    ]


def _may_run(plugin: Manifest, completeness: Completeness | None) -> bool:
    if completeness is None or completeness.grade in {"complete_expected", "complete_assumed"}:
        return True
    return completeness.grade == "partial" and plugin.accepts_partial
