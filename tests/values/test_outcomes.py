"""Outcomes: parsed, compared and formatted."""

import pytest

from forecasts.common.errors import BadInput
from forecasts.ledger.models import QuestionText
from forecasts.values.outcomes import outcome_value, read_outcome
from tests.values.questions import CITIES, PRICE, RAIN, WHEN, text


@pytest.mark.parametrize(
    ("question", "said", "kept"),
    [
        (RAIN, "YES", "yes"), (RAIN, "0.35", "0.35"), (RAIN, "Annulled", "annulled"),
        (CITIES, "beijing, china", "Beijing, China"),
        (text(type="multiple_choice", options=["us", "US", "Other"]), "US", "US"),
        (PRICE, "145", "145"), (PRICE, "above_upper_bound", "above_upper_bound"),
        (WHEN, "2026-05-13", "2026-05-13"),
    ],
)  # fmt: skip
def test_outcomes_are_kept_in_one_form(question: QuestionText, said: str, kept: str) -> None:
    assert read_outcome(said, question) == kept


@pytest.mark.parametrize(
    ("question", "written", "likewise", "otherwise"),
    [
        (RAIN, "yes", "1.0", "no"), (RAIN, "0", "no", "0.5"), (CITIES, "Busan", "Busan", "Other"),
        (PRICE, "100", "100.0", "above_upper_bound"),
        (WHEN, "2026-11-20", "2026-11-20T00:00:00Z", "2026-11-21"),
        (WHEN, "2026-11-20T01:00:00+01:00", "2026-11-20", "annulled"),
    ],
)  # fmt: skip
def test_outcomes_are_compared_however_they_are_written(
    question: QuestionText, written: str, likewise: str, otherwise: str
) -> None:
    values = [outcome_value(said, question) for said in (written, likewise, otherwise)]
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize(
    ("question", "said"),
    [(RAIN, "maybe"), (RAIN, "2"), (CITIES, "Seoul"), (PRICE, "yes"), (WHEN, "soon")],
)
def test_an_impossible_outcome_is_refused(question: QuestionText, said: str) -> None:
    with pytest.raises(BadInput, match="not an outcome"):
        read_outcome(said, question)
