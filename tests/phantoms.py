"""Small phantom studies on disk, for sending."""

from __future__ import annotations

from pathlib import Path

from plugins.phantom.series import make_series


def write_studies(folder: Path, *, seed: int, images: int, series: int) -> list[Path]:
    """Write `images` CT images in `series` series of as many studies, about 3 kB each."""
    each, written = images // series, []
    assert each * series == images
    for number in range(series):
        half = 40.0
        spacing = 2 * half / max(each, 12)
        datasets = make_series(
            seed * 1000 + number,
            axes_mm=(half, half, half),
            spacing_mm=(4.0, 4.0, spacing),
            rotation=(0.0, 0.0, 0.0),
            tilt=0.0,
            noise=5.0,
            modality="CT",
            study=number,
        )
        assert len(datasets) >= each
        for dataset in datasets[:each]:
            file = folder / f"{number:03d}" / f"{int(dataset.InstanceNumber):04d}.dcm"
            file.parent.mkdir(parents=True, exist_ok=True)
            dataset.save_as(file, enforce_file_format=True)
            written.append(file)
    return written
