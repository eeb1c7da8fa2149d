"""Every rule of a request's value is told in our words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from forecasts.api.metaculus.requests import NewForecast
from forecasts.api.problems import problems
from forecasts.api.v1.requests import Batch, Forecast, Outcome

YES = {"probability": 0.5}
OF_A_FORECAST: list[tuple[dict[str, Any], str]] = [
    ({"model": {"name": "m", "cost": -1}}, "cost must be at least 0; -1 is not."),
    (
        {"model": {"name": "m", "cost": 2**31}},
        "cost must be below 2,147,483,648; 2147483648 is not.",
    ),
    ({"model": {"name": "m", "tokens": 1.5}}, "tokens must be a whole number; 1.5 is not."),
    ({"model": {}}, "name is missing."),
    ({"model": "m"}, "model must be an object; 'm' is not."),
    ({"evidence": [{"share": 1.4}]}, "share must be at most 1; 1.4 is not."),
    (
        {"evidence": [{"stance": "for"}]},
        "stance must be 'supports', 'opposes' or 'context'; 'for' is not.",
    ),
    ({"evidence": "x"}, "evidence must be a list; 'x' is not."),
    ({"rationale": 5}, "rationale must be a text; 5 is not."),
    ({"reason": "x"}, "There is no field reason here."),
    ({"strategy": "x"}, "There is no field strategy here."),
    ({"probability": float("inf")}, "probability must be a finite number; inf is not."),
]
BROKEN: list[tuple[type[BaseModel], Any, str]] = [
    *((Forecast, YES | given, rule) for given, rule in OF_A_FORECAST),
    (Forecast, {"probabilities": [0.5, "x"]}, "probabilities.1 must be a number; 'x' is not."),
    (Forecast, {"quantiles": {"0.5": [1]}}, "0.5 must be a number or a text; [1] is not."),
    (Batch, {"forecasts": [5]}, "forecasts.0 must be an object; 5 is not."),
    (Batch, {"forecasts": [], "partial": 1}, "partial must be true or false; 1 is not."),
    (
        Batch,
        {"forecasts": [YES] * 10_001},
        "forecasts must have at most 10,000 items, not 10,001.",
    ),
    (
        Outcome,
        {"outcome": "yes", "known_at": "2026-13-01T00:00:00Z"},
        "known_at must be a time such as 2027-03-31T12:00:00Z; '2026-13-01T00:00:00Z' is not.",
    ),
    (NewForecast, {"question": -1}, "question must be at least 0; -1 is not."),
    (NewForecast, {"question": 1, "slider_values": []}, "slider_values must be left out."),
]


@pytest.mark.parametrize(("body", "given", "rule"), BROKEN)
def test_a_broken_rule_is_told_in_our_words(body: type[BaseModel], given: Any, rule: str) -> None:
    with pytest.raises(ValidationError) as caught:
        body.model_validate(given)
    faults = [one | {"loc": ("body", *one["loc"])} for one in caught.value.errors()]
    assert [one.rule for one in problems(faults)] == [rule]
