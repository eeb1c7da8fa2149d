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
    many, most = ({"probability": 0.3, "evidence": pieces(count)} for count in (101, 100))
    refused = api.post(f"{RAIN}/forecasts", json=many)
    assert refused.status_code == 422
    assert "at most 100 pieces of evidence; this one cites 101" in refused.text
    assert api.post(f"{RAIN}/forecasts", json=most).status_code == 201


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


def test_no_private_address_is_fetched(api: TestClient) -> None:
    found = api.post("/api/v1/articles", json={"url": "http://127.0.0.1:1/"})
    assert (found.status_code, "private" in found.text) == (422, True)


def test_reasons_that_are_too_long_for_a_page_are_refused(api: TestClient, engine: Engine) -> None:
    asked(engine, slug="rain")
    for long in ({"note": TOO_LONG}, {"note": "x", "quote": TOO_LONG}):
        given = {"probability": 0.3, "evidence": [long]}
        found = api.post(f"{RAIN}/forecasts", json=given)
        assert found.status_code == 422
        assert "at most 0.3 MB" in found.json()["detail"]
        assert found.json()["remedy"].startswith("Keep the passages that decide")
    for path, given in (("forecasts", {"probability": 0.3}), ("withdraw", {})):
        body = given | {"rationale": TOO_LONG}
        assert api.post(f"{RAIN}/{path}", json=body).status_code == 422
        assert api.post(f"{RAIN}/{path}", json=given).status_code == 201
