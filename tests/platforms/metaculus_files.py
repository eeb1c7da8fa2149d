"""Metaculus exports made by hand for the tests, from the description of the format."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasts.common.errors import BadInput
from forecasts.platforms import metaculus
from forecasts.platforms.record import Choices, PlatformRecord, check_record
from forecasts.platforms.source import opened

NOW = datetime(2026, 6, 1, tzinfo=UTC)
[QUESTION_HEADER] = csv.reader(
    [
        "Question ID,Question URL,Question Title,Post ID,Post Curation Status,Post Published Time,"
        "Default Project,Default Project ID,Categories,Leaderboard Tags,Label,Question Type,"
        "MC Options (Current),MC Options (All),MC Options History,Lower Bound,Open Lower Bound,"
        "Upper Bound,Open Upper Bound,Continuous Range,Open Time,CP Reveal Time,"
        "Scheduled Close Time,Actual Close Time,Resolution,Resolution Known Time,"
        "Include Bots in Aggregates,Question Weight"
    ]
)
[FORECAST_HEADER] = csv.reader(
    [
        "Question ID,Forecaster ID,Forecaster Username,Is Bot,Start Time,End Time,Forecaster Count,"
        "Probability Yes,Probability Yes Per Category,Continuous CDF,Probability Below Lower Bound,"
        "Probability Above Upper Bound,5th Percentile,25th Percentile,Median,75th Percentile,"
        "95th Percentile,Probability of Resolution,PDF at Resolution"
    ]
)

Row = Mapping[str, Any]


def question(number: Any = 41, **cells: Any) -> dict[str, Any]:
    """Return a row of question_data.csv; ``cells`` by the first word of their columns, or whole."""
    return {
        "Question ID": number,
        "Question Title": f"Will it rain on day {number}?",
        "Post ID": 9041,
        "Post Curation Status": "approved",
        "Default Project": "Metaculus Community",
        "Categories": "['Weather']",
        "Leaderboard Tags": "[]",
        "Question Type": "binary",
        "Open Time": "2026-01-01 00:00:00+00:00",
        "Scheduled Close Time": "2026-01-11 00:00:00+00:00",
        "Include Bots in Aggregates": "False",
        "Question Weight": "1.0",
    } | cells


def account(who: str) -> int:
    """Return the id of a person's account."""
    return int.from_bytes(who.encode()) % 1_000_003


def forecast(
    number: Any = 41, who: str = "ann", at: str = "2026-01-02 03:04:05", **cells: Any
) -> Row:
    """Return a row of forecast_data.csv by a person."""
    return {
        "Question ID": number,
        "Forecaster ID": account(who),
        "Forecaster Username": who,
        "Is Bot": "False",
        "Start Time": f"{at}+00:00",
    } | cells


def crowd(number: Any = 41, method: str = "recency_weighted", **cells: Any) -> Row:
    """Return a row of forecast_data.csv by one of the platform's crowds."""
    return (
        forecast(number, method, **{"Forecaster ID": "", "Is Bot": "", "Forecaster Count": 3})
        | cells
    )


def hashed(number: int) -> str:
    """Return an anonymised id as the platform makes it."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def write(path: Path, header: Sequence[str], rows: Sequence[Row]) -> None:
    """Write a CSV as the platform does."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def export(folder: Path, questions: Sequence[Row], forecasts: Sequence[Row], **more: str) -> Path:
    """Return a folder with an export; ``more``: the texts of other files, by name."""
    folder.mkdir(exist_ok=True)
    write(folder / "question_data.csv", QUESTION_HEADER, questions)
    write(folder / "forecast_data.csv", FORECAST_HEADER, forecasts)
    for name, text in more.items():
        ending = "md" if name == "README" else "csv"
        (folder / f"{name}.{ending}").write_text(text, encoding="utf-8")
    return folder


def read(path: Path, **choices: Any) -> PlatformRecord:
    """Return what an export holds, as it is read for a member called owner."""
    with opened(path) as source:
        return metaculus.read(source, Choices(**{"owner": "owner", "now": NOW} | choices))


def refused(path: Path, **choices: Any) -> str:
    """Return the places and rules of an export that is refused."""
    with pytest.raises(BadInput) as caught:
        check_record(read(path, **choices).frames)
    return "\n".join([str(caught.value), *map(str, caught.value.problems)])


def made(record: PlatformRecord) -> list[tuple[Any, ...]]:
    """Return the forecasts as (who, day and hour, value); None for a withdrawal."""
    return [
        (
            row.forecaster,
            row.made_at.strftime("%d %H"),
            row.probability if pd.notna(row.probability) else row.probabilities or row.quantiles,
        )
        for row in record.frames.forecasts.itertuples()
    ]
