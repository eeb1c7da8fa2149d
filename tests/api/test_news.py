"""The inbox over the API, the answers to it, and feeds."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from forecasts.news import sources
from forecasts.news.sources import Found

V1 = "/api/v1"
TEXT = "Brenholt Gazette\n\nThe new quay in the harbour opens next week, the mayor said. " * 3


def quay(api: TestClient) -> int:
    """Ask a question, forecast it, and capture an article that bears on it; return its number."""
    question = {"id": "quay", "title": "Will the harbour quay open by 30 June 2026?"}
    asked = api.post(f"{V1}/questions", json=question | {"criteria": "As the mayor says."})
    assert asked.status_code == 201, asked.text
    api.post(f"{V1}/questions/quay/forecasts", json={"probability": 0.4})
    [article] = api.post(f"{V1}/articles", json={"text": TEXT}).json()["articles"]
    number: int = article["number"]
    return number


def test_an_article_is_dismissed_reopened_and_accepted(api: TestClient) -> None:
    number = quay(api)
    [article] = api.get(f"{V1}/inbox").json()["articles"]
    [found] = article["questions"]
    assert (article["number"], article["section"]) == (number, "mine")
    assert (found["slug"], found["forecast"]["probability"]) == ("quay", 0.4)
    assert "The new quay in the harbour opens" in found["passage"]
    about = {"question": "quay"}
    said = api.post(f"{V1}/articles/{number}/dismiss", json=about | {"kind": True}).json()
    assert (said["answer"], "harbour" in said["words"]) == ("muted", True)
    said = api.post(f"{V1}/articles/{number}/reopen", json=about).json()
    assert said["answer"] == "reopened"
    wrong = api.post(f"{V1}/articles/{number}/accept", json=about | {"probability": 7})
    assert wrong.json()["problems"][0]["place"] == "body.probability"
    two = about | {"probability": 0.5, "probabilities": [0.5, 0.5]}
    assert api.post(f"{V1}/articles/{number}/accept", json=two).status_code == 422
    made = api.post(f"{V1}/articles/{number}/accept", json=about | {"probability": 0.6})
    assert (made.status_code, made.json()["probability"]) == (201, 0.6)
    [cited] = api.get(f"{V1}/questions/quay/evidence").json()["evidence"]
    assert (cited["stance"], cited["quote"] in TEXT) == ("supports", True)
    [article] = api.get(f"{V1}/inbox", params={"limit": 1}).json()["articles"]
    assert [one["answer"] for one in article["questions"]] == ["accepted"]


def test_an_accepted_article_may_leave_the_forecast_as_it_is(api: TestClient) -> None:
    number = quay(api)
    made = api.post(f"{V1}/articles/{number}/accept", json={"question": "quay"})
    assert made.json()["probability"] == 0.4


def test_feeds_are_added_listed_and_removed(
    api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [Found("https://news.example/rss", "News"), Found("/etc/feed.xml", "Bad", True)]
    monkeypatch.setattr(sources, "find_feeds", lambda *_, **__: there)
    added = api.post(f"{V1}/feeds", json={"url": "https://news.example"})
    assert added.status_code == 201, added.text
    assert added.json()["feeds"] == api.get(f"{V1}/feeds").json()["feeds"]
    [refused] = added.json()["refused"]
    assert refused["address"] == "/etc/feed.xml"
    assert "Only web addresses" in refused["reason"]
    [feed] = added.json()["feeds"]
    assert (feed["number"], feed["address"], feed["title"]) == (1, there[0].address, "News")
    removed = api.post(f"{V1}/feeds/remove", json={"feed": "News"})
    assert removed.json() == {"title": "News"}
    assert api.get(f"{V1}/feeds").json() == {"feeds": []}
    assert api.post(f"{V1}/feeds", json={"url": "/etc/news.xml"}).status_code == 422
