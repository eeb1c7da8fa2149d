"""The façade's requests as the ledger's values."""

from __future__ import annotations

from typing import Any

import pytest

from forecasts.api.metaculus.requests import NewForecast, NewPost, not_kept, value, wording
from forecasts.common.errors import BadInput
from forecasts.ledger.models import QuestionText
from forecasts.questions.registry import question_text
from forecasts.values.value import Value, check_value
from tests.conftest import day

OPTIONS = ["Busan", "Riyadh", "Other"]
RAIN = question_text(title="Rain?", open_time=day(0), scheduled_close_time=day(1))
HOST = question_text(
    title="Host?", type="multiple_choice", options=OPTIONS,
    open_time=day(0), scheduled_close_time=day(1),
)  # fmt: skip


ROME = {"Busan": 0.5, "Riyadh": 0.3, "Other": 0.2, "Rome": 0.0}


def new_post(**fields: Any) -> NewPost:
    question = {
        "title": "Will it rain?",
        "type": "binary",
        "description": "It is dry.",
        "resolution_criteria": "As the gazette says.",
        "fine_print": "",
        "possibilities": None,
        "resolution": None,
        "include_bots_in_aggregates": True,
        "default_score_type": "spot_peer",
        "scaling": {"range_max": None, "range_min": None, "zero_point": None},
        "inbound_outcome_count": 200,
        "open_time": "2026-01-02T00:00:00",
        "scheduled_close_time": "2026-01-09T12:00:00",
        "scheduled_resolve_time": "2026-01-10T00:00:00+01:00",
    }
    return NewPost.model_validate(
        {"title": "Rain", "default_project": 33121, "categories": [], "question": question | fields}
    )


def test_probabilities_come_in_any_order_and_may_be_off_by_rounding() -> None:
    sent = {"Other": 0.2, "Busan": 0.5000001, "Riyadh": 0.3}
    vector = value(NewForecast(question=1, probability_yes_per_category=sent), HOST).probabilities
    assert vector == pytest.approx((0.5, 0.3, 0.2), abs=1e-6)
    check_value(Value(probabilities=vector), HOST)
    sent["Busan"] = 0.5
    exact = value(NewForecast(question=1, probability_yes_per_category=sent), HOST)
    assert exact.probabilities == (0.5, 0.3, 0.2)


@pytest.mark.parametrize(
    ("of", "fields", "words"),
    [
        (RAIN, {}, "has no value; a binary question takes probability_yes"),
        (RAIN, {"continuous_cdf": [0.1, 0.9]}, "has continuous_cdf; a binary"),
        (RAIN, {"probability_yes": 0.5, "continuous_cdf": [1.0]}, "has probability_yes and cont"),
        (RAIN, {"probability_yes": 0.5, "end_time": day(4)}, "lasts until the next one"),
        (HOST, {"probability_yes_per_category": {"Busan": 0.5, "Riyadh": 0.5}}, "lacks 'Other'"),
        (HOST, {"probability_yes_per_category": ROME}, "names 'Rome'"),
    ],
)
def test_any_other_value_is_refused(of: QuestionText, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        value(NewForecast(question=1, **fields), of)


def test_a_new_question_has_utc_times_a_tournament_tag_and_a_crowd_hidden_on_request() -> None:
    text = wording(new_post(), now=day(0))
    assert (text.title, text.background, text.tags) == ("Will it rain?", "It is dry.", ["33121"])
    assert (text.open_time, text.scheduled_close_time) == (day(1), day(8.5))
    assert text.scheduled_resolve_time is not None
    assert text.scheduled_resolve_time < day(9)
    assert not text.crowd_hidden
    assert wording(new_post(cp_reveal_time="2026-01-05T00:00:00"), now=day(0)).crowd_hidden


def test_bounds_are_written_as_the_ledger_has_them() -> None:
    for kind, low, high, written in (
        ("numeric", -3, 207.5, ("-3", "207.5")),
        ("numeric", 0.0, 1e6, ("0", "1000000")),
        ("date", 1769904000, "2031-07-15T12:00:00Z", ("2026-02-01", "2031-07-15T12:00:00Z")),
    ):
        scaling = {"range_min": low, "range_max": high}
        text = wording(new_post(type=kind, scaling=scaling), now=day(0))
        assert (text.lower_bound, text.upper_bound) == written


def test_a_discrete_question_counts_whole_numbers() -> None:
    scaling = {"range_min": -0.5, "range_max": 10.5}
    asked = new_post(type="discrete", scaling=scaling, inbound_outcome_count=11)
    text = wording(asked, now=day(0))
    assert (text.type, text.lower_bound, text.upper_bound) == ("numeric", "-0.5", "10.5")
    with pytest.raises(BadInput, match="counts whole numbers"):
        wording(new_post(type="discrete", scaling=scaling, inbound_outcome_count=22), now=day(0))


def test_fields_without_a_place_in_the_ledger_are_named() -> None:
    asked = new_post(
        type="numeric",
        scaling={"range_min": 1, "range_max": 100, "zero_point": 0},
        open_lower_bound=False,
        open_upper_bound=True,
        question_weight=0.5,
    )
    named = {"zero_point", "open_lower_bound", "question_weight"}
    usual = {"include_bots_in_aggregates", "default_score_type"}
    assert set(not_kept(asked, wording(asked, now=day(0)))) == named | usual
    assert set(not_kept(new_post(), RAIN)) == usual
