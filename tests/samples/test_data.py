"""The demonstration's data is complete, consistent, and each outcome has its source."""

from __future__ import annotations

import csv
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from scoring.simulation import LABEL, Tournament, simulate

DATA = Path(__file__).parents[2] / "data"
ARTICLES = {
    "As Trump courts a more assertive Beijing, China hawks are losing out": "Japan Times",
    "India's Dalai Lama Reincarnation Dilemma": "The Diplomat",
    "N.Korea holds artillery drills, likely aimed at sharing experiences in Russia": "NHK",
}
SHOWN_AT = datetime(2026, 11, 24, tzinfo=UTC)
TEXTS = ("title", "background", "resolution_criteria", "fine_print", "family", "article", "quote")
TIMES = ("open_time", "scheduled_close_time", "scheduled_resolve_time")


def toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


PAGE = (DATA / "articles.txt").read_text(encoding="utf-8")
QUESTIONS: list[dict[str, Any]] = toml("questions.toml")["questions"]
BY_SLUG = {question["slug"]: question for question in QUESTIONS}
FORECASTERS: list[dict[str, Any]] = toml("article_forecasts.toml")["forecasters"]
FORECASTS: list[dict[str, Any]] = toml("article_forecasts.toml")["forecasts"]
with (DATA / "outcomes.csv").open(encoding="utf-8", newline="") as file:
    OUTCOMES = list(csv.DictReader(file))
KNOWN_AT = {row["question"]: datetime.fromisoformat(row["known_at"]) for row in OUTCOMES}


def closes(question: dict[str, Any]) -> datetime:
    scheduled: datetime = question["scheduled_close_time"]
    return min(scheduled, KNOWN_AT.get(question["slug"], scheduled))


# What building the demonstration checks by itself (quotes, options, values, withdrawals) is not
# repeated here: test_demonstration.


def test_the_page_has_the_three_articles_with_their_publishers() -> None:
    for title, publisher in ARTICLES.items():
        assert PAGE.count(f"{title}\n") >= 2
        assert publisher in PAGE


def test_every_question_is_complete_and_says_how_it_resolves() -> None:
    for slug, question in BY_SLUG.items():
        for name in TEXTS:
            assert question[name].strip() == question[name].strip("\n") != "", (slug, name)
        assert question["title"].endswith("?"), slug
        assert len(question["resolution_criteria"].split()) >= 25, slug
        assert question["tags"], slug
        opens, close, resolve = (question[name] for name in TIMES)
        assert opens < close < resolve, slug


def test_there_are_questions_from_every_article_of_both_types_and_in_every_state() -> None:
    assert len(BY_SLUG) == len(QUESTIONS) >= 18
    assert {question["article"] for question in QUESTIONS} == set(ARTICLES)
    choices = [question for question in QUESTIONS if question["type"] == "multiple_choice"]
    assert len(choices) >= 4
    assert any(question["ordered"] for question in choices)
    unresolved = [question for question in QUESTIONS if question["slug"] not in KNOWN_AT]
    awaiting = [q for q in unresolved if q["scheduled_close_time"] <= SHOWN_AT]
    assert len(awaiting) >= 3
    assert len(unresolved) - len(awaiting) >= 5


def test_every_outcome_has_a_source_and_a_no_its_deadline() -> None:
    assert len(OUTCOMES) == len(KNOWN_AT)
    for row in OUTCOMES:
        question, known = BY_SLUG[row["question"]], KNOWN_AT[row["question"]]
        assert question["open_time"] < known <= question["scheduled_close_time"], row
        assert row["source"].startswith(("http://", "https://", "no report of ")), row
        assert f"{known.day} {known:%B}" in row["note"], row
        assert str(known.year) in row["note"], row
        if row["outcome"] == "no" or row["source"].startswith("no report of "):
            assert known == question["scheduled_close_time"], row


def test_every_question_has_a_history_by_simulated_forecasters() -> None:
    handles = {forecaster["handle"] for forecaster in FORECASTERS}
    assert len(handles) == len(FORECASTERS)
    assert {forecast["forecaster"] for forecast in FORECASTS} == handles
    assert all(handle.endswith(LABEL) for handle in handles)
    assert len(FORECASTS) >= 60
    assert {forecast["question"] for forecast in FORECASTS} == set(BY_SLUG)
    assert sum("evidence" in forecast for forecast in FORECASTS) >= 20
    assert any(forecast.get("withdrawn") for forecast in FORECASTS)
    keys = [(f["question"], f["forecaster"], f["made_at"]) for f in FORECASTS]
    assert len(set(keys)) == len(keys)


def test_every_forecast_is_made_with_a_reason_before_the_outcome_is_known() -> None:
    for forecast in FORECASTS:
        question = BY_SLUG[forecast["question"]]
        assert question["open_time"] <= forecast["made_at"] < closes(question), forecast
        assert forecast["made_at"] < SHOWN_AT
        assert forecast["rationale"].strip()


def test_evidence_was_published_before_it_was_cited_and_its_shares_sum_to_one() -> None:
    sources = {row["source"]: KNOWN_AT[row["question"]] for row in reversed(OUTCOMES)}
    # It reports the meeting in Busan; the outcome that cites it was known at a deadline.
    busan = next(row["source"] for row in OUTCOMES if row["question"] == "tariff-145-again-2025")
    sources[busan] = KNOWN_AT["trump-xi-in-person-fall-2025"]
    for forecast in FORECASTS:
        cited = forecast.get("evidence", [])
        for item in cited:
            assert item["title"]
            assert item["note"]
            published = item.get("published_at", date.min)
            assert published <= forecast["made_at"].date(), forecast
            # A link is only to a report of an event that has happened.
            assert "url" not in item or sources[item["url"]] < forecast["made_at"], item
        shares = [item["share"] for item in cited if "share" in item]
        assert len(shares) in (0, len(cited))
        assert sum(shares) == pytest.approx(1 if shares else 0)


def test_the_tournament_is_over_and_every_name_in_it_says_that_it_is_simulated() -> None:
    settings = Tournament.from_mapping(toml("tournament.toml"))
    simulated = simulate(settings)
    assert len(simulated.questions) == settings.questions >= 200
    assert (simulated.questions["scheduled_close_time"] < datetime(2026, 11, 1, tzinfo=UTC)).all()
    assert simulated.questions["title"].str.startswith("Simulated question ").all()
    assert simulated.forecasts["forecaster"].str.endswith(LABEL).all()
    assert simulated.teams["team"].str.endswith(LABEL).all()
    faults = {(team.extremity > 1, team.responsiveness < 1) for team in settings.teams}
    assert faults == {(True, False), (False, True), (False, False)}
