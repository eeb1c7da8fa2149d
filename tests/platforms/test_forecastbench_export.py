"""Submissions in ForecastBench's shape, read back by its reader."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from forecasts.common.errors import Refused
from forecasts.folder.frames import MODEL_COLUMNS, Frames
from forecasts.platforms import forecastbench
from forecasts.platforms import forecastbench as reader
from forecasts.platforms.record import Choices, frame_of, frames_of
from forecasts.platforms.source import opened

_BINARY = [
    "forecastbench-fred-DGS10-2025-03-02-2025-03-09",
    "forecastbench-manifold-abc",
    "forecastbench-ledger-q1",
]


def day(number: int, hour: int = 0) -> datetime:
    return datetime(2025, 3, number, hour, tzinfo=UTC)


def sample() -> Frames:
    """Return the forecasts of a bot and a person, each at the due date of a round."""
    slugs = [*_BINARY, "choice"]
    made = [
        (_BINARY[0], "oracle", day(2), 0.25, "Rates fall."),
        (_BINARY[1], "oracle", day(2), 0.1, ""),
        (_BINARY[1], "oracle", day(4), 0.2, "News."),
        (_BINARY[2], "carol", day(2), 1.0, ""),
    ]
    names = ("question_id", "forecaster", "made_at", "probability", "rationale")
    columns = dict(zip(names, zip(*made, strict=True), strict=True))
    frames = frames_of(
        {
            "question_id": slugs,
            "title": slugs,
            "type": [*["binary"] * 3, "multiple_choice"],
            "options": [None, None, None, ["a", "b"]],
            "open_time": [day(1)] * 4,
            "scheduled_close_time": [day(30)] * 4,
        },
        columns,
        bots=["oracle"],
    )
    models = frame_of(MODEL_COLUMNS, {"model": ["o-2", "o-2", "o-2", ""]})
    return replace(frames, models=models)


def with_forecasts(frames: Frames, *more: dict[str, object]) -> Frames:
    """Return the frames with more forecasts of the bot."""
    rows = pd.concat([frames.forecasts, pd.DataFrame(more)], ignore_index=True)
    rows["forecaster"] = rows["forecaster"].fillna("oracle")
    made = {str(name): rows[name].astype(object).where(rows[name].notna(), None) for name in rows}
    questions = {name: frames.questions[name] for name in frames.questions}
    return frames_of(questions, made, bots=["oracle"])


@pytest.mark.slow
def test_a_submission_is_read_back_equal(tmp_path: Path) -> None:
    written = forecastbench.write(sample(), tmp_path / "out")
    assert [file.name for file in written.files] == [
        "2025-03-02.carol.1.json",
        "2025-03-02.oracle.1.json",
        "2025-03-04.oracle.1.json",
    ]
    with opened(tmp_path / "out") as source:
        record = reader.read(source, Choices("anna"))
    by = ["forecaster", "made_at", "question_id"]
    columns = [*by, "probability", "rationale"]
    back, own = (one.forecasts.sort_values(by)[columns] for one in (record.frames, sample()))
    pd.testing.assert_frame_equal(back.reset_index(drop=True), own.reset_index(drop=True))
    assert record.frames.members is not None
    kinds = record.frames.members.set_index("forecaster")["kind"].to_dict()
    assert kinds == {"carol": "human", "oracle": "bot"}
    assert record.frames.models is not None
    assert sorted(record.frames.models["model"]) == ["", "o-2", "o-2", "o-2"]


def test_a_submission_has_the_fields_that_the_benchmark_checks(tmp_path: Path) -> None:
    forecastbench.write(sample(), tmp_path / "out")
    document = json.loads((tmp_path / "out" / "2025-03-02.oracle.1.json").read_text())
    for name in ("organization", "model", "model_organization", "question_set"):
        assert isinstance(document[name], str)
    assert document["forecast_due_date"] == "2025-03-02"
    names = ("id", "source", "forecast", "resolution_date", "reasoning")
    assert [tuple(row[name] for name in names) for row in document["forecasts"]] == [
        ("DGS10", "fred", 0.25, "2025-03-09", "Rates fall."),
        ("abc", "manifold", 0.1, None, None),
    ]


@pytest.mark.slow
def test_what_a_submission_has_no_place_for_is_named(tmp_path: Path) -> None:
    frames = with_forecasts(
        sample(),
        {"question_id": "choice", "made_at": day(3), "probabilities": [0.5, 0.5]},
        {"question_id": _BINARY[1], "made_at": day(4, 6), "probability": 0.3},
        {"question_id": _BINARY[2], "made_at": day(4)},
    )
    written = forecastbench.write(frames, tmp_path / "out")
    assert written.left_out == [
        "1 forecast of another kind than yes or no",
        "1 withdrawal",
        "1 earlier update",
        "1 time other than the due date",
        "4 texts of a question",
    ]
    document = json.loads((tmp_path / "out" / "2025-03-04.oracle.1.json").read_text())
    assert [row["forecast"] for row in document["forecasts"]] == [0.3]


def test_a_name_with_other_characters_is_a_safe_file_name(tmp_path: Path) -> None:
    frames = sample()
    frames.forecasts["forecaster"] = ["../a", "../a", ".._a", "ü/b"]
    written = forecastbench.write(frames, tmp_path / "out")
    assert [file.name for file in written.files] == [
        "2025-03-02._a.1.json",
        "2025-03-02._b.1.json",
        "2025-03-04.__a.1.json",
    ]


def test_a_folder_that_holds_something_is_kept(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(Refused, match="not empty"):
        forecastbench.write(sample(), tmp_path / "out")
