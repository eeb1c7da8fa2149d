"""ForecastBench's forecast, resolution and question sets. No row is real."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasts.common.errors import Refused
from forecasts.folder.frames import MODEL_COLUMNS, Frames, typed_frame
from forecasts.platforms import forecastbench
from forecasts.platforms.record import Choices, PlatformRecord, frames_of
from forecasts.platforms.source import opened
from tests.platforms import sheets

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


ABC = forecast("abc", "manifold", 0.3)
BOTH = forecast(["abc", "def"], "manifold", 0.3, direction=[1, -1])
DAYS = ["2025-03-09", "2025-04-01", "2025-06-01"]


def resolved(value: float | None, day: str = DAYS[0], **fields: Any) -> dict[str, Any]:
    return outcome("abc", "manifold", day, value, **fields)


MARKET = {
    "id": "abc", "source": "manifold", "question": "Will it rain?", "background": "N/A",
    "resolution_criteria": "At the gauge.", "market_info_resolution_criteria": "N/A",
    "market_info_open_datetime": "2025-01-05T10:00:00+00:00",
    "market_info_close_datetime": "2025-12-31T23:59:00+00:00",
    "url": "https://manifold.markets/anna/rain", "freeze_datetime_value": "0.9",
}  # fmt: skip
SERIES = {
    "id": "DGS10", "source": "fred", "resolution_criteria": "As published.", "url": "N/A",
    "question": "Will it rise from {forecast_due_date} to {resolution_date}?",
    "market_info_open_datetime": "N/A", "market_info_close_datetime": "N/A",
}  # fmt: skip
SETS: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "a crowd that was not asked for": (
        [forecasts(ABC, model="Public median forecast")],
        {"who": [], "left out": [("record 1", "a crowd, which was not asked for")]},
    ),
    "a model is a bot, and its reasoning the rationale": (
        [forecasts(forecast("abc", "manifold", 0.3, reasoning="Because."))],
        {"id": ["forecastbench-manifold-abc"], "who": ["Acme oracle-2"], "p": [0.3],
         "rationales": ["Because."], "made": ["2025-03-02 00:00"], "kinds": ["bot"],
         "model": ["oracle-2"]},
    ),
    "people of a survey": (
        [forecasts(*({**ABC, "user_id": one} for one in ("S1", "S2")), model="Superforecasters")],
        {"who": ["S1", "S2"], "p": [0.3, 0.3]},
    ),
    "a run and a variant": (
        [forecasts(ABC, model_run_key="o-2-run", forecast_variant_key="zero-shot")],
        {"who": ["o-2-run-zero-shot"]},
    ),
    "a market listed for each horizon": (
        [forecasts(*(forecast("abc", "manifold", 0.3, day) for day in DAYS)),
         resolutions(resolved(0.4, resolved=False), resolved(1.0, DAYS[2]), resolved(1, DAYS[1]))],
        {"p": [0.3], "outcomes": ["yes"], "ends": ["2025-04-01 23:59"],
         "note": "2 rows were repeated"},
    ),
    "the price of an unresolved market": (
        [forecasts(ABC), resolutions(resolved(0.41, resolved=False))], {"outcomes": [""]},
    ),
    "a certain price of an unresolved market": (
        [forecasts(ABC), resolutions(resolved(1.0, resolved=False))], {"outcomes": [""]},
    ),
    "a share": ([forecasts(ABC), resolutions(resolved(0.5))], {"outcomes": ["0.5"]}),
    "annulled": ([forecasts(ABC), resolutions(resolved(None))], {"outcomes": ["annulled"]}),
    "an outcome without a day ends the round": (
        [forecasts(ABC), resolutions(resolved(1.0, ""), outcome("x", "manifold", "N/A", 1.0))],
        {"outcomes": ["yes"], "ends": ["2025-03-02 23:59"], "note": "2 outcomes have no date"},
    ),
    "a dataset question is one for each round and day": (
        [forecasts(*(forecast("DGS10", "fred", 0.3, day) for day in DAYS[:2])),
         forecasts(forecast("DGS10", "fred", 0.5, DAYS[1]), forecast_due_date="2025-03-16"),
         resolutions(outcome("DGS10", "fred", DAYS[1], 0.0), due="2025-03-16")],
        {"id": [f"forecastbench-fred-DGS10-{days}" for days in (
            "2025-03-02-2025-03-09", "2025-03-02-2025-04-01", "2025-03-16-2025-04-01")],
         "outcomes": ["", "", "no"]},
    ),
    "a missing forecast": (
        [forecasts(forecast("abc", "manifold", "N/A"), forecast("d", "manifold", 0.3, "N/A"))],
        {"id": ["forecastbench-manifold-d"], "left": ["abc"],
         "left out": [("record 1, forecasts 1", "no forecast")]},
    ),
    "a combination of unknown outcome": (
        [forecasts(BOTH, ABC)],
        {"id": ["forecastbench-manifold-abc"], "left": ["abc + def"],
         "left out": [("record 1, forecasts 1",
                       "a combination of questions, whose outcome no file has")]},
    ),
    "the words and the market times of a question set": (
        [forecasts(ABC, forecast("DGS10", "fred", 0.4, DAYS[0])), questions(MARKET, SERIES)],
        {"titles": ["Will it rain?", "Will it rise from 2025-03-02 to 2025-03-09?"],
         "resolution_criteria": ["At the gauge.", "As published."], "background": ["", ""],
         "fine_print": ["", ""], "opens": ["2025-01-05 10:00", "2025-03-02 00:00"],
         "closes": ["2025-12-31 23:59", "2025-03-09 23:59"],
         "urls": ["https://manifold.markets/anna/rain", ""]},
    ),
    "a combination of known outcome": (
        [forecasts(BOTH), resolutions(outcome(["abc", "def"], "manifold", DAYS[0], 1.0,
                                              direction=[1, -1]))],
        {"id": ["forecastbench-manifold-abc+-def"], "outcomes": ["yes"],
         "titles": ["manifold abc [yes] and manifold def [no]"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("sets", "expected"), SETS.values(), ids=SETS)
def test_sets_are_read(
    tmp_path: Path, sets: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    sheets.require(read(tmp_path, *sets), expected)


def test_a_crowd_is_imported_when_asked_for(tmp_path: Path) -> None:
    crowd = forecasts(ABC, model="Public median forecast")
    assert len(read(tmp_path, crowd, aggregates=True).frames.forecasts) == 1


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        (forecast("abc", "manifold", 1.5), "forecast", "from 0 to 1"),
        (forecast("abc", "manifold", "high"), "forecast", "a number"),
        (forecast("abc", "", 0.5), "source", "required"),
        (forecast([1, 2], "manifold", 0.5), "id", "an id or a list of ids"),
        (forecast([], "manifold", 0.5), "id", "an id or a list of ids"),
        (forecast(["a", "b"], "manifold", 0.5), "direction", "1 or -1 for each id"),
        (forecast("DGS10", "fred", 0.5), "resolution_date", "required for a dataset question"),
        (forecast("DGS10", "fred", 0.5, "soon"), "resolution_date", "a day, as in 2025-10-30"),
    ],
)
def test_a_bad_value_is_named_by_file_row_field_value_and_rule(
    tmp_path: Path, row: dict[str, Any], field: str, rule: str
) -> None:
    with sheets.refused_at(f"set1.json, record 1, forecasts 2, field {field}", rule):
        read(tmp_path, forecasts(ABC, row))


def test_a_set_without_a_due_date_and_contradicting_outcomes_are_refused(tmp_path: Path) -> None:
    with sheets.refused_at("set1.json, record 1, field forecast_due_date", "required"):
        read(tmp_path, forecasts(ABC, forecast_due_date=None))
    known = resolutions(resolved(1.0), resolved(0.0, DAYS[1]))
    with sheets.refused_at(
        "set2.json, record 1, resolutions 2, field resolved_to",
        "as in set2.json, record 1, resolutions 1: 1.0",
    ):
        read(tmp_path, forecasts(ABC), known)


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
    models = typed_frame({"model": ["o-2", "o-2", "o-2", ""]}, MODEL_COLUMNS)
    return replace(frames, models=models)


def with_forecasts(frames: Frames, *more: dict[str, object]) -> Frames:
    """Return the frames with more forecasts of the bot."""
    rows = pd.concat([frames.forecasts, pd.DataFrame(more)], ignore_index=True)
    rows["forecaster"] = rows["forecaster"].fillna("oracle")
    made = {str(name): rows[name].astype(object).where(rows[name].notna(), None) for name in rows}
    questions = {name: frames.questions[name] for name in frames.questions}
    return frames_of(questions, made, bots=["oracle"])


@pytest.mark.slow
def test_a_submission_has_the_fields_of_the_benchmark_and_is_read_back_equal(
    tmp_path: Path,
) -> None:
    written = forecastbench.write(sample(), tmp_path / "out")
    assert [file.name for file in written.files] == [
        "2025-03-02.carol.1.json",
        "2025-03-02.oracle.1.json",
        "2025-03-04.oracle.1.json",
    ]
    document = json.loads((tmp_path / "out" / "2025-03-02.oracle.1.json").read_text())
    for name in ("organization", "model", "model_organization", "question_set"):
        assert isinstance(document[name], str)
    assert document["forecast_due_date"] == "2025-03-02"
    names = ("id", "source", "forecast", "resolution_date", "reasoning")
    assert [tuple(row[name] for name in names) for row in document["forecasts"]] == [
        ("DGS10", "fred", 0.25, "2025-03-09", "Rates fall."),
        ("abc", "manifold", 0.1, None, None),
    ]
    with opened(tmp_path / "out") as source:
        record = forecastbench.read(source, Choices("anna"))
    by = ["forecaster", "made_at", "question_id"]
    columns = [*by, "probability", "rationale"]
    back, own = (one.forecasts.sort_values(by)[columns] for one in (record.frames, sample()))
    pd.testing.assert_frame_equal(back.reset_index(drop=True), own.reset_index(drop=True))
    assert record.frames.members is not None
    kinds = record.frames.members.set_index("forecaster")["kind"].to_dict()
    assert kinds == {"carol": "human", "oracle": "bot"}
    assert record.frames.models is not None
    assert sorted(record.frames.models["model"]) == ["", "o-2", "o-2", "o-2"]


@pytest.mark.slow
def test_a_submission_names_rows_without_a_place(tmp_path: Path) -> None:
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
