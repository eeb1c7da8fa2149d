"""PredictionBook's JSON, and its CSV, which is refused. No row is from a real account."""

import json
from pathlib import Path
from typing import Any

import pytest

from forecasts.platforms import predictionbook
from forecasts.platforms.record import Choices, PlatformRecord
from forecasts.platforms.source import opened
from tests.platforms import sheets
from tests.remarks import notes_of


def response(**fields: Any) -> dict[str, Any]:
    return {
        "comment": None,
        "confidence": 80,
        "created_at": "2015-03-01T10:00:00.000Z",
        "id": 1,
        "updated_at": "2015-03-01T10:00:00.000Z",
        "user_id": 7,
        "user_label": "Ann",
    } | fields


def prediction(*responses: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {
        "created_at": "2015-03-01T10:00:00.000Z",
        "creator_id": 7,
        "creator_label": "Ann",
        "deadline": "2015-06-01T00:00:00.000Z",
        "description_with_group": "The bridge will open by June",
        "description": "The bridge will open by June",
        "group_id": None,
        "id": 41,
        "mean_confidence": 55,
        "outcome": None,
        "prediction_group_id": None,
        "last_judgement_at": None,
        "updated_at": "2015-03-01T10:00:00.000Z",
        "uuid": "6b1f",
        "version": 1,
        "visibility": "visible_to_everyone",
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


def test_confidence_is_in_percent_and_the_mean_is_nobodys(tmp_path: Path) -> None:
    forecasts = read(tmp_path, prediction(response(confidence=1), response(confidence=100))).frames
    assert forecasts.forecasts["probability"].tolist() == [0.01, 1.0]


def test_a_response_without_confidence_is_a_comment(tmp_path: Path) -> None:
    one = prediction(response(comment="why?", confidence=None), response(comment="base rate"))
    record = read(tmp_path, one)
    assert record.frames.forecasts["rationale"].tolist() == ["base rate"]
    [left] = record.left_out
    assert (left.place, left.value) == ("p.json, predictions 1, responses 1", "why?")
    assert left.reason == "a comment without a probability"


def test_a_confidence_of_0_is_a_forecast(tmp_path: Path) -> None:
    record = read(tmp_path, prediction(response(confidence=0)))
    assert record.frames.forecasts["probability"].tolist() == [0.0]


def test_outcomes(tmp_path: Path) -> None:
    judged = {"last_judgement_at": "2015-05-01T00:00:00.000Z"}
    questions = read(
        tmp_path,
        prediction(id=1, outcome=True, **judged),
        prediction(id=2, outcome=False, **judged),
        prediction(id=3, outcome=None, **judged),
        prediction(id=4, outcome=True, withdrawn=True, **judged),
    ).frames.questions
    assert questions["resolution"].tolist() == ["yes", "no", "", "annulled"]
    assert questions["resolved_at"].notna().tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("last", "updated", "resolved"),
    [
        ("2015-05-01T08:00:00.000Z", "2015-04-30T08:00:00.000Z", "2015-05-01T08:00"),
        (None, "2015-04-30T08:00:00.000Z", "2015-06-01T00:00"),
        (None, "2015-07-04T08:00:00.000Z", "2015-07-05T08:00"),
    ],
)
def test_the_time_of_the_judgement(
    tmp_path: Path, last: str | None, updated: str, resolved: str
) -> None:
    one = prediction(outcome=True, last_judgement_at=last, updated_at=updated)
    record = read(tmp_path, one)
    assert record.frames.questions["resolved_at"][0].isoformat()[:16] == resolved
    assert any("no time in the file" in note for note in notes_of(record)) == (last is None)


def test_the_account_is_its_owner_and_others_keep_their_names(tmp_path: Path) -> None:
    record = read(tmp_path, prediction(response(), response(user_id=9, user_label="Bo")))
    assert record.frames.forecasts["forecaster"].tolist() == ["alice", "Bo"]


def test_users_with_the_same_name_are_two_forecasters_and_neither_is_the_owner(
    tmp_path: Path,
) -> None:
    others = [response(user_id=id_, user_label=name) for id_, name in ((12, "Bo"), (9, "Bo"))]
    record = read(
        tmp_path, prediction(response(), *others, response(user_id=13, user_label="alice"))
    )
    assert record.frames.forecasts["forecaster"].tolist() == [
        *("alice", "Bo (PredictionBook 12)", "Bo", "alice (PredictionBook)"),
    ]
    assert record.account == "Ann"


def test_a_user_with_two_labels_is_one_forecaster(tmp_path: Path) -> None:
    both = [response(user_id=9, user_label=name) for name in ("Bo", "Bo the Second")]
    record = read(tmp_path, prediction(*both))
    assert record.frames.forecasts["forecaster"].tolist() == ["Bo the Second"] * 2


def test_a_group_is_a_family_and_begins_the_title(tmp_path: Path) -> None:
    one = prediction(
        description="in 2016", description_with_group="[Bridge] in 2016", prediction_group_id=5
    )
    [question] = read(tmp_path, one).frames.questions.itertuples()
    assert (question.title, question.family) == ("[Bridge] in 2016", "predictionbook-group-5")


def test_ids_and_addresses(tmp_path: Path) -> None:
    record = read(tmp_path, prediction())
    assert record.frames.questions["question_id"].tolist() == ["predictionbook-41"]
    assert record.origins["url"].tolist() == ["https://predictionbook.com/predictions/41"]


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
    with opened_csv(tmp_path, text) as source:
        assert predictionbook.recognises(source)
    error = sheets.refused(tmp_path / "my.csv", text, format_="predictionbook")
    assert error.message == "my.csv has no probabilities: PredictionBook's CSV leaves them out."
    assert "/api/my_predictions" in error.remedy


def opened_csv(path: Path, text: str) -> Any:
    (path / "my.csv").write_text(text, encoding="utf-8")
    return opened(path / "my.csv")


@pytest.mark.parametrize(
    ("field", "value"),
    [("confidence", 101), ("confidence", True), ("confidence", "high"), ("created_at", "2015"),
     ("created_at", None), ("user_label", "A\nB")],
)  # fmt: skip
def test_a_bad_response_is_named(tmp_path: Path, field: str, value: Any) -> None:
    [(place, _)] = refused(tmp_path, prediction(response(), response(user_id=9, **{field: value})))
    assert place == f"p.json, predictions 1, responses 2, field {field}"


@pytest.mark.parametrize(
    ("field", "value"),
    [("deadline", "June"), ("outcome", "yes"), ("id", "../x"), ("description_with_group", 3.5),
     ("responses", {})],
)  # fmt: skip
def test_a_bad_prediction_is_named(tmp_path: Path, field: str, value: Any) -> None:
    [(place, _)] = refused(tmp_path, prediction(**{field: value}))
    assert place == f"p.json, predictions 1, field {field}"


def test_a_deadline_at_the_end_of_the_calendar(tmp_path: Path) -> None:
    record = read(tmp_path, prediction(deadline="9999-01-02T08:00:00.000Z"))
    assert record.frames.questions["scheduled_close_time"][0].year == 9999


def test_someone_else_with_the_owners_handle_is_someone_else(tmp_path: Path) -> None:
    responses = response(), response(user_id=8, user_label="alice")
    record = read(tmp_path, prediction(*responses))
    names = record.frames.forecasts["forecaster"].tolist()
    assert names == ["alice", "alice (PredictionBook)"]
