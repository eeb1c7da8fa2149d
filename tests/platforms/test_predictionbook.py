"""PredictionBook's JSON, and its CSV, which is refused. No row is from a real account."""

import json
from pathlib import Path
from typing import Any

import pytest

from forecasts.platforms import predictionbook
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import opened
from tests.platforms import sheets


def response(**fields: Any) -> dict[str, Any]:
    return {
        "comment": None,
        "confidence": 80,
        "created_at": "2015-03-01T10:00:00.000Z",
        "user_id": 7,
        "user_label": "Ann",
    } | fields


def prediction(*responses: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "created_at": "2015-03-01T10:00:00.000Z",
        "deadline": "2015-06-01T00:00:00.000Z",
        "description_with_group": "The bridge will open by June",
        "description": "The bridge will open by June",
        "id": 41,
        "mean_confidence": 55,
        "outcome": None,
        "prediction_group_id": None,
        "last_judgement_at": None,
        "updated_at": "2015-03-01T10:00:00.000Z",
        "withdrawn": False,
        "responses": list(responses) or [response()],
    } | fields


def page(*predictions: dict[str, Any], user: int = 7) -> str:
    account = {"email": "ann@mail.example", "name": "Ann", "user_id": user}
    return json.dumps({"user": account, "predictions": list(predictions)})


def read(path: Path, *predictions: dict[str, Any]) -> PlatformRecord:
    return sheets.read(path / "p.json", page(*predictions), format_="predictionbook")


def refused(path: Path, *predictions: dict[str, Any]) -> list[tuple[str, str]]:
    error = sheets.refused(path / "p.json", page(*predictions), format_="predictionbook")
    return sheets.places(error)


JUDGED = {"last_judgement_at": "2015-05-01T08:00:00.000Z"}
BO = {"user_id": 9, "user_label": "Bo"}
FILES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "confidence is in percent, 0 too": (
        [prediction(response(confidence=0), response(confidence=1), response(confidence=100))],
        {"p": [0, 0.01, 1], "id": ["predictionbook-41"],
         "urls": ["https://predictionbook.com/predictions/41"]},
    ),
    "a response without confidence is a comment": (
        [prediction(response(comment="why?", confidence=None), response(comment="base rate"))],
        {"rationales": ["base rate"], "left": ["why?"],
         "left out": [("record 1, predictions 1, responses 1", "a comment without a probability")]},
    ),
    "outcomes": (
        [prediction(id=1, outcome=True, **JUDGED), prediction(id=2, outcome=False, **JUDGED),
         prediction(id=3, outcome=None, **JUDGED),
         prediction(id=4, outcome=True, withdrawn=True, **JUDGED)],
        {"outcomes": ["yes", "no", "", "annulled"], "no note": "no time in the file",
         "resolved": ["2015-05-01 08:00", "2015-05-01 08:00", "", "2015-05-01 08:00"]},
    ),
    "a judgement without a time, before the deadline": (
        [prediction(outcome=True, updated_at="2015-04-30T08:00:00.000Z")],
        {"resolved": ["2015-06-01 00:00"], "note": "no time in the file"},
    ),
    "a judgement without a time, after the deadline": (
        [prediction(outcome=True, updated_at="2015-07-04T08:00:00.000Z")],
        {"resolved": ["2015-07-05 08:00"], "note": "no time in the file"},
    ),
    "others keep their names, and nobody is the owner": (
        [prediction(response(), response(user_id=12, user_label="Bo"), response(**BO),
                    response(user_id=13, user_label="alice"))],
        {"who": ["alice", "Bo (PredictionBook 12)", "Bo", "alice (PredictionBook)"],
         "account": "Ann"},
    ),
    "a user with two labels": (
        [prediction(response(**BO), response(user_id=9, user_label="Bo the Second"))],
        {"who": ["Bo the Second"] * 2},
    ),
    "a group is a family and begins the title": (
        [prediction(description="in 2016", description_with_group="[Bridge] in 2016",
                    prediction_group_id=5)],
        {"titles": ["[Bridge] in 2016"], "families": ["predictionbook-group-5"]},
    ),
    "a deadline at the end of the calendar": (
        [prediction(deadline="9999-01-02T08:00:00.000Z")], {"closes": ["9999-01-02 08:00"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("predictions", "expected"), FILES.values(), ids=FILES)
def test_a_page_is_read(
    tmp_path: Path, predictions: list[dict[str, Any]], expected: dict[str, Any]
) -> None:
    sheets.require(read(tmp_path, *predictions), expected)


def test_a_prediction_on_two_pages_counts_once_as_it_was_last(tmp_path: Path) -> None:
    later = {"updated_at": "2015-05-01T10:00:00.000Z", "outcome": False}
    (tmp_path / "a.json").write_text(page(prediction(**later)), encoding="utf-8")
    (tmp_path / "b.json").write_text(page(prediction(), prediction(id=42)), encoding="utf-8")
    with opened(tmp_path) as source:
        record = predictionbook.read(source, Choices(owner="alice"))
    assert record.frames.questions["resolution"].tolist() == ["no", ""]
    assert len(record.frames.forecasts) == 2


def test_two_accounts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(page(prediction()), encoding="utf-8")
    (tmp_path / "b.json").write_text(page(prediction(id=42), user=8), encoding="utf-8")
    with opened(tmp_path) as source, pytest.raises(Exception, match="the pages of 2 accounts"):
        predictionbook.read(source, Choices(owner="alice"))


def test_the_csv_is_refused_since_it_has_no_probabilities(tmp_path: Path) -> None:
    one = prediction()
    text = sheets.table({name: str(one[name]) for name in one if name != "responses"})
    error = sheets.refused(tmp_path / "my.csv", text, format_="predictionbook")
    assert error.message == "my.csv has no probabilities: PredictionBook's CSV leaves them out."
    assert "/api/my_predictions" in error.remedy


RESPONSE, PREDICTION = "predictions 1, responses 2", "predictions 1"


@pytest.mark.parametrize(
    ("place", "field", "value"),
    [(RESPONSE, "confidence", 101), (RESPONSE, "confidence", True),
     (RESPONSE, "confidence", "high"), (RESPONSE, "created_at", "2015"),
     (RESPONSE, "created_at", None), (RESPONSE, "user_label", "A\nB"),
     (PREDICTION, "deadline", "June"), (PREDICTION, "outcome", "yes"), (PREDICTION, "id", "../x"),
     (PREDICTION, "description_with_group", 3.5), (PREDICTION, "responses", {})],
)  # fmt: skip
def test_a_bad_field_is_named(tmp_path: Path, place: str, field: str, value: Any) -> None:
    fields = {field: value}
    if place == RESPONSE:
        fields = {"responses": [response(), response(user_id=9, **fields)]}
    [(found, _)] = refused(tmp_path, prediction(**fields))
    assert found == f"p.json, record 1, {place}, field {field}"
