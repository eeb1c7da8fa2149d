"""The limits on one act, since others cannot write while it is stored."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from tests.api.conftest import asked

pytestmark = pytest.mark.slow

RAIN = "/api/v1/questions/rain"
TOO_LONG = "x" * 300_001


def pieces(count: int) -> list[dict[str, str]]:
    return [{"note": f"reason {number}"} for number in range(count)]


def test_a_forecast_cites_at_most_100_pieces_of_evidence(api: TestClient, engine: Engine) -> None:
    asked(engine, slug="rain")
    for count, status in ((101, 422), (100, 201)):
        made = {"question": "rain", "probability": 0.3, "evidence": pieces(count)}
        found = api.post("/api/v1/forecasts", json={"forecasts": [made]})
        assert found.status_code == status, found.text
        if status == 422:
            assert "at most 100 pieces of evidence" in found.text
            assert "this one cites 101" in found.text
            assert api.get(f"{RAIN}/forecasts").json()["forecasts"] == []
    [made] = api.get(f"{RAIN}/forecasts").json()["forecasts"]
    assert len(made["evidence"]) == 100


def test_a_batch_cites_at_most_10_000_pieces_of_evidence(
    api: TestClient, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecasts.updates.evidence.MOST_CITED_AT_ONCE", 10)
    asked(engine, slug="rain")
    row = {"question": "rain", "probability": 0.3, "evidence": pieces(4)}
    found = api.post("/api/v1/forecasts", json={"forecasts": [row] * 3})
    assert found.status_code == 422
    assert found.json()["detail"].endswith("at most 10 pieces of evidence; this one cites 12.")
    assert api.post("/api/v1/forecasts", json={"forecasts": [row] * 2}).status_code == 201


def test_a_refusal_repeats_only_the_beginning_of_long_names(
    api: TestClient, engine: Engine
) -> None:
    asked(engine, slug="rain")
    rows = [{"question": TOO_LONG, "probability": 0.3}, {TOO_LONG: 1}] * 30
    found = api.post("/api/v1/forecasts", json={"forecasts": rows})
    assert found.status_code == 404
    assert len(found.json()["problems"]) == 50
    assert len(found.text) < 50 * 3_000
    assert len(api.post(f"{RAIN}/forecasts", json={"probability": 2, TOO_LONG: 1}).text) < 5_000


def test_a_web_address_may_be_in_capital_letters_and_between_spaces(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(
        "forecasts.api.v1.articles.capture", lambda url, **_: fetched.append(url) or []
    )
    found = api.post("/api/v1/articles", json={"url": " HTTPS://EXAMPLE.ORG/a "})
    assert found.status_code == 201
    assert fetched == ["HTTPS://EXAMPLE.ORG/a"]
    found = api.post("/api/v1/articles", json={"url": "ftp://example.org"})
    assert found.json()["detail"] == "'ftp://example.org' is not a web address."


@pytest.mark.parametrize(
    "reasons",
    [
        {"rationale": TOO_LONG},
        {"evidence": [{"note": TOO_LONG}]},
        {"evidence": [{"url": f"https://example.org/{TOO_LONG}"}]},
        {"evidence": [{"note": "x", "quote": TOO_LONG}]},
    ],
)
def test_reasons_that_are_too_long_for_a_page_are_refused(
    api: TestClient, engine: Engine, reasons: dict[str, object]
) -> None:
    asked(engine, slug="rain")
    found = api.post(f"{RAIN}/forecasts", json={"probability": 0.3} | reasons)
    assert found.status_code == 422
    assert "at most 0.3 MB" in found.json()["detail"]
    assert found.json()["remedy"].startswith("Keep the passages that decide")
    assert api.post(f"{RAIN}/forecasts", json={"probability": 0.3}).status_code == 201
    if "rationale" in reasons:
        assert api.post(f"{RAIN}/withdraw", json=reasons).status_code == 422
