"""The way from an article to scores, through the API alone."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from forecasts.access import teams
from forecasts.access.members import member_or_new
from forecasts.ledger import database
from forecasts.ledger.models import Role
from forecasts.ledger.verification import verify
from tests.api.conftest import Bot, Clock, asked
from tests.conftest import KINDS, day

pytestmark = pytest.mark.slow

V1 = "/api/v1"
TEXT = (
    "Harbour to reopen\n\nThe port of Brenholt said on Monday that the harbour will reopen by "
    "31 March 2026. " + "Repairs to the quay began in autumn after the storm. " * 10
)


@pytest.fixture
def kind() -> str:
    """PostgreSQL, where there is a server."""
    return KINDS[-1]


def test_from_an_article_to_scores(api: TestClient, engine: Engine, clock: Clock) -> None:
    captured = api.post(f"{V1}/articles", json={"text": TEXT}).json()
    [article] = captured["articles"]
    draft = article["drafts"][0]
    assert draft["close_date"] == "2026-03-31"
    question = {
        "title": draft["question"],
        "article": article["number"],
        "quote": draft["quote"],
        "scheduled_close_time": "2026-03-31T23:59:59Z",
        "resolution_criteria": "As the port says.",
        "tags": ["ports"],
        "id": "harbour",
        "forecast": {"probability": 0.5, "rationale": "no idea yet"},
    }
    made = api.post(f"{V1}/questions", json=question)
    assert made.status_code == 201, made.text
    assert made.json()["sources"][0]["quote"] == draft["quote"]
    assert made.json()["forecast"]["probability"] == 0.5
    again = api.get(f"{V1}/articles/{article['number']}").json()
    assert again["drafts"][0]["asked"] == ["harbour"]
    clock.time = day(40)
    due = api.get(f"{V1}/questions", params={"needs_update": True}).json()["questions"]
    assert [one["id"] for one in due] == ["harbour"]
    update = {
        "probability": 0.8,
        "rationale": "The quay is done.",
        "evidence": [{"url": "https://example.org/quay", "share": 0.6}],
        "model": {"name": "oracle", "version": "2", "cost": 0.01, "tools": ["search"]},
    }
    receipt = api.post(f"{V1}/questions/harbour/forecasts", json=update).json()["receipt"]
    found = api.get(f"{V1}/questions/harbour/forecasts").json()["forecasts"]
    assert [one["probability"] for one in found] == [0.5, 0.8]
    assert found[1]["model"]["name"] == "oracle"
    assert api.get(f"{V1}/forecasts/{found[1]['number']}/receipt").json() == receipt
    [cited] = api.get(f"{V1}/questions/harbour/evidence").json()["evidence"]
    assert (cited["stance"], cited["forecast"]) == ("supports", found[1]["number"])
    read = api.get(f"{V1}/questions/harbour", headers={"Accept": "text/markdown"}).text
    assert "  - supports, news, share 60%: `https://example.org/quay`" in read
    crowd = api.get(f"{V1}/crowd", params={"question": "harbour"}).json()["rows"]
    assert [row["p"] for row in crowd] == [0.8]
    clock.time = day(80)
    later = {"updated_since": "2026-03-01T00:00:00Z"}
    assert api.get(f"{V1}/questions", params=later).json()["questions"] == []
    proposed = api.post(f"{V1}/questions/harbour/propose", json={"outcome": "yes"})
    assert "needs a note or a source" in proposed.json()["detail"]
    outcome = {"outcome": "yes", "note": "The mayor said so."}
    proposed = api.post(f"{V1}/questions/harbour/propose", json=outcome)
    assert (proposed.json()["status"], proposed.json()["proposals"]) == ("open", 1)
    for status in ("open", "proposed"):
        [listed] = api.get(f"{V1}/questions", params={"status": status}).json()["questions"]
        assert (listed["id"], listed["proposals"]) == ("harbour", 1)
    decided = api.post(f"{V1}/questions/harbour/resolve", json={"outcome": "yes"}).json()
    assert (decided["status"], decided["outcome"]) == ("resolved", "yes")
    [scored] = api.get(f"{V1}/scores").json()["scores"]
    assert scored["id"] == "harbour"
    assert 0 < scored["score"] < 0.25
    [first, second] = api.get(f"{V1}/attribution").json()["rows"]
    assert {first["points"] is None, second["points"] is None} == {True, False}
    report = api.get(f"{V1}/report", params={"cohort": "resolved", "by": "forecaster"}).json()
    assert [group["name"] for group in report["groups"]] == ["bot"]
    with database.reading(engine) as session:
        assert verify(session).broken is None


def test_members_have_kinds_owners_and_teams(api: TestClient, engine: Engine, clock: Clock) -> None:
    with database.writing(engine, clock) as session:
        alice = member_or_new(session, "alice", now=day(0))
        alder = teams.create(session, "Alder", member=alice, now=day(1))
        teams.add(session, alder, alice, Role.admin, member=alice, now=day(1))
    found = api.get(f"{V1}/members").json()["members"]
    kinds = {one["handle"]: (one["kind"], one["owner"], one["teams"]) for one in found}
    assert kinds == {"alice": ("human", None, {"Alder": "admin"}), "bot": ("bot", "alice", {})}
    [team] = api.get(f"{V1}/teams").json()["teams"]
    assert [(one["handle"], one["role"]) for one in team["members"]] == [("alice", "admin")]


def test_bots_are_compared(api: TestClient, engine: Engine, clock: Clock, make_bot: Bot) -> None:
    other = make_bot("other")
    for number in range(3):
        asked(engine, slug=f"q{number}", title=f"Question {number}?", family=f"f{number}")
        path = f"{V1}/questions/q{number}/forecasts"
        api.post(path, json={"probability": 0.9})
        api.post(path, json={"probability": 0.4}, headers=other)
    clock.time = day(11)
    for number in range(3):
        assert api.post(f"{V1}/questions/q{number}/resolve", json={"outcome": "yes"}).is_success
    query = {"between": ["bot", "other"], "cohort": "resolved"}
    found = api.get(f"{V1}/compare", params=query).json()
    assert {group["name"] for group in found["groups"]} == {"bot", "other"}
    text = api.get(f"{V1}/compare", params=query, headers={"Accept": "text/markdown"}).text
    assert text.startswith("# ")
    assert api.get(f"{V1}/compare", params={"between": "bot"}).status_code == 422


def test_every_type_is_forecast_read_back_and_withdrawn(api: TestClient, engine: Engine) -> None:
    ten = {"lower_bound": "0", "upper_bound": "10"}
    year = {"lower_bound": "2026-01-01", "upper_bound": "2026-12-31"}
    for type_, fields, name, value in (
        ("multiple_choice", {"options": ["a", "b"]}, "probabilities", [0.2, 0.8]),
        ("numeric", ten, "quantiles", {"0.1": 2, "0.5": 4.5, "0.9": 8}),
        ("date", year, "quantiles", {"0.5": "2026-06-01"}),
    ):
        asked(engine, slug=type_, type=type_, **fields)
        path = f"{V1}/questions/{type_}"
        made = api.post(f"{path}/forecasts", json={name: value})
        assert made.status_code == 201, made.text
        assert api.get(path).json()["forecast"][name] == value
        ended = api.post(f"{path}/withdraw", json={"rationale": "unsure"}).json()
        assert (ended["withdrawn"], ended[name]) == (True, None)
        assert api.get(path).json()["forecast"] is None


def test_an_outcome_tells_of_late_forecasts(api: TestClient, engine: Engine, clock: Clock) -> None:
    asked(engine, slug="rain")
    for on, p in ((2, 0.5), (4, 0.9)):
        clock.time = day(on)
        api.post(f"{V1}/questions/rain/forecasts", json={"probability": p})
    clock.time = day(5)
    resolved = {"outcome": "yes", "known_at": "2026-01-05T12:00:00Z"}
    first = api.post(f"{V1}/questions/rain/resolve", json=resolved).json()
    assert first["no_longer_count"] == {"forecasts": 0, "members": 0}
    earlier = resolved | {"known_at": "2026-01-04T00:00:00Z"}
    corrected = api.post(f"{V1}/questions/rain/resolve", json=earlier).json()
    assert corrected["no_longer_count"] == {"forecasts": 1, "members": 1}


def test_an_outcome_is_proposed_rejected_set_and_withdrawn(api: TestClient, engine: Engine) -> None:
    asked(engine, slug="rain")

    def post(act: str, **body: str) -> Any:
        return api.post(f"{V1}/questions/rain/{act}", json=body)

    assert post("unresolve", reason="x").status_code == 409
    post("propose", outcome="no", note="A stone was wet.")
    assert post("reject", reason="It was hail.").json()["status"] == "open"
    assert post("reject", reason="x").status_code == 409
    post("resolve", outcome="yes")
    assert "is final" in post("dispute", reason="no").json()["detail"]
    assert post("uphold").status_code == 409
    assert post("unresolve").status_code == 422
    assert post("unresolve", reason=" ").status_code == 409
    done = post("unresolve", reason="It was of Bergen.").json()
    assert (done["status"], done["outcome"]) == ("open", None)
    steps = [(one["state"], one["note"]) for one in done["resolutions"]]
    assert steps[-2:] == [("confirmed", ""), ("withdrawn", "It was of Bergen.")]
    assert post("close", at="2026-01-01T12:00:00Z").json()["status"] == "awaiting"
