"""INFER's and other Cultivate sites' questions and prediction sets. No row is real."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from forecasts.common.errors import BadInput
from forecasts.platforms import infer
from forecasts.platforms.record import Choices, PlatformRecord, check_record
from forecasts.platforms.source import Source
from tests.remarks import notes_of

_NUMBERS = itertools.count(1)


def question(**fields: Any) -> dict[str, Any]:
    """Return an open question of yes and no."""
    return {
        "id": 7,
        "name": "Will the treaty be signed?",
        "description": "<p>Signed by <b>both</b>.</p><p>In 2025.</p>",
        "type": "Forecast::YesNoQuestion",
        "created_at": "2025-01-01T00:00:00.000Z",
        "scoring_start_time": "2025-01-02T00:00:00.000-05:00",
        "ends_at": "2025-03-01T00:00:00.000Z",
        "resolved_at": None,
        "voided_at": None,
        "use_ordinal_scoring": False,
        "answers": [answer(70, "Yes", probability="0.31"), answer(71, "No", probability="0.69")],
        "clarifications": [],
    } | fields


def answer(id_: int, name: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "name": name, "probability": "0.5"} | fields


def choice(**fields: Any) -> dict[str, Any]:
    """Return a question with three options."""
    answers = [answer(70, "Low"), answer(71, "Middle"), answer(72, "High")]
    return question(**{"type": "Forecast::Question", "answers": answers} | fields)


def forecast(*values: tuple[int, str, Any], **fields: Any) -> dict[str, Any]:
    """Return a prediction set with these (answer_id, answer_name, forecasted_probability)."""
    return {
        "id": next(_NUMBERS),
        "question_id": 7,
        "membership_id": 5,
        "membership_username": "carol",
        "created_at": "2025-01-10T08:30:00.000Z",
        "rationale": "Talks go on.",
        "predictions": [
            {
                "answer_id": id_,
                "answer_name": name,
                "forecasted_probability": p,
                "starting_probability": "0.5",
                "final_probability": "0.99",
                "made_after_correctness_known": False,
            }
            for id_, name, p in values
        ],
    } | fields


def read(path: Path, questions: Any, sets: Any) -> PlatformRecord:
    files = {}
    for name, content in (("questions", questions), ("prediction_sets", sets)):
        files[f"{name}.json"] = path / f"{name}.json"
        files[f"{name}.json"].write_text(json.dumps(content), encoding="utf-8")
    source = Source("export", files)
    assert infer.recognises(source)
    record = infer.read(source, Choices("anna"))
    check_record(record.frames)
    return record


def test_a_forecast_is_the_persons_value_never_the_consensus(tmp_path: Path) -> None:
    record = read(
        tmp_path, {"questions": [question()]}, {"prediction_sets": [forecast((70, "Yes", "0.2"))]}
    )
    [row] = record.frames.forecasts.to_dict("records")
    assert (row["question_id"], row["forecaster"], row["probability"]) == ("infer-7", "anna", 0.2)
    assert row["made_at"].isoformat() == "2025-01-10T08:30:00+00:00"
    assert row["rationale"] == "Talks go on."
    [asked] = record.frames.questions.to_dict("records")
    assert asked["open_time"].isoformat() == "2025-01-02T05:00:00+00:00"
    assert asked["resolution_criteria"] == "Signed by both.\nIn 2025."
    assert asked["resolution"] == ""
    assert notes_of(record)[0] == "The file has probabilities from 0 to 1."


@pytest.mark.parametrize(
    ("values", "scale", "expected"),
    [
        ([1, 0.4], 1, [1.0, 0.4]),
        ([1, 40], 100, [0.01, 0.4]),
        (["1.0", "100"], 100, [0.01, 1.0]),
    ],
)
def test_the_file_decides_whether_a_probability_is_in_percent(
    tmp_path: Path, values: list[Any], scale: int, expected: list[float]
) -> None:
    whole = question(
        answers=[answer(70, "Yes", probability=0.3), answer(71, "No", probability=0.7)]
    )
    record = read(tmp_path, [whole], [forecast((70, "Yes", value)) for value in values])
    assert record.frames.forecasts["probability"].tolist() == expected
    assert notes_of(record)[0] == f"The file has probabilities from 0 to {scale}."


def test_a_forecast_made_after_the_outcome_was_known_is_left_out(tmp_path: Path) -> None:
    late = forecast((70, "Yes", 1))
    late["predictions"][0]["made_after_correctness_known"] = True
    record = read(tmp_path, [question()], [forecast((70, "Yes", 0.4)), late])
    assert len(record.frames.forecasts) == 1
    [one] = record.left_out
    assert (one.place, one.reason) == (
        "prediction_sets.json, record 2",
        "made after the outcome was known",
    )


def test_options_with_ordinal_scoring_are_ordered(tmp_path: Path) -> None:
    thirds = [(70, "Low", "0.3333"), (71, "Middle", "0.3333"), (72, "High", "0.3333")]
    record = read(tmp_path, [choice(use_ordinal_scoring=True)], [forecast(*thirds)])
    [asked] = record.frames.questions.to_dict("records")
    assert (asked["type"], asked["ordered"]) == ("multiple_choice", True)
    assert record.frames.forecasts["probabilities"].tolist() == [[pytest.approx(1 / 3)] * 3]
    assert notes_of(record)[1] == "Probabilities that were rounded are divided by their sum."


def test_answers_are_matched_by_id_not_by_place_and_one_added_later_is_blank(
    tmp_path: Path,
) -> None:
    late = [
        answer(70, "Low"),
        answer(72, "Late", created_at="2025-02-01T00:00:00Z"),
        answer(71, "High"),
    ]
    record = read(tmp_path, [choice(answers=late)], [forecast((71, "High", 0.9), (70, "Low", 0.1))])
    assert record.frames.forecasts["probabilities"].tolist() == [[0.1, None, 0.9]]


def test_a_trade_in_one_answer_and_a_wrong_sum_are_left_out(tmp_path: Path) -> None:
    trade = forecast((70, "Low", 0.4))
    odd = forecast((70, "Low", 0.4), (71, "Middle", 0.4), (72, "High", 0.4))
    record = read(tmp_path, [choice()], [trade, odd])
    assert [one.reason for one in record.left_out] == [
        "no value for the answer 'Middle': a trade in one answer",
        "its probabilities sum to 120%",
        "no forecast of the account counts",
    ]


def test_a_voided_question_is_annulled(tmp_path: Path) -> None:
    voided = question(voided_at="2025-02-01T00:00:00Z", resolved_at="2025-02-01T00:00:00Z")
    record = read(tmp_path, [voided], [forecast((70, "Yes", 0.4))])
    assert record.frames.questions["resolution"].tolist() == ["annulled"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("yes", "outcome"), [("1.0", "yes"), ("0.0", "no"), ("0.97", ""), (100, "yes")]
)
def test_only_a_certain_probability_of_a_resolved_question_is_its_outcome(
    tmp_path: Path, yes: Any, outcome: str
) -> None:
    answers = [answer(70, "Yes", probability=yes, correctness_known_at="2025-02-01T00:00:00Z")]
    resolved = question(answers=answers, resolved_at="2025-02-03T00:00:00Z")
    record = read(tmp_path, [resolved], [forecast((70, "Yes", 0.4))])
    [asked] = record.frames.questions.to_dict("records")
    assert asked["resolution"] == outcome
    assert asked["actual_close_time"].isoformat() == "2025-02-01T00:00:00+00:00"
    still_open = question(answers=answers)
    record = read(tmp_path, [still_open], [forecast((70, "Yes", 0.4))])
    assert record.frames.questions["resolution"].tolist() == [""]


def test_the_right_option_is_the_outcome(tmp_path: Path) -> None:
    answers = [answer(70, "Low", probability=0), answer(71, "High", probability=1)]
    resolved = choice(answers=answers, resolved_at="2025-02-03T00:00:00Z")
    record = read(tmp_path, [resolved], [forecast((70, "Low", 0.4), (71, "High", 0.6))])
    assert record.frames.questions["resolution"].tolist() == ["High"]


def test_answers_that_can_all_be_right_are_a_family(tmp_path: Path) -> None:
    several = choice(**{"exclusive?": False})
    record = read(tmp_path, [several], [forecast((70, "Low", 0.4), (71, "Middle", 0.7))])
    questions = record.frames.questions
    assert questions["question_id"].tolist() == ["infer-7-70", "infer-7-71"]
    assert questions["family"].unique().tolist() == ["infer-7"]
    assert record.frames.forecasts["probability"].tolist() == [0.4, 0.7]


def test_a_name_like_a_handle_that_tells_accounts_apart_is_a_third_forecaster(
    tmp_path: Path,
) -> None:
    sets = [
        forecast((70, "Yes", p), membership_id=id_, membership_username=name)
        for id_, name, p in ((5, "carol (INFER 15)", 0.2), (6, "carol", 0.4), (15, "carol", 0.7))
    ]
    who = read(tmp_path, [question()], sets).frames.forecasts["forecaster"]
    assert who.nunique() == 3


def test_an_account_that_changed_its_name_is_one_forecaster_with_the_newest_name(
    tmp_path: Path,
) -> None:
    sets = [
        forecast(
            (70, "Yes", 0.2), membership_username="Carol B", created_at="2025-01-12T00:00:00Z"
        ),
        forecast((70, "Yes", 0.3), created_at="2025-01-11T00:00:00Z"),
        forecast((70, "Yes", 0.4), membership_id=6, membership_username="dave"),
    ]
    record = read(tmp_path, [question()], sets)
    assert record.frames.forecasts["forecaster"].tolist() == ["Carol B", "Carol B", "dave"]
    alone = read(tmp_path, [question()], sets[:2])
    assert alone.frames.forecasts["forecaster"].tolist() == ["anna", "anna"]


def test_forecasts_without_an_account_become_the_importers_and_a_note_says_so(
    tmp_path: Path,
) -> None:
    nameless = {"membership_id": None, "membership_username": None}
    sets = [forecast((70, "Yes", 0.2)), forecast((70, "Yes", 0.4), **nameless)]
    record = read(tmp_path, [question()], sets)
    assert record.frames.forecasts["forecaster"].tolist() == ["carol", "anna"]
    assert "1 forecast names no account; imported as anna's." in notes_of(record)


def test_clarifications_are_fine_print(tmp_path: Path) -> None:
    clear = question(
        clarifications=[{"id": 1, "content": "<p>Ratified counts.</p>"}, {"content": "No."}]
    )
    record = read(tmp_path, [clear], [forecast((70, "Yes", 0.4))])
    assert record.frames.questions["fine_print"].tolist() == ["Ratified counts.\n\nNo."]


def test_a_forecast_of_no_alone_is_turned_round(tmp_path: Path) -> None:
    record = read(tmp_path, [question()], [forecast((71, "No", 0.25))])
    assert record.frames.forecasts["probability"].tolist() == [0.75]


@pytest.mark.slow
def test_a_question_inside_a_prediction_set_is_enough_and_pages_may_overlap(tmp_path: Path) -> None:
    whole = forecast((70, "Yes", 0.4), question=question())
    record = read(tmp_path, [], [whole, whole])
    assert record.frames.forecasts["question_id"].tolist() == ["infer-7"]
    lost = forecast((70, "Yes", 0.4), question_id=8)
    record = read(tmp_path, [question()], [whole, lost])
    assert ("8", "a forecast on a question that no file has") in [
        (one.value, one.reason) for one in record.left_out
    ]


def test_a_set_is_recognised_behind_a_long_rationale(tmp_path: Path) -> None:
    file = tmp_path / "sets.json"
    file.write_text(json.dumps([forecast((70, "Yes", 0.4), rationale="So. " * 2000)]), "utf-8")
    assert infer.recognises(Source("sets", {file.name: file}))


def test_a_newer_export_keeps_the_ids(tmp_path: Path) -> None:
    before = read(tmp_path, [question()], [forecast((70, "Yes", 0.4))])
    after = read(
        tmp_path,
        [question(name="New?", ends_at="2025-04-01T00:00:00Z")],
        [forecast((70, "Yes", 0.5))],
    )
    assert before.origins["question_id"].tolist() == after.origins["question_id"].tolist()


@pytest.mark.parametrize(
    ("wrong", "field", "rule"),
    [
        ({"created_at": "yesterday"}, "field created_at", "ISO 8601"),
        ({"created_at": "2025-01-10T08:30:00"}, "field created_at", "an offset or Z"),
        ({"rationale": 3.5}, "field rationale", "a text"),
        ({"predictions": "none"}, "field predictions", "a list of objects"),
        (
            {"predictions": [{"answer_id": 70, "forecasted_probability": "-0.1"}]},
            "predictions 1, field forecasted_probability",
            "from 0 to 1",
        ),
        (
            {"predictions": [{"answer_id": 70, "forecasted_probability": None}]},
            "predictions 1, field forecasted_probability",
            "required",
        ),
    ],
)
def test_a_bad_value_is_named_by_file_record_field_value_and_rule(
    tmp_path: Path, wrong: dict[str, Any], field: str, rule: str
) -> None:
    with pytest.raises(BadInput) as caught:
        read(
            tmp_path,
            [question()],
            [forecast((70, "Yes", 0.4)), forecast((70, "Yes", 0.4), **wrong)],
        )
    first = caught.value.problems[0]
    assert first.place == f"prediction_sets.json, record 2, {field}"
    assert rule in first.rule
