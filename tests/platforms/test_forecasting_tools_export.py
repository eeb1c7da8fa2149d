"""Benchmarks in the shape of forecasting-tools, read back by its reader."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from forecasts.folder.frames import FORECAST_COLUMNS, MODEL_COLUMNS, QUESTION_COLUMNS, Frames
from forecasts.platforms import forecasting_tools
from forecasts.platforms import forecasting_tools as benchmark
from forecasts.platforms.record import Choices, frame_of, frames_of
from forecasts.platforms.source import opened

_PLATFORM = "forecasting-tools-"


def day(number: int) -> datetime:
    return datetime(2025, 3, number, 9, 30, tzinfo=UTC)


def sample() -> Frames:
    """Return questions of every type that a benchmark has, with forecasts of two bots."""
    slugs = [f"{_PLATFORM}{name}" for name in ("rain", "colour", "height")]
    questions = {
        "question_id": slugs,
        "title": ["Will it rain?", "Which colour?", "How high?"],
        "type": ["binary", "multiple_choice", "numeric"],
        "options": [None, ["red", "blue", "green"], None],
        "lower_bound": ["", "", "0"],
        "upper_bound": ["", "", "100"],
        "unit": ["", "", "m"],
        "open_time": [day(1)] * 3,
        "scheduled_close_time": [day(30)] * 3,
        "scheduled_resolve_time": [day(31), pd.NaT, pd.NaT],
        "actual_close_time": [day(20), pd.NaT, pd.NaT],
        "resolution": ["no", "", ""],
        "known_at": [day(20), pd.NaT, pd.NaT],
        "family": ["weather", "", ""],
        "tags": [["spring"], None, None],
        "background": ["Clouds.", "", ""],
        "resolution_criteria": ["At the gauge.", "", ""],
        "fine_print": ["UTC.", "", ""],
    }
    forecasts = {
        "question_id": [slugs[0], slugs[0], slugs[1], slugs[1], slugs[2]],
        "forecaster": ["oracle", "oracle", "oracle", "sibyl", "sibyl"],
        "made_at": [day(2), day(3), day(2), day(2), day(4)],
        "probability": [0.0, 0.3, *[float("nan")] * 3],
        "probabilities": [None, None, [0.25, 0.5, 0.25], [0.5, None, 0.5], None],
        "quantiles": [*[None] * 4, {"0.25": 20.0, "0.5": 45.5, "0.9": 80.0, "above": 0.05}],
        "rationale": ["Dry.", "# Summary\nNews\u2028and more.", "", "Odd.", "Tall."],
    }
    models = {
        "model": ["o-2", "o-2", "o-2", "", ""],
        "version": ["abc", "abc", "abc", "", ""],
        "cost": [0.1, 0.2, *[float("nan")] * 3],
    }
    frames = frames_of(questions, forecasts, bots=["oracle", "sibyl"])
    return replace(frames, models=frame_of(MODEL_COLUMNS, models))


def test_a_benchmark_is_read_back_equal(tmp_path: Path) -> None:
    own = sample()
    written = benchmark.write(own, tmp_path / "out")
    assert written.files == [tmp_path / "out" / "benchmark.jsonl"]
    assert written.left_out == []
    with opened(tmp_path / "out") as source:
        record = forecasting_tools.read(source, Choices("anna"))
    assert record.left_out == []
    questions = list(QUESTION_COLUMNS)
    pd.testing.assert_frame_equal(record.frames.questions[questions], own.questions[questions])
    forecasts = [name for name in FORECAST_COLUMNS if name not in ("quantiles", "evidence")]
    pd.testing.assert_frame_equal(record.frames.forecasts[forecasts], own.forecasts[forecasts])
    assert record.frames.forecasts["quantiles"].iloc[4] == pytest.approx(
        own.forecasts["quantiles"].iloc[4]
    )
    assert record.frames.models is not None
    assert own.models is not None
    pd.testing.assert_frame_equal(record.frames.models, own.models)


def test_a_line_has_the_fields_of_a_benchmark_and_its_reports(tmp_path: Path) -> None:
    benchmark.write(sample(), tmp_path / "out")
    text = (tmp_path / "out" / "benchmark.jsonl").read_text(encoding="utf-8")
    first, second = (json.loads(line) for line in text.splitlines())
    assert first["explicit_name"] == "oracle"
    assert first["git_commit_hash"] == "abc"
    assert first["forecast_bot_config"] == {"llms": {"default": "o-2"}}
    assert first["total_cost"] == pytest.approx(0.3)
    assert first["num_input_questions"] == 2
    assert second["total_cost"] is None
    for line in (first, second):
        for report in line["forecast_reports"]:
            assert report["explanation"].startswith("#")
            assert report["question"]["question_type"] in ("binary", "multiple_choice", "numeric")
    points = second["forecast_reports"][1]["prediction"]["declared_percentiles"]
    rising = [(0.0, 0.0), (0.25, 20.0), (0.5, 45.5), (0.9, 80.0), (0.95, 100.0)]
    assert [(one["percentile"], one["value"]) for one in points] == rising


def test_what_a_benchmark_has_no_place_for_is_named(tmp_path: Path) -> None:
    slugs = ["when", "rain", "height"]
    frames = frames_of(
        {
            "question_id": [*slugs, "lonely"],
            "title": [*slugs, "lonely"],
            "type": ["date", "binary", "numeric", "binary"],
            "lower_bound": ["2025-01-01", "", "0", ""],
            "upper_bound": ["2026-01-01", "", "10", ""],
            "open_time": [day(1)] * 4,
            "scheduled_close_time": [day(30)] * 4,
            "spot_time": [day(9), *[pd.NaT] * 3],
        },
        {
            "question_id": slugs,
            "forecaster": ["carol"] * 3,
            "made_at": [day(2)] * 3,
            "quantiles": [{"0.5": "2025-06-01"}, None, {"above": 1.0}],
        },
    )
    assert benchmark.write(frames, tmp_path / "out").left_out == [
        "1 forecast of a date",
        "1 withdrawal",
        "1 forecast beyond the bounds alone",
        "1 question without a forecast",
        "1 mark that a member is a person",
        "1 spot time",
    ]
    assert (tmp_path / "out" / "benchmark.jsonl").read_text() == ""
