"""The ledger written as Metaculus exports it, and read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecasts.common.errors import Refused
from forecasts.folder.frames import Frames
from forecasts.ledger.models import QuestionText
from forecasts.platforms import metaculus
from forecasts.platforms.metaculus_export import write
from forecasts.platforms.record import Choices, frames_of
from forecasts.platforms.source import opened
from forecasts.values.distributions import to_cdf
from forecasts.values.value import Value

pytestmark = pytest.mark.slow

QUESTIONS = [
    {"question_id": "rain", "title": "Rain?", "type": "binary", "resolution": "yes",
     "tags": ["sky", "it's wet"], "known_at": "2026-01-09", "actual_close_time": "2026-01-09"},
    {"question_id": "metaculus-41", "title": 'Who, "or" whom?', "type": "multiple_choice",
     "options": ["a, b", "c", "Other"], "family": "metaculus-post-7", "resolution": "annulled"},
    {"question_id": "price", "title": "Price?", "type": "numeric", "lower_bound": "0",
     "upper_bound": "100", "family": "prices", "spot_time": "2026-01-05", "resolution": "62.5"},
    {"question_id": "count", "title": "How many?", "type": "numeric", "lower_bound": "-0.5",
     "upper_bound": "9.5", "resolution": "above_upper_bound"},
    {"question_id": "wide", "title": "How many people?", "type": "numeric", "lower_bound": "1",
     "upper_bound": "10000"},
    {"question_id": "landing", "title": "When?", "type": "date", "lower_bound": "2026-01-01",
     "upper_bound": "2026-01-21", "resolution": "2026-01-03T12:00:00Z"},
]  # fmt: skip
FORECASTS: list[tuple[str, str, str, Any]] = [
    ("rain", "ann", "2026-01-02", 0.0),
    ("rain", "ann", "2026-01-03 04:05:06.123456", 0.1 + 0.2),
    ("rain", "ann", "2026-01-04", None),
    ("rain", "ann", "2026-01-06", 1.0),
    ("rain", "robot", "2026-01-02", 0.5),
    ("metaculus-41", "ann", "2026-01-02", [0.4, None, 0.6]),
    ("metaculus-41", "ann", "2026-01-03", [0.1, 0.2, 0.7]),
    ("metaculus-41", "ann", "2026-01-05", None),
    ("price", "ann", "2026-01-02", {"0.25": 25.0, "0.9": 62.5, "above": 0.04}),
    ("count", "ann", "2026-01-02", {"0.25": 1.5, "0.75": 2.5, "below": 0.125}),
    ("wide", "ann", "2026-01-02", {"0.25": 10.0, "0.5": 100.0, "0.75": 1000.0}),
    ("landing", "ann", "2026-01-02", {"0.5": "2026-01-11T00:00:00Z", "above": 0.25}),
]
# The columns of questions that the format has a place for.
KEPT = [
    "question_id", "title", "type", "options", "lower_bound", "upper_bound", "open_time",
    "scheduled_close_time", "actual_close_time", "spot_time", "resolution", "known_at", "family",
    "tags",
]  # fmt: skip


def ledger() -> Frames:
    """Return the frames of a small ledger with every type of question."""
    times = {"open_time": "2026-01-01", "scheduled_close_time": "2026-01-11"}
    made: dict[str, list[Any]] = {
        "question_id": [row[0] for row in FORECASTS],
        "forecaster": [row[1] for row in FORECASTS],
        "made_at": [pd.Timestamp(row[2], tz="UTC") for row in FORECASTS],
        "probability": [v if isinstance(v := row[3], float) else float("nan") for row in FORECASTS],
        "probabilities": [v if isinstance(v := row[3], list) else None for row in FORECASTS],
        "quantiles": [v if isinstance(v := row[3], dict) else None for row in FORECASTS],
    }
    asked: dict[str, list[Any]] = {}
    for name in [*KEPT, *times]:
        cells = [(one | times).get(name, "") for one in QUESTIONS]
        if name.endswith(("_time", "_at")):
            cells = [pd.Timestamp(cell, tz="UTC") if cell else pd.NaT for cell in cells]
        asked[name] = [
            cell if cell != "" or name not in ("options", "tags") else None for cell in cells
        ]
    return frames_of(asked, made, bots=["robot"])


def read_back(folder: Path) -> Frames:
    with opened(folder) as source:
        return metaculus.read(source, Choices(owner="ann")).frames


def sorted_rows(frames: Frames) -> list[dict[str, Any]]:
    """Return the forecasts with their values as texts, which compare None and NaN as equal."""
    rows = frames.forecasts.astype({"question_id": str, "forecaster": str}).to_dict("records")
    cells = ({name: str(value) for name, value in row.items()} for row in rows)
    return sorted(cells, key=lambda row: (row["question_id"], row["forecaster"], row["made_at"]))


def test_an_export_that_is_read_back_is_equal(tmp_path: Path) -> None:
    before = ledger()
    write(before, tmp_path / "out")
    after = read_back(tmp_path / "out")
    for name in KEPT:
        assert [str(v) for v in after.questions[name]] == [str(v) for v in before.questions[name]]
    assert sorted_rows(after) == sorted_rows(before)
    assert after.members is not None
    assert before.members is not None
    assert after.members.values.tolist() == before.members.values.tolist()


def test_quantiles_between_the_numbers_of_the_range_are_read_back_as_the_same_cdf(
    tmp_path: Path,
) -> None:
    frames = ledger()
    place = frames.forecasts.index[frames.forecasts["question_id"] == "price"][0]
    stated = {"0.1": 3.14159, "0.5": 33.3333, "0.9": 66.6}
    frames.forecasts.at[place, "quantiles"] = stated
    write(frames, tmp_path / "out")
    found = read_back(tmp_path / "out").forecasts.set_index("question_id").loc["price", "quantiles"]
    text = QuestionText.model_construct(
        title="?", type="numeric", lower_bound="0", upper_bound="100", options=None
    )
    before, after = (to_cdf(Value(quantiles=one), text) for one in (stated, found))
    assert before == pytest.approx(after, abs=1e-9)


def test_the_files_have_the_platforms_columns_times_and_derived_numbers(tmp_path: Path) -> None:
    written = write(ledger(), tmp_path / "out")
    assert [file.name for file in written.files] == [
        "README.md", "forecast_data.csv", "question_data.csv", "score_data.csv",
    ]  # fmt: skip
    questions, forecasts = (
        pd.read_csv(tmp_path / "out" / f"{name}_data.csv") for name in ("question", "forecast")
    )
    assert len(questions.columns) == 28
    assert len(forecasts.columns) == 19
    assert questions["Question ID"].tolist()[:2] == ["rain", "41"]
    assert questions["Question Type"].tolist()[2:] == ["numeric", "discrete", "numeric", "date"]
    assert (questions["Continuous Range"].dropna().str.count(",") == 200).all()
    assert questions["Open Time"][0] == "2026-01-01 00:00:00+00:00"
    first, second = forecasts.iloc[0], forecasts.iloc[1]
    assert first["End Time"] == second["Start Time"] == "2026-01-03 04:05:06.123456+00:00"
    assert second["End Time"] == "2026-01-04 00:00:00+00:00"
    assert forecasts["Continuous CDF"].dropna().str.count(",").tolist() == [200, 10, 200, 200]
    assert forecasts["Is Bot"].sum() == 1
    forecasts = forecasts.set_index("Question ID")
    assert forecasts.loc["rain", "Probability of Resolution"].tolist() == [0.0, 0.1 + 0.2, 1, 0.5]
    price, count = forecasts.loc["price"], forecasts.loc["count"]
    assert float(price["Median"]) == pytest.approx(25 + 37.5 * 0.25 / 0.65)
    assert price["Probability Above Upper Bound"] == pytest.approx(0.04)
    assert price["Probability of Resolution"] == pytest.approx(0.65 / 75)
    assert price["PDF at Resolution"] == pytest.approx(200 * 0.65 / 75)
    assert count["Probability Below Lower Bound"] == pytest.approx(0.125)
    assert forecasts.loc["landing", "Median"] == "2026-01-11"


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["metaculus-3672.7", "rain"], ["3672", "rain"]),
        (["metaculus-3672.7.2", "rain"], ["3672", "rain"]),
        (["metaculus-3672.7", "metaculus-3672"], ["metaculus-3672.7", "3672"]),
        (["metaculus-3672.12", "metaculus-3672.7"], ["metaculus-3672.12", "3672"]),
        (["metaculus-3672.7", "3672"], ["metaculus-3672.7", "3672"]),
        (["metaculus-3672.seven", "3672.7"], ["metaculus-3672.seven", "3672.7"]),
    ],
)
def test_a_members_own_question_has_the_platforms_number_where_it_is_free(
    tmp_path: Path, names: list[str], ids: list[str]
) -> None:
    frames = ledger()
    new = dict(zip(("metaculus-41", "rain"), names, strict=True))
    for table in (frames.questions, frames.forecasts):
        table["question_id"] = table["question_id"].astype(str).replace(new)
    write(frames, tmp_path / "out")
    for name in ("question", "forecast", "score"):
        table = pd.read_csv(tmp_path / "out" / f"{name}_data.csv", dtype=str)
        found = set(table["Question ID"]) - {"price", "count", "wide", "landing"}
        assert found == set(ids) or (name == "score" and found == {ids[1]})


def test_scores_are_those_of_the_ledger_and_are_read_back_as_printed(tmp_path: Path) -> None:
    frames = ledger()
    frames.forecasts.loc[0, "probability"] = 0.2
    write(frames, tmp_path / "out")
    with opened(tmp_path / "out") as source:
        printed = metaculus.read(source, Choices(owner="ann")).printed
    assert set(printed["name"]) == {"peer", "baseline", "spot_peer", "spot_baseline"}
    assert set(printed["question_id"]) == {"rain"}
    assert printed.query("name == 'peer'")["score"].sum() == pytest.approx(0, abs=1e-9)


def test_rows_without_a_place_are_named_with_their_count(tmp_path: Path) -> None:
    frames = ledger()
    frames.questions["resolution_criteria"] = ["By the gauge."] + [""] * 5
    frames.forecasts["rationale"] = ["Clouds.", "Sun."] + [""] * 10
    frames.forecasts.loc[4, "probability"] = float("nan")  # a withdrawal of nothing
    written = write(frames, tmp_path / "out")
    assert written.left_out == [
        "1 text of resolution criteria",
        "2 rationales",
        "1 withdrawal without a forecast",
        "1 infinite score",
    ]
    readme = (tmp_path / "out" / "README.md").read_text()
    assert ", 2 rationales, 1 withdrawal without a forecast, 1 infinite score." in readme


def test_an_empty_ledger_is_written_and_its_folder_only_replaced_when_asked(tmp_path: Path) -> None:
    write(frames_of({}, {}), tmp_path / "out")
    assert read_back(tmp_path / "out").questions.empty
    with pytest.raises(Refused, match="is not empty"):
        write(ledger(), tmp_path / "out")
    assert write(ledger(), tmp_path / "out", overwrite=True).files
