"""ForecastBench's forecast, resolution and question sets. No row is real."""

from pathlib import Path
from typing import Any

import pytest

from forecasts.common.errors import BadInput
from forecasts.platforms.record import PlatformRecord
from tests.platforms import sheets
from tests.remarks import notes_of

DUE = "2025-03-02"


def forecast(id_: Any, source: str, p: Any, resolves: Any = None, **fields: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "source": source,
        "forecast": p,
        "resolution_date": resolves,
        "reasoning": None,
        "direction": None,
    } | fields


def outcome(id_: Any, source: str, resolves: str, value: Any, **fields: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "source": source,
        "direction": None,
        "resolution_date": resolves,
        "resolved_to": value,
        "resolved": True,
    } | fields


def forecasts(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a forecast set of a model."""
    return {
        "organization": "Acme",
        "model": "oracle-2",
        "model_organization": "Acme",
        "question_set": f"{DUE}-llm.json",
        "forecast_due_date": DUE,
        "forecasts": list(rows),
    } | fields


def resolutions(*rows: dict[str, Any], due: str = DUE) -> dict[str, Any]:
    named = {"forecast_due_date": due, "question_set": f"{due}-llm.json"}
    return named | {"resolutions": list(rows)}


def questions(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"forecast_due_date": DUE, "question_set": f"{DUE}-llm.json", "questions": list(rows)}


def read(path: Path, *sets: dict[str, Any], **choices: Any) -> PlatformRecord:
    files = {f"set{number}": content for number, content in enumerate(sets, 1)}
    return sheets.from_json(path, "forecastbench", **files, **choices)


def test_a_model_is_a_bot_and_its_reasoning_the_rationale(tmp_path: Path) -> None:
    record = read(tmp_path, forecasts(forecast("abc", "manifold", 0.3, reasoning="Because.")))
    [row] = record.frames.forecasts.to_dict("records")
    assert row["question_id"] == "forecastbench-manifold-abc"
    assert (row["forecaster"], row["probability"]) == ("Acme oracle-2", 0.3)
    assert row["rationale"] == "Because."
    assert row["made_at"].isoformat() == "2025-03-02T00:00:00+00:00"
    assert record.frames.members is not None
    assert record.frames.members["kind"].tolist() == ["bot"]
    assert record.frames.models is not None
    assert record.frames.models["model"].tolist() == ["oracle-2"]


def test_a_survey_has_people(tmp_path: Path) -> None:
    rows = [forecast("abc", "manifold", p, user_id=who) for p, who in ((0.3, "S1"), (0.4, "S2"))]
    survey = forecasts(*rows, organization="ForecastBench", model="Superforecaster forecasts")
    record = read(tmp_path, survey)
    assert record.frames.forecasts["forecaster"].tolist() == ["S1", "S2"]
    assert record.frames.members is not None
    assert record.frames.members["kind"].tolist() == ["human", "human"]
    assert record.frames.models is None


def test_a_crowd_is_imported_only_when_asked_for(tmp_path: Path) -> None:
    crowd = forecasts(forecast("abc", "manifold", 0.3), model="Public median forecast")
    assert len(read(tmp_path, crowd).frames.forecasts) == 0
    assert len(read(tmp_path, crowd, aggregates=True).frames.forecasts) == 1


def test_a_newer_file_names_the_run_and_the_variant(tmp_path: Path) -> None:
    new = {
        "organization": "ForecastBench",
        "model": "oracle-2-zero-shot-with-freeze-values",
        "model_run_key": "oracle-2-run-03",
        "model_run_slug": "oracle-2",
        "forecast_variant_key": "zero-shot-with-freeze-values",
    }
    record = read(tmp_path, forecasts(forecast("abc", "manifold", 0.3), **new))
    handle = "oracle-2-run-03-zero-shot-with-freeze-values"
    assert record.frames.forecasts["forecaster"].tolist() == [handle]
    assert record.frames.models is not None
    assert record.frames.models[["model", "version"]].iloc[0].tolist() == [
        "oracle-2",
        "oracle-2-run-03",
    ]


def test_a_market_question_listed_for_each_horizon_counts_once(tmp_path: Path) -> None:
    days = ["2025-03-09", "2025-04-01", "2025-06-01"]
    rows = [forecast("abc", "manifold", 0.3, day) for day in days]
    known = [
        outcome("abc", "manifold", days[0], 0.41, resolved=False),
        outcome("abc", "manifold", days[2], 1.0),
        outcome("abc", "manifold", days[1], 1.0),
    ]
    record = read(tmp_path, forecasts(*rows), resolutions(*known))
    assert len(record.frames.forecasts) == 1
    assert "2 rows were repeated" in notes_of(record)[1]
    [asked] = record.frames.questions.to_dict("records")
    assert asked["resolution"] == "yes"
    assert asked["known_at"].isoformat() == "2025-04-01T23:59:59+00:00"


def test_the_price_of_an_unresolved_market_is_not_an_outcome(tmp_path: Path) -> None:
    known = outcome("abc", "manifold", "2025-03-09", 0.41, resolved=False)
    record = read(tmp_path, forecasts(forecast("abc", "manifold", 0.3)), resolutions(known))
    assert record.frames.questions["resolution"].tolist() == [""]
    certain = outcome("abc", "manifold", "2025-03-09", 1.0, resolved=False)
    record = read(tmp_path, forecasts(forecast("abc", "manifold", 0.3)), resolutions(certain))
    assert record.frames.questions["resolution"].tolist() == [""]


def test_a_resolved_market_can_be_a_share_or_annulled(tmp_path: Path) -> None:
    rows = [forecast("abc", "manifold", 0.3), forecast("def", "manifold", 0.3)]
    known = [
        outcome("abc", "manifold", "2025-03-09", 0.5),
        outcome("def", "manifold", "2025-03-09", None),
    ]
    record = read(tmp_path, forecasts(*rows), resolutions(*known))
    assert record.frames.questions["resolution"].tolist() == ["0.5", "annulled"]


def test_an_outcome_without_a_day_ends_the_round(tmp_path: Path) -> None:
    known = resolutions(outcome("abc", "manifold", "", 1.0), outcome("xyz", "manifold", "N/A", 1.0))
    record = read(tmp_path, forecasts(forecast("abc", "manifold", 0.3)), known)
    [asked] = record.frames.questions.to_dict("records")
    assert (asked["resolution"], str(asked["known_at"])) == ("yes", "NaT")
    assert asked["actual_close_time"].isoformat() == "2025-03-02T23:59:59+00:00"
    assert "2 outcomes have no date" in notes_of(record)[1]


def test_a_dataset_question_is_one_for_each_round_and_day(tmp_path: Path) -> None:
    rows = [
        forecast("DGS10", "fred", p, day) for p, day in ((0.3, "2025-03-09"), (0.4, "2025-04-01"))
    ]
    other = forecasts(forecast("DGS10", "fred", 0.5, "2025-04-01"), forecast_due_date="2025-03-16")
    known = resolutions(outcome("DGS10", "fred", "2025-04-01", 0.0), due="2025-03-16")
    record = read(tmp_path, forecasts(*rows), other, known)
    assert record.frames.questions[["question_id", "resolution"]].to_numpy().tolist() == [
        ["forecastbench-fred-DGS10-2025-03-02-2025-03-09", ""],
        ["forecastbench-fred-DGS10-2025-03-02-2025-04-01", ""],
        ["forecastbench-fred-DGS10-2025-03-16-2025-04-01", "no"],
    ]


def test_a_missing_forecast_is_left_out(tmp_path: Path) -> None:
    rows = [forecast("abc", "manifold", "N/A", "N/A"), forecast("def", "manifold", 0.3, "N/A")]
    record = read(tmp_path, forecasts(*rows))
    assert record.frames.forecasts["question_id"].tolist() == ["forecastbench-manifold-def"]
    [one] = record.left_out
    assert (one.place, one.value, one.reason) == ("set1.json, forecasts 1", "abc", "no forecast")


def test_a_combination_counts_only_where_its_outcome_is_known(tmp_path: Path) -> None:
    both = forecast(["abc", "def"], "manifold", 0.3, direction=[1, -1])
    record = read(tmp_path, forecasts(both, forecast("abc", "manifold", 0.5)))
    assert record.frames.forecasts["question_id"].tolist() == ["forecastbench-manifold-abc"]
    assert record.left_out[0].value == "abc + def"
    assert record.left_out[0].reason == "a combination of questions, whose outcome no file has"
    known = outcome(["abc", "def"], "manifold", "2025-03-09", 1.0, direction=[1, -1])
    record = read(tmp_path, forecasts(both), resolutions(known))
    [asked] = record.frames.questions.to_dict("records")
    assert asked["question_id"] == "forecastbench-manifold-abc+-def"
    assert asked["title"] == "manifold abc [yes] and manifold def [no]"
    assert asked["resolution"] == "yes"


def test_a_question_set_gives_the_words_and_the_market_times(tmp_path: Path) -> None:
    about = {
        "id": "abc",
        "source": "manifold",
        "question": "Will it rain?",
        "resolution_criteria": "At the gauge.",
        "background": "N/A",
        "market_info_resolution_criteria": "N/A",
        "market_info_open_datetime": "2025-01-05T10:00:00+00:00",
        "market_info_close_datetime": "2025-12-31T23:59:00+00:00",
        "url": "https://manifold.markets/anna/rain",
        "freeze_datetime_value": "0.9",
    }
    series = {
        "id": "DGS10",
        "source": "fred",
        "question": "Will it rise from {forecast_due_date} to {resolution_date}?",
        "resolution_criteria": "As published.",
        "market_info_open_datetime": "N/A",
        "market_info_close_datetime": "N/A",
        "url": "N/A",
    }
    rows = [forecast("abc", "manifold", 0.3), forecast("DGS10", "fred", 0.4, "2025-03-09")]
    record = read(tmp_path, forecasts(*rows), questions(about, series))
    first, second = record.frames.questions.to_dict("records")
    assert (first["title"], first["resolution_criteria"]) == ("Will it rain?", "At the gauge.")
    assert (first["background"], first["fine_print"]) == ("", "")
    assert first["open_time"].isoformat() == "2025-01-05T10:00:00+00:00"
    assert first["scheduled_close_time"].isoformat() == "2025-12-31T23:59:00+00:00"
    assert second["title"] == "Will it rise from 2025-03-02 to 2025-03-09?"
    assert second["scheduled_close_time"].isoformat() == "2025-03-09T23:59:59+00:00"
    assert record.origins["url"].tolist() == ["https://manifold.markets/anna/rain", ""]


def test_a_newer_export_keeps_the_ids(tmp_path: Path) -> None:
    before = read(tmp_path, forecasts(forecast("abc", "manifold", 0.3)))
    known = resolutions(outcome("abc", "manifold", "2025-03-09", 1.0))
    after = read(tmp_path, forecasts(forecast("abc", "manifold", 0.3, "2025-03-09")), known)
    assert before.origins["question_id"].tolist() == after.origins["question_id"].tolist()
    assert before.frames.forecasts.equals(after.frames.forecasts)


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        (forecast("abc", "manifold", 1.5), "forecast", "from 0 to 1"),
        (forecast("abc", "manifold", "high"), "forecast", "a number"),
        (forecast("abc", "", 0.5), "source", "required"),
        (forecast([1, 2], "manifold", 0.5), "id", "an id or a list of ids"),
        (forecast(["a", "b"], "manifold", 0.5), "direction", "1 or -1 for each id"),
        (forecast("DGS10", "fred", 0.5), "resolution_date", "required for a dataset question"),
        (forecast("DGS10", "fred", 0.5, "soon"), "resolution_date", "a day, as in 2025-10-30"),
    ],
)
def test_a_bad_value_is_named_by_file_row_field_value_and_rule(
    tmp_path: Path, row: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(tmp_path, forecasts(forecast("abc", "manifold", 0.5), row))
    assert caught.value.problems[0].place == f"set1.json, forecasts 2, field {field}"
    assert rule in caught.value.problems[0].rule


def test_outcomes_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    known = resolutions(
        outcome("abc", "manifold", "2025-03-09", 1.0), outcome("abc", "manifold", "2025-04-09", 0.0)
    )
    with pytest.raises(BadInput) as caught:
        read(tmp_path, forecasts(forecast("abc", "manifold", 0.5)), known)
    assert "as in set2.json, resolutions 1: 1.0" in caught.value.problems[0].rule
