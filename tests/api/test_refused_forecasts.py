"""Refused forecasts: wrong values with their places, other refusals with their codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel, ValidationError
from sqlalchemy import Engine

from forecasts.api.metaculus.requests import NewForecast
from forecasts.api.problems import KINDS, OF_STATUS, document, problems
from forecasts.api.v1.requests import Batch, GivenForecast, Outcome
from forecasts.common.errors import BadInput, Code, Remedy
from tests.api.conftest import Clock, asked
from tests.conftest import day

pytestmark = pytest.mark.slow

V1 = "/api/v1"
YES = {"probability": 0.5}
BATCH = f"{V1}/forecasts"


@pytest.fixture
def questions(engine: Engine) -> None:
    """A question of each type: rain, which, depth."""
    asked(engine, slug="rain")
    asked(engine, slug="which", title="Which?", type="multiple_choice", options=["a", "b", "c"])
    bounds = {"lower_bound": "0", "upper_bound": "10"}
    asked(engine, slug="depth", title="How deep?", type="numeric", **bounds)


SHARES = [{"note": note, "share": 0.6} for note in "ab"]
WRONG = [
    ("rain", {"probability": 1.5}, "probability", "1.5", "from 0 to 1"),
    ("rain", {"probabilities": [0.5, 0.5]}, "probabilities", "[0.5, 0.5]", "takes probability"),
    ("which", {"probabilities": [0.5, 0.4, 0]}, "probabilities", "[0.5, 0.4, 0.0]", "sum to 90%"),
    ("depth", {"quantiles": {"0.5": 12}}, "quantiles", '{"0.5": 12.0}', "outside the question's"),
    ("rain", YES | {"model": {"name": " "}}, "model", " ", "has no name"),
    ("rain", YES | {"evidence": [{"url": "ftp://x"}]}, "evidence.0", "ftp://x", "is not a web"),
    ("rain", YES | {"evidence": SHARES}, "evidence", "2 pieces", "sum to 1.2"),
]


@pytest.mark.usefixtures("questions")
@pytest.mark.parametrize(("slug", "given", "place", "value", "rule"), WRONG)
def test_a_wrong_value_has_its_place_its_value_and_its_rule(
    api: TestClient, slug: str, given: dict[str, Any], place: str, value: str, rule: str
) -> None:
    good = {"question": "rain", "probability": 0.3}
    row = {"question": slug} | given
    alone = api.post(f"{V1}/questions/{slug}/forecasts", json=given)
    batch = api.post(BATCH, json={"forecasts": [good, row]})
    partly = api.post(BATCH, json={"forecasts": [good, row], "partial": True})
    assert (alone.status_code, batch.status_code, partly.status_code) == (422, 422, 201)
    for found, prefix in (
        (alone.json(), "body"),
        (batch.json(), "body.forecasts.1"),
        (partly.json()["results"][1]["problem"], "body.forecasts.1"),
    ):
        assert found["code"] == "bad_input"
        assert found["remedy"]
        assert not any(words in found["remedy"] for words in ("71%", "odds", "leave out", "="))
        [problem] = found["problems"]
        assert (problem["place"], problem["value"]) == (f"{prefix}.{place}", value)
        assert rule in problem["rule"]
    if place.startswith("probabilit") or place == "quantiles":
        kind = {"rain": "probability", "which": "probabilities", "depth": "quantiles"}[slug]
        assert alone.json()["remedy"].startswith(f"Give {kind}: ")
    assert "body.forecasts.1" in batch.json()["detail"]
    assert partly.json()["accepted"] == 1


@pytest.mark.usefixtures("questions")
def test_all_wrong_values_of_a_forecast_are_named(api: TestClient) -> None:
    given = {"probability": 7, "evidence": [{"title": " "}], "model": {"name": ""}}
    found = api.post(f"{V1}/questions/rain/forecasts", json=given).json()
    places = [one["place"] for one in found["problems"]]
    assert places == ["body.probability", "body.evidence.0", "body.model"]
    assert found["detail"] == "The request has 3 invalid values."


NEW = {"title": "Will it snow?", "closes": "2026-02-01"}
ON_RAIN, ASK = f"{V1}/questions/rain/forecasts", f"{V1}/questions"
# (path, body, words of the detail or the problem, words of the remedy)
BAD: list[tuple[str, Any, str, str]] = [
    (ON_RAIN, {"probability": "45%"}, "must be a number; '45%'", 'Send "probability": 0.'),
    (ON_RAIN, {"probabilities": {"a": 1}}, '; {\\"a\\": 1} is not', 'Send "probabilities": ['),
    (ON_RAIN, {"probability": None}, "Give exactly one", "See /api/v1/docs"),
    (ON_RAIN, YES | {"evidence": "x"}, "must be a list", 'Send "evidence": [{"url": '),
    (f"{V1}/questions/depth/forecasts", {"quantiles": {"10%": 2}}, "10%", '{"0.1": 120, '),
    (BATCH, [{"question": "rain", "probability": 0.4}], "must be an object", '{"forecasts": '),
    (ASK, NEW | {"tags": "a,b"}, "must be a list", 'Send "tags": ["'),
    (ASK, NEW | {"options": "A,B"}, "must be a list", 'Send "options": ["'),
    (ASK, NEW | {"closes": 1800000000}, "must be a text", 'Send "closes": "2027-03-31"'),
    (ASK, NEW | {"crowd_hidden": "yes"}, "must be true or false; 'yes'", "See"),
    (ASK, NEW | {"criteria": "a", "resolution_criteria": "b"}, "are one field: give it once", ""),
    (ASK, NEW | {"lower": 0, "upper": 9}, "asks for yes or no, and has bounds", "give the type"),
    (ASK, NEW | {"type": "numeric"}, "needs a lower and an upper bound", "Give both"),
    (ASK, NEW | {"type": "numeric", "lower": 9, "upper": 0}, "must be below", "Give the smaller"),
    (ASK, NEW | {"type": "numeric", "lower": 0, "upper": "9 mm"}, "'9 mm'", "without a unit"),
    (ASK, NEW | {"options": ["A"]}, "at least two options", "Give two or more"),
    (ASK, NEW | {"options": ["A", "A"]}, "there twice", "once"),
    (ASK, NEW | {"options": ["A", "a"]}, "differ only in case", "more than case"),
    (ASK, NEW | {"title": " "}, "has no title", "Give it a title"),
    (ASK, NEW | {"opens": "2026-03-01"}, "must come after the open", "Give a later close"),
    (ASK, NEW | {"closes": "2027-W20"}, "'2027-W20' is not a date", "Write"),
    (ASK, NEW | {"id": "a b"}, "'a b' is not an ID", "Leave it out"),
    (f"{V1}/questions/rain/propose", {"outcome": None}, "null is not", 'Send "outcome": "yes"'),
    (f"{V1}/questions/rain/dispute", {}, "reason is missing", 'Send "reason": "'),
]


@pytest.mark.usefixtures("questions")
def test_each_refusal_of_a_wrong_value_has_a_remedy_with_the_form(api: TestClient) -> None:
    for path, body, said, remedy in BAD:
        found = api.post(path, json=body)
        assert found.status_code == 422, (body, found.text)
        assert said in found.text, (body, found.text)
        assert remedy in found.json()["remedy"], (body, found.text)
        assert found.json()["remedy"], body


@pytest.mark.usefixtures("questions")
def test_numbers_stand_for_names_and_bodies_may_be_left_out(api: TestClient) -> None:
    assert api.post(BATCH, json={"forecasts": [{"question": 1} | YES]}).json()["accepted"] == 1
    assert api.post(f"{V1}/questions/1/withdraw").json()["withdrawn"] is True
    for slug, outcome, kept in (("rain", True, "yes"), ("depth", 4, "4"), ("which", "b", "b")):
        api.post(f"{V1}/questions/{slug}/propose", json={"outcome": outcome, "note": "Seen."})
        [step] = api.get(f"{V1}/questions/{slug}").json()["resolutions"]
        assert step["outcome"] == kept
    assert api.post(f"{V1}/questions/rain/close").status_code == 200
    when = {"title": "When will it rain?", "lower": "2026-03-01", "upper": "2026-05-01"}
    assert api.post(ASK, json=when | {"closes": "2026-02-01"}).json()["type"] == "date"


def test_a_remedy_without_a_request_names_the_parameters() -> None:
    names = Remedy("Name them: {}.", "", between="NAME")
    two = BadInput("Two or more.", remedy=(names, "Choose from: a, b."))
    assert document(two).remedy == "Name them: between=NAME. Choose from: a, b."


def test_a_first_forecast_with_a_wrong_value_refuses_the_question(api: TestClient) -> None:
    question = {
        "title": "Will it snow?",
        "scheduled_close_time": "2026-02-01T00:00:00Z",
        "forecast": {"probabilities": [0.5, 0.5]},
    }
    found = api.post(f"{V1}/questions", json=question)
    assert found.status_code == 422
    assert [one["place"] for one in found.json()["problems"]] == ["body.forecast.probabilities"]
    assert api.get(f"{V1}/questions").json()["questions"] == []


@pytest.mark.parametrize(
    ("on", "resolved", "code"),
    [(-1, False, "not_open"), (11, False, "closed"), (11, True, "resolved")],
)
def test_a_question_that_takes_no_forecasts_is_refused_with_a_code(
    api: TestClient, engine: Engine, clock: Clock, on: float, resolved: bool, code: str
) -> None:
    asked(engine, slug="rain", open_time=day(5) if on < 0 else day(0))
    if resolved:
        clock.time = day(on)
        api.post(f"{V1}/questions/rain/resolve", json={"outcome": "yes"})
    clock.time = day(1) if on < 0 else day(on)
    row = {"question": "rain", "probability": 0.3}
    alone = api.post(f"{V1}/questions/rain/forecasts", json={"probability": 0.3})
    withdrawal = api.post(f"{V1}/questions/rain/withdraw", json={})
    batch = api.post(BATCH, json={"forecasts": [row]})
    partly = api.post(BATCH, json={"forecasts": [row], "partial": True})
    for found in (alone, withdrawal, batch):
        assert (found.status_code, found.json()["title"]) == (409, "refused")
        assert found.json()["code"] == code
    assert partly.json()["results"][0]["problem"]["code"] == code


def test_there_is_a_code_for_each_error(api: TestClient, engine: Engine) -> None:
    asked(engine, slug="rain")
    nothing = api.post(f"{V1}/questions/rain/withdraw", json={})
    assert nothing.headers["content-type"] == "application/problem+json"
    assert (nothing.json()["title"], nothing.json()["code"]) == ("refused", "no_forecast")
    unknown = api.get(f"{V1}/questions/ran").json()
    assert (unknown["code"], unknown["remedy"]) == ("not_found", "Did you mean rain?")
    assert api.get(f"{V1}/x").json()["code"] == "not_found"
    assert api.delete(f"{V1}/questions/rain").json()["code"] == "method_not_allowed"
    api.headers["Authorization"] = "Bearer x"
    assert api.get(f"{V1}/me").json()["code"] == "unauthenticated"
    schemas = api.get(f"{V1}/openapi.json").json()["components"]["schemas"]
    documented = schemas["ProblemDocument"]["properties"]["code"]["description"]
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    for code in filter(None, get_args(Code)):
        assert f"`{code}`" in documented
        assert f"`{code}`" in page
    for kind in {kind for _, _, kind in KINDS} | {*OF_STATUS.values()}:
        assert f"`{kind.replace(' ', '_')}`" in page


def test_a_refused_batch_names_each_row_and_writes_nothing(api: TestClient, engine: Engine) -> None:
    asked(engine, slug="rain")
    asked(engine, slug="late", scheduled_close_time=day(0.5))
    rows = [
        {"question": "rain", "probability": 0.3},
        {"question": "late", "probability": 0.3},
        {"question": "rain", "probability": "x"},
        {"question": "hail", "probability": 0.3},
        {"question": "rain", "probability": 3, "rationale": "x" * 300_001},
    ]
    found = api.post(BATCH, json={"forecasts": rows})
    assert (found.status_code, found.json()["code"]) == (409, "closed")
    assert found.json()["detail"].startswith("body.forecasts.1 is refused, and nothing was written")
    assert found.json()["detail"].endswith("So are 3 more.")
    assert [(one["place"], one["value"][:5]) for one in found.json()["problems"]] == [
        ("body.forecasts.1", "late"),
        ("body.forecasts.2.probability", "x"),
        ("body.forecasts.3", "hail"),
        ("body.forecasts.4.probability", "3.0"),
        ("body.forecasts.4.rationale", "xxxxx"),
    ]
    assert api.get(f"{V1}/questions/rain/forecasts").json()["forecasts"] == []


def test_in_part_a_row_of_another_form_is_refused_alone(api: TestClient, engine: Engine) -> None:
    asked(engine, slug="rain")
    good = {"question": "rain", "probability": 0.3, "evidence": [{"note": "clouds"}]}
    odd = [good | {"confidence": 1}, good | {"question": True}, {"probability": 0.3}, {}]
    found = api.post(BATCH, json={"forecasts": [good, *odd, good], "partial": True})
    assert found.status_code == 201
    assert (found.json()["accepted"], found.json()["refused"]) == (2, 4)
    stored = api.get(f"{V1}/questions/rain/forecasts").json()["forecasts"]
    made = [one["number"] for one in found.json()["results"] if one["number"]]
    assert [one["number"] for one in stored] == made
    assert stored[0]["evidence"][0]["note"] == "clouds"
    none = api.post(BATCH, json={"forecasts": []}).json()
    assert none == {"accepted": 0, "refused": 0, "results": []}
    for number, one in enumerate(found.json()["results"][1:5], 1):
        assert (one["problem"]["status"], one["problem"]["code"]) == (422, "bad_input")
        place = one["problem"]["problems"][0]["place"]
        assert place.startswith(f"body.forecasts.{number}")
    assert api.post(BATCH, json={"forecasts": [good, odd[0]]}).status_code == 422


# --- every rule of a request's value in our words

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
    ({"probability": float("inf")}, "probability must be a finite number; Infinity is not."),
]
BROKEN: list[tuple[type[BaseModel], Any, str]] = [
    *((GivenForecast, YES | given, rule) for given, rule in OF_A_FORECAST),
    (GivenForecast, {"probabilities": [0.5, "x"]}, "probabilities.1 must be a number; 'x' is not."),
    (GivenForecast, {"quantiles": {"0.5": [1]}}, "0.5 must be a number or a text; [1] is not."),
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


def test_a_broken_rule_is_told_in_our_words() -> None:
    for body, given, rule in BROKEN:
        with pytest.raises(ValidationError) as caught:
            body.model_validate(given)
        faults = [one | {"loc": ("body", *one["loc"])} for one in caught.value.errors()]
        assert [one.rule for one in problems(faults)] == [rule]
