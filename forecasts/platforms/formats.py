"""The formats of other platforms by name, and which of them a file has.

A format is recognised from the content of its files. Only ``pairs`` reads any table, so it is
asked last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from forecasts.common.errors import BadInput, Problem, Remedy
from forecasts.platforms import (
    confido,
    fatebook,
    forecastbench,
    forecasting_tools,
    icalendar,
    infer,
    manifold,
    metaculus,
    metaculus_export,
    pairs,
    predictionbook,
)
from forecasts.platforms.column_guesses import found_by_name, missing_fields
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import Source
from forecasts.platforms.written import Written

# Returns the record in the files (see ``record``).
Read = Callable[[Source, Choices], PlatformRecord]
# Returns the files, which are written (see ``written``): of the frames, to a path.
Write = Callable[..., Written]


@dataclass(frozen=True)
class Format:
    """A format: how it is read, the platform's name, and its files in a few words.

    ``asks``: the fields of ``Choices`` that it takes, besides the owner and the time. The files are
    recognised by one of several sets of names: ``fields``, with which a JSON file begins, and
    ``columns``, which the header of a CSV file has.
    """

    read: Read
    title: str
    files: str
    asks: Set[str] = frozenset()
    fields: Sequence[str] = ()
    columns: Sequence[Sequence[str]] = ()

    def recognises(self, source: Source) -> bool:
        """Return whether the files have this format."""
        headers = source.headers.values()
        has_columns = any(set(names) <= set(one) for one in headers for names in self.columns)
        return has_columns or source.starts_with(*map(str.split, self.fields))


@dataclass(frozen=True)
class Export:
    """A format of an export: how it is written, its title, its files in a few words."""

    write: Write
    title: str
    files: str


# By the names that --format takes, in the order in which messages list them.
FORMATS: Mapping[str, Format] = {
    "metaculus": Format(
        metaculus.read,
        "Metaculus",
        "a ZIP or CSVs with forecast_data.csv",
        asks={"alias", "aggregates"},
        columns=[("Question ID", "Question Type"), ("Question ID", "Start Time")],
    ),
    "manifold": Format(
        manifold.read,
        "Manifold",
        "JSON of the API, bets and markets",
        fields=("contractId probAfter", "outcomeType isResolved", "outcomeType mechanism"),
    ),
    "infer": Format(
        infer.read,
        "INFER",
        "JSON of a Cultivate site's API, questions and forecasts",
        fields=(
            # A long rationale can come before the predictions.
            *("prediction_sets", "forecasted_probability", "membership_id rationale"),
            *("use_ordinal_scoring", "scoring_start_time"),
        ),
    ),
    "forecastbench": Format(
        forecastbench.read,
        "ForecastBench",
        "JSON sets of forecasts, resolutions and questions",
        asks={"aggregates"},
        fields=("forecast_due_date", "question_set forecasts"),
    ),
    "forecasting-tools": Format(
        forecasting_tools.read,
        "forecasting-tools",
        "JSON lines of reports or benchmarks",
        asks={"zone"},
        fields=("forecast_bot_class_name", "question question_text"),
    ),
    "fatebook": Format(
        fatebook.read,
        "Fatebook",
        "a CSV with Forecast (scale = 0-1)",
        asks={"zone"},
        columns=[("Question title", "Forecast (scale = 0-1)", "Question created at")],
    ),
    "predictionbook": Format(
        predictionbook.read,
        "PredictionBook",
        "JSON of /api/my_predictions",
        fields=("predictions description_with_group",),
        columns=[predictionbook.CSV],  # which it refuses
    ),
    "confido": Format(
        confido.read,
        "Confido",
        "a CSV with timestamp and probability or mean",
        asks={"aggregates"},
        columns=[("timestamp", "date", "time", one) for one in ("probability", "mean")],
    ),
    "pairs": Format(
        pairs.read,
        "Spreadsheet",
        "a CSV of questions, probabilities and outcomes",
        asks={"zone", "columns", "closes"},
    ),
}
EXPORTS: Mapping[str, Export] = {
    "metaculus": Export(
        metaculus_export.write, "Metaculus", "a folder of CSVs as Metaculus exports them"
    ),
    "calendar": Export(
        icalendar.write, "Calendar", "a calendar file of the questions without an outcome"
    ),
    "forecastbench": Export(
        forecastbench.write, "ForecastBench", "a folder of ForecastBench submissions"
    ),
    "forecasting-tools": Export(
        forecasting_tools.write,
        "forecasting-tools",
        "a folder with benchmark.jsonl for forecasting-tools",
    ),
}
GENERIC = "pairs"
_ONE_BY_ONE = "Import the files of each export by themselves."
_AS_WRITTEN = Remedy(
    "Give the export as the platform wrote it, or name its format: {}", "", format="NAME"
)


def recognised(source: Source, name: str | None = None) -> tuple[str, Format]:
    """Return the name and the format of the files; ``name`` overrules the content.

    BadInput if ``name`` or the content is of no format, or if the content is of several.
    """
    if name is not None:
        called = {one.title.lower(): key for key, one in FORMATS.items()}
        if (key := called.get(name, name)) not in FORMATS:
            names = ", ".join(called)
            raise BadInput(f"{name!r} is not a format.", remedy=f"Formats are: {names}.")
        return key, FORMATS[key]
    found = [name for name, one in FORMATS.items() if one.recognises(source)]
    if not found and pairs.recognises(source):
        found = [GENERIC]
    if len(found) > 1:
        titles = " and ".join(FORMATS[name].title for name in found)
        raise BadInput(
            f"{source.name} could be from {titles}.",
            remedy=(
                _ONE_BY_ONE if len(source.files) > 1 else "",
                Remedy("Choose one: {}", "", format=found[0]),
            ),
        )
    if not found and len(source.headers) > 1:
        raise BadInput(
            f"The {len(source.headers):,} CSV files are not an export that can be imported.",
            remedy=("Spreadsheets are imported one at a time: choose one of them.", _AS_WRITTEN),
        )
    if not found:
        sought = "".join(f"\n  {one.title}: {one.files}" for one in FORMATS.values())
        raise BadInput(
            f"{source.name} has no format that can be imported. Looked for:\n"
            f"  Ledger folder: questions.csv and forecasts.csv{sought}",
            remedy=_as_sheet(source) or (_ONE_BY_ONE if _packed(source) else "", _AS_WRITTEN),
        )
    return found[0], FORMATS[found[0]]


def _packed(source: Source) -> bool:
    """Return whether packed files are among several, which are not unpacked."""
    return any(name.lower().endswith((".zip", ".gz")) for name in source.files)


def _as_sheet(source: Source) -> tuple[str | Remedy, ...]:
    """Return how to import the only CSV file as a spreadsheet; () if there are several."""
    if len(source.headers) != 1:
        return ()
    [header] = source.headers.values()
    return (
        Remedy(
            "Give the export as the platform wrote it. If it is a spreadsheet, say so ({})",
            "",
            format="spreadsheet",
        ),
        f"and name the columns that it has as below. Its columns are {', '.join(header)}.",
        *missing_fields(found_by_name(header), header),
    )


def read(source: Source, choices: Choices, name: str | None = None) -> PlatformRecord:
    """Return the record in the files, in the format ``name`` or the one recognised.

    BadInput as in ``recognised``, with every cell that breaks a rule, and without any question.
    """
    _, format_ = recognised(source, name)
    if choices.closes is not None and "closes" not in format_.asks:
        raise BadInput(
            f"--closes is for spreadsheets; {source.name} is read as a file of {format_.title}.",
            remedy="Leave it out.",
        )
    record = format_.read(source, choices)
    if record.frames.questions.empty:
        raise BadInput(
            f"{source.name} has no question of {format_.title} that can be imported.",
            problems=[Problem(one.place, one.value, one.reason) for one in record.left_out],
            remedy=f"It should be {format_.files}.",
        )
    return record


def export_format(name: str) -> Export:
    """Return the format of an export with this name; BadInput if there is none."""
    if name not in EXPORTS:
        raise BadInput(
            f"{name!r} is not a format for exports.",
            remedy=f"Formats are: {', '.join([*EXPORTS, 'json'])}.",
        )
    return EXPORTS[name]
