"""The formats that the ledger is exported in besides its own folder, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from forecasts.common.errors import BadInput
from forecasts.folder.frames import Frames
from forecasts.platforms import calendar_export as calendar
from forecasts.platforms import forecastbench_export as forecastbench
from forecasts.platforms import forecasting_tools_export as forecasting_tools
from forecasts.platforms import metaculus_export as metaculus
from forecasts.platforms.written import Written


class Writer(Protocol):
    """A module of this package that writes one format (see ``written``)."""

    def write(self, frames: Frames, path: Path, /, *, overwrite: bool = False) -> Written:
        """Return the files, which are written."""


@dataclass(frozen=True)
class Format:
    """A format: the module that writes it, its title, and its files in a few words."""

    writer: Writer
    title: str
    files: str


# By the names that --format takes, in the order in which messages list them.
FORMATS: Mapping[str, Format] = {
    "metaculus": Format(metaculus, "Metaculus", "a folder of CSVs as Metaculus exports them"),
    "calendar": Format(calendar, "Calendar", "a calendar file of the questions without an outcome"),
    "forecastbench": Format(
        forecastbench, "ForecastBench", "a folder of ForecastBench submissions"
    ),
    "forecasting-tools": Format(
        forecasting_tools,
        "forecasting-tools",
        "a folder with benchmark.jsonl for forecasting-tools",
    ),
}


def writer(name: str) -> Writer:
    """Return the module that writes the format with this name; BadInput if there is none."""
    if name not in FORMATS:
        raise BadInput(
            f"{name!r} is not a format for exports.",
            remedy=f"Formats are: {', '.join([*FORMATS, 'json'])}.",
        )
    return FORMATS[name].writer
