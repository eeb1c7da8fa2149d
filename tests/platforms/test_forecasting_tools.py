"""Reports and benchmarks of forecasting-tools. No row is from a real bot."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasts.folder.frames import (
    FORECAST_COLUMNS,
    MODEL_COLUMNS,
    QUESTION_COLUMNS,
    Frames,
    typed_frame,
)
from forecasts.platforms import forecasting_tools
from forecasts.platforms.formats import recognised
from forecasts.platforms.record import Choices, PlatformRecord, check_record, frames_of
from forecasts.platforms.source import Source, opened
from tests.platforms import sheets


def question(**fields: Any) -> dict[str, Any]:
    """Return a binary question as a report has it."""
    return {
        "question_text": "Will the ship arrive?",
        "page_url": "https://www.metaculus.com/questions/31",
        "id_of_question": 28,
        "resolution_criteria": "In port.",
        "fine_print": "Local time.",
        "background_info": "It left in May.",
        "close_time": "2025-06-01T00:00:00Z",
        "open_time": "2025-05-01T00:00:00Z",
        "date_accessed": "2025-05-10T12:00:00+00:00",
        "tournament_slugs": ["spring"],
        "resolution_string": None,
        "question_type": "binary",
        "community_prediction_at_access_time": 0.99,
    } | fields


def report(
    prediction: Any = 0.3, about: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    return {
        "question": question() if about is None else about,
        "explanation": "# Summary\nLikely late.",
        "price_estimate": 0.25,
        "minutes_taken": 30,
        "errors": [],
        "prediction": prediction,
    } | fields


def benchmark(*reports: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "explicit_name": None,
        "forecast_bot_class_name": "TemplateBot",
        "timestamp": "2025-05-11T09:00:00",
        "git_commit_hash": "abc1234",
        "forecast_bot_config": {"llms": {"default": {"original_model": "maker/oracle-2"}}},
        "failed_report_errors": [],
        "forecast_reports": list(reports),
    } | fields


def read(path: Path, *rows: dict[str, Any]) -> PlatformRecord:
    file = path / "reports.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    source = Source("reports", {file.name: file})
    assert recognised(source)[0] == "forecasting-tools"
    record = forecasting_tools.read(source, Choices("anna"))
    check_record(record.frames)
    return record


def points(*pairs: tuple[float, float | None], **fields: Any) -> dict[str, Any]:
    return {"declared_percentiles": [{"percentile": p, "value": v} for p, v in pairs]} | fields


NUMERIC = {
    "question_type": "numeric",
    "lower_bound": 0.0,
    "upper_bound": 100.0,
    "open_lower_bound": True,
    "open_upper_bound": True,
    "unit_of_measure": "m",
}


CHOICE = question(question_type="multiple_choice", options=["Low", "Middle", "High"])
DATES = question(
    question_type="date", lower_bound="2025-01-01T00:00:00Z", upper_bound="2026-01-01T00:00:00Z"
)
KNOWN = {"actual_resolution_time": "2025-05-25T00:00:00Z"}
OTHER = {"llms": {"default": "maker/oracle-3"}}
LATER = {"date_accessed": "2025-05-20T12:00:00Z"}


def shares(**p: float) -> dict[str, Any]:
    return {"predicted_options": [{"option_name": n, "probability": p[n]} for n in p]}


REPORTS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "a report is one forecast of a bot": (
        [report()],
        {"id": ["forecasting-tools-28"], "who": ["anna-bot"], "p": [0.3], "kinds": ["bot"],
         "made": ["2025-05-10 12:30"], "rationales": ["# Summary\nLikely late."],
         "model": ["unnamed"], "cost": [0.25], "titles": ["Will the ship arrive?"],
         "tags": [["spring"]], "fine_print": ["Local time."],
         "urls": ["https://www.metaculus.com/questions/31"]},
    ),
    "a benchmark has the model with its version and cost": (
        [benchmark(report())], {"model": ["maker/oracle-2"], "version": ["abc1234"], "cost": [0.25]}
    ),
    "the same report in two benchmarks, and a second run": (
        [benchmark(report()), benchmark(report(), report(0.5, question(**LATER)))],
        {"p": [0.3, 0.5]},
    ),
    "a benchmark names the bot and its model": (
        [benchmark(report()), benchmark(report(0.4), forecast_bot_config=OTHER)],
        {"who": ["TemplateBot maker/oracle-2", "TemplateBot maker/oracle-3"],
         "id": ["forecasting-tools-28"]},
    ),
    "errors and failed forecasts": (
        [benchmark(report(errors=["Timeout"]), failed_report_errors=["No key"])],
        {"left": ["No key", "Timeout"],
         "left out": [("record 1, failed_report_errors 1", "a forecast that failed"),
                      ("record 1, forecast_reports 1, errors 1",
                       "an error on the way to the forecast")]},
    ),
    "the benchmark's time for a question without one": (
        [benchmark(report(about=question(date_accessed=None), minutes_taken=None))],
        {"made": ["2025-05-11 09:00"]},
    ),
    "a question without an id": (
        [report(about=question(id_of_question=None, fine_print=words)) for words in "ab"],
        {"titles": ["Will the ship arrive?"]},
    ),
    "options are matched by name": (
        [report(shares(High=0.7, Low=0.3), CHOICE)], {"vectors": [[0.3, None, 0.7]]},
    ),
    "an option that the question lost": (
        [report(shares(Low=0.5, High=0.5), CHOICE),
         report(shares(Low=0.5, Other=0.5), CHOICE | LATER | {"options": ["Low", "Other"]})],
        {"vectors": [[0.5, 0.5]],
         "left out": [("record 1", "the question has no option 'High' any more")]},
    ),
    **{
        f"the outcome {stated!r}": (
            [report(about=question(**KNOWN, resolution_string=stated))],
            {"outcomes": [stated or ""], "ends": ["2025-05-25 00:00"]},
        )
        for stated in ("yes", "annulled", None)
    },
    "the kind of an old report is told by its prediction": (
        [report(points((0.5, 40)), question(**NUMERIC | {"question_type": None}))],
        {"types": ["numeric"], "quantiles": [{"0.5": 40.0}]},
    ),
    "a conditional question": (
        [report(about=question(question_type="conditional")), report()],
        {"p": [0.3], "left out": [("record 1", "a conditional question")]},
    ),
    "percentiles within the bounds, and the rest outside": (
        [report(points((0.1, -10), (0.3, 10), (0.5, 40), (0.9, 80), (0.95, 120)),
                question(**NUMERIC))],
        {"types": ["numeric"], "bounds": [("0", "100")], "unit": ["m"],
         "quantiles": [pytest.approx(
             {"0.3": 10, "0.5": 40, "0.9": 80, "below": 0.2, "above": 0.075})]},
    ),
    # 201 points: linear from 0 to 50, and again to 100.
    "a whole CDF keeps its corners": (
        [report(points(*((0.1 + 0.5 * min(v, 50) / 50 + 0.3 * max(0, v - 50) / 50, v)
                         for v in (n / 2 for n in range(201)))), question(**NUMERIC))],
        {"quantiles": [pytest.approx({"0.6": 50.0, "below": 0.1, "above": 0.1})]},
    ),
    "dates": (
        [report(points((0.2, 1746057600), (0.8, 1748736000)), DATES)],
        {"types": ["date"],
         "quantiles": [{"0.2": "2025-05-01T00:00:00Z", "0.8": "2025-06-01T00:00:00Z"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reports", "expected"), REPORTS.values(), ids=REPORTS)
def test_reports_are_read(
    tmp_path: Path, reports: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    sheets.require(read(tmp_path, *reports), expected)


PERCENTILES = "prediction, field declared_percentiles"
POINT = "prediction, declared_percentiles 1, field"


@pytest.mark.parametrize(
    ("row", "place", "rule"),
    [
        (report(1.5), "field prediction", "from 0 to 1"),
        (report(about=question(date_accessed=None)), "question, field date_accessed", "required"),
        (report(about=question(question_text="")), "question, field question_text", "required"),
        (report(about=question(page_url="file:///etc")), "question, field page_url", "https://"),
        (report(about=question(close_time="soon")), "question, field close_time", "ISO 8601"),
        (report(points((0.5, 10), (0.4, 20)), question(**NUMERIC)), PERCENTILES, "rise"),
        (report(points((0.5, None)), question(**NUMERIC)), f"{POINT} value", "required"),
        (report(shares(), CHOICE), "prediction, field predicted_options", "sum to 1"),
    ],
)
def test_a_bad_value_is_named_by_file_record_field_and_rule(
    tmp_path: Path, row: dict[str, Any], place: str, rule: str
) -> None:
    with sheets.refused_at(f"reports.jsonl, record 2, {place}", rule):
        read(tmp_path, report(), row)


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
    return replace(frames, models=typed_frame(models, MODEL_COLUMNS))


def test_a_benchmark_is_read_back_equal(tmp_path: Path) -> None:
    own = sample()
    written = forecasting_tools.write(own, tmp_path / "out")
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
    forecasting_tools.write(sample(), tmp_path / "out")
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


def test_an_export_names_rows_without_a_place_in_the_benchmark(tmp_path: Path) -> None:
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
    assert forecasting_tools.write(frames, tmp_path / "out").left_out == [
        "1 forecast of a date",
        "1 withdrawal",
        "1 forecast beyond the bounds alone",
        "1 question without a forecast",
        "1 mark that a member is a person",
        "1 spot time",
    ]
    assert (tmp_path / "out" / "benchmark.jsonl").read_text() == ""
