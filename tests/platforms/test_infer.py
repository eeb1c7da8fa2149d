"""INFER's and other Cultivate sites' questions and prediction sets. No row is real."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from forecasts.platforms.record import PlatformRecord
from tests.platforms import sheets

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
    return sheets.from_json(path, "infer", questions=questions, prediction_sets=sets)


def yes(p: Any, **fields: Any) -> dict[str, Any]:
    return forecast((70, "Yes", p), **fields)


LATE = yes(1)
LATE["predictions"][0]["made_after_correctness_known"] = True
GONE = "2025-02-01T00:00:00Z"
ADDED = [answer(70, "Low"), answer(72, "Late", created_at=GONE), answer(71, "High")]
RIGHT = [answer(70, "Low", probability=0), answer(71, "High", probability=1)]
WHOLE = [answer(70, "Yes", probability=0.3), answer(71, "No", probability=0.7)]
# A long rationale can come before the predictions.
INSIDE = yes(0.4, question=question(), rationale="So. " * 2000)
FILES: dict[str, tuple[list[Any], list[Any], dict[str, Any]]] = {
    "the person's value, never the consensus": (
        [question()], [yes("0.2")],
        {"id": ["infer-7"], "who": ["anna"], "p": [0.2], "made": ["2025-01-10 08:30"],
         "rationales": ["Talks go on."], "opens": ["2025-01-02 05:00"], "outcomes": [""],
         "resolution_criteria": ["Signed by both.\nIn 2025."]},
    ),
    "probabilities up to 1": (
        [question(answers=WHOLE)], [yes(1), yes(0.4)],
        {"p": [1, 0.4], "note": "The file has probabilities from 0 to 1."},
    ),
    "probabilities up to 100": (
        [question(answers=WHOLE)], [yes("1.0"), yes("100")],
        {"p": [0.01, 1], "note": "The file has probabilities from 0 to 100."},
    ),
    "made after the outcome was known": (
        [question()], [yes(0.4), LATE],
        {"p": [0.4], "left out": [("record 2", "made after the outcome was known")]},
    ),
    "answers are matched by id, and one was added later": (
        [choice(answers=ADDED)], [forecast((71, "High", 0.9), (70, "Low", 0.1))],
        {"options": [["Low", "Late", "High"]], "vectors": [[0.1, None, 0.9]]},
    ),
    "a trade in one answer, and a wrong sum": (
        [choice(), question(id=8)],
        [forecast((70, "Low", 0.4)), yes(0.4, question_id=8),
         forecast((70, "Low", 0.4), (71, "Middle", 0.4), (72, "High", 0.4))],
        {"left out": [("record 1", "no value for the answer 'Middle': a trade in one answer"),
                      ("record 3", "its probabilities sum to 120%"),
                      ("record 1", "no forecast of the account counts")]},
    ),
    "a voided question": (
        [question(voided_at=GONE, resolved_at=GONE)], [yes(0.4)], {"outcomes": ["annulled"]},
    ),
    "the right option": (
        [choice(answers=RIGHT, resolved_at="2025-02-03T00:00:00Z")],
        [forecast((70, "Low", 0.4), (71, "High", 0.6))], {"outcomes": ["High"]},
    ),
    "answers that can all be right": (
        [choice(**{"exclusive?": False})], [forecast((70, "Low", 0.4), (71, "Middle", 0.7))],
        {"id": ["infer-7-70", "infer-7-71"], "families": ["infer-7"] * 2, "p": [0.4, 0.7]},
    ),
    "a name like a handle that tells accounts apart": (
        [question()],
        [yes(0.2, membership_username="carol (INFER 15)"), yes(0.4, membership_id=6),
         yes(0.7, membership_id=15)],
        {"who": ["carol (INFER 15)", "carol", "carol (INFER 15) (INFER 15)"]},
    ),
    "an account that changed its name": (
        [question()],
        [yes(0.2, membership_username="Carol B", created_at="2025-01-12T00:00:00Z"),
         yes(0.3, created_at="2025-01-11T00:00:00Z"),
         yes(0.4, membership_id=6, membership_username="dave")],
        {"who": ["Carol B", "Carol B", "dave"]},
    ),
    "a forecast of no alone": ([question()], [forecast((71, "No", 0.25))], {"p": [0.75]}),
    "no as the only answer": (
        [question(answers=[answer(71, "No", probability=1)], resolved_at=GONE)],
        [forecast((71, "No", 0.75))], {"outcomes": ["no"], "p": [0.25]},
    ),
    "no beside another answer than yes": (
        [question(answers=[answer(71, "No", probability=0), answer(72, "?")], resolved_at=GONE)],
        [forecast((71, "No", 0.75), (72, "?", 0.1))], {"outcomes": ["yes"], "p": [0.25]},
    ),
    "a question inside a set, on two pages": (
        [], [INSIDE, INSIDE], {"id": ["infer-7"], "p": [0.4]}
    ),
    "answers in the order of the site, of a question scored from its making": (
        [choice(answers=[answer(70, "Low", sort_order=2), answer(71, "High", sort_order=1)],
                scoring_start_time=None)],
        [forecast((70, "Low", 0.4), (71, "High", 0.6))],
        {"options": [["High", "Low"]], "vectors": [[0.6, 0.4]], "opens": ["2025-01-01 00:00"]},
    ),
    "clarifications are fine print": (
        [question(clarifications=[{"content": "<p>Ratified counts.</p>"}, {"content": "No."}])],
        [yes(0.4)], {"fine_print": ["Ratified counts.\n\nNo."]},
    ),
    "options with ordinal scoring are ordered": (
        [choice(use_ordinal_scoring=True)],
        [forecast((70, "Low", "0.3333"), (71, "Middle", "0.3333"), (72, "High", "0.3333"))],
        {"types": ["multiple_choice"], "ordered": [True],
         "vectors": [[pytest.approx(1 / 3)] * 3],
         "note": "Probabilities that were rounded are divided by their sum."},
    ),
    **{
        f"a resolved question with the probability {stated!r}": (
            [question(answers=[answer(70, "Yes", probability=stated, correctness_known_at=GONE)],
                      resolved_at=resolved)],
            [yes(0.4)], {"outcomes": [outcome], "ends": ["2025-02-01 00:00"]},
        )
        for stated, resolved, outcome in (
            ("1.0", "2025-02-03T00:00:00Z", "yes"),
            ("0.0", "2025-02-03T00:00:00Z", "no"),
            ("0.97", "2025-02-03T00:00:00Z", ""),
            (100, "2025-02-03T00:00:00Z", "yes"),
            (1, None, ""),
        )
    },
    "a set without its question": (
        [question()], [yes(0.4), yes(0.4, question_id=8)],
        {"left": ["8"], "left out": [("record 2", "a forecast on a question that no file has")]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("questions", "sets", "expected"), FILES.values(), ids=FILES)
def test_sets_and_questions_are_read(
    tmp_path: Path, questions: list[Any], sets: list[Any], expected: dict[str, Any]
) -> None:
    sheets.require(read(tmp_path, questions, sets), expected)


PART = "predictions 1, field forecasted_probability"


@pytest.mark.parametrize(
    ("wrong", "place", "rule"),
    [
        (yes(0.4, created_at="yesterday"), "field created_at", "ISO 8601"),
        (yes(0.4, created_at="2025-01-10T08:30:00"), "field created_at", "an offset or Z"),
        (yes(0.4, rationale=3.5), "field rationale", "a text"),
        (yes(0.4, predictions="none"), "field predictions", "a list of objects"),
        (yes("-0.1"), PART, "from 0 to 1"),
        (yes(None), PART, "required"),
    ],
)
def test_a_bad_value_is_named_by_file_record_field_and_rule(
    tmp_path: Path, wrong: dict[str, Any], place: str, rule: str
) -> None:
    with sheets.refused_at(f"prediction_sets.json, record 2, {place}", rule):
        read(tmp_path, [question()], [yes(0.4), wrong])


def test_a_question_without_answers_is_refused(tmp_path: Path) -> None:
    with sheets.refused_at("questions.json, record 1, field answers", "at least one answer"):
        read(tmp_path, [question(answers=[])], [])
