"""The demonstration's data is complete, consistent, and claims only reported outcomes."""

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
# Every reported outcome, with the day on which it became known.
KNOWN_ON = {
    "north-korea-armistice-salute-2025": "2025-07-27",
    "kim-armistice-speech-2025": "2025-07-27",
    "modi-xi-meet-by-september-2025": "2025-08-31",
    "china-new-rare-earth-controls-2025": "2025-10-09",
    "trump-xi-in-person-fall-2025": "2025-10-30",
    "fentanyl-tariff-cut-month": "2025-10-30",
    "fentanyl-tariff-next-rate": "2025-10-30",
    "china-suspends-october-controls-2025": "2025-11-07",
    "nvidia-above-h20-2025": "2025-12-08",
    "trump-xi-in-china-2025": "2025-12-31",
    "tariff-145-again-2025": "2025-12-31",
    "rubio-both-posts-end-2025": "2025-12-31",
    "north-korea-nuclear-test-2025": "2025-12-31",
    "kim-trump-meet-2025": "2025-12-31",
    "trump-china-summit-period": "2026-05-13",
    "trump-in-china-by-june-2026": "2026-05-13",
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

each_question = pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q["slug"])
each_outcome = pytest.mark.parametrize("row", OUTCOMES, ids=lambda r: r["question"])


def closes(question: dict[str, Any]) -> datetime:
    scheduled: datetime = question["scheduled_close_time"]
    return min(scheduled, KNOWN_AT.get(question["slug"], scheduled))


# --- articles and questions


def test_the_page_holds_the_three_articles_with_their_publishers() -> None:
    for title, publisher in ARTICLES.items():
        assert PAGE.count(f"{title}\n") >= 2
        assert publisher in PAGE


@each_question
def test_a_question_is_complete_and_says_how_it_resolves(question: dict[str, Any]) -> None:
    for name in TEXTS:
        assert question[name].strip() == question[name].strip("\n") != "", name
    assert question["title"].endswith("?")
    assert len(question["resolution_criteria"].split()) >= 25
    assert question["tags"]
    for name in TIMES:
        assert question[name].utcoffset() is not None, name
    opens, close, resolve = (question[name] for name in TIMES)
    assert opens < close < resolve


@each_question
def test_options_belong_to_multiple_choice_and_differ(question: dict[str, Any]) -> None:
    if question["type"] == "binary":
        assert "options" not in question
    else:
        assert question["type"] == "multiple_choice"
        assert len(question["options"]) == len(set(question["options"])) >= 3
        assert isinstance(question["ordered"], bool)


@each_question
def test_a_quote_is_a_passage_of_its_own_article(question: dict[str, Any]) -> None:
    assert question["article"] in ARTICLES
    # An article's text is between its title's last appearance and the next title.
    text = PAGE.rpartition(f"{question['article']}\n")[2]
    ends = [text.find(f"\n{title}\n") for title in ARTICLES if f"\n{title}\n" in text]
    assert question["quote"] in text[: min(ends, default=len(text))]


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


# --- outcomes


def test_exactly_the_reported_outcomes_are_listed_with_the_day_they_were_known() -> None:
    assert len(OUTCOMES) == len(KNOWN_AT)
    assert {slug: at.date().isoformat() for slug, at in KNOWN_AT.items()} == KNOWN_ON


@each_outcome
def test_an_outcome_is_one_that_its_question_can_have(row: dict[str, str]) -> None:
    question = BY_SLUG[row["question"]]
    assert row["outcome"] in question.get("options", ["yes", "no"])


@each_outcome
def test_an_outcome_becomes_known_while_its_question_is_open_or_at_its_close(
    row: dict[str, str],
) -> None:
    question = BY_SLUG[row["question"]]
    known_at = KNOWN_AT[row["question"]]
    assert known_at.utcoffset() is not None
    assert question["open_time"] < known_at <= question["scheduled_close_time"]


@each_outcome
def test_an_outcome_names_its_source_and_the_day_in_its_note(row: dict[str, str]) -> None:
    assert row["source"].startswith(("http://", "https://", "no report of "))
    known = KNOWN_AT[row["question"]]
    assert f"{known.day} {known:%B}" in row["note"]
    assert str(known.year) in row["note"]


@each_outcome
def test_what_a_deadline_settled_is_known_at_the_deadline(row: dict[str, str]) -> None:
    if row["outcome"] == "no" or row["source"].startswith("no report of "):
        assert KNOWN_AT[row["question"]] == BY_SLUG[row["question"]]["scheduled_close_time"]


# --- forecasts


def test_every_forecaster_is_labelled_as_simulated() -> None:
    handles = {forecaster["handle"] for forecaster in FORECASTERS}
    assert len(handles) == len(FORECASTERS)
    assert {forecast["forecaster"] for forecast in FORECASTS} == handles
    assert all(handle.endswith(LABEL) for handle in handles)


def test_every_question_has_a_history_and_some_updates_cite_evidence() -> None:
    assert len(FORECASTS) >= 60
    assert {forecast["question"] for forecast in FORECASTS} == set(BY_SLUG)
    assert sum("evidence" in forecast for forecast in FORECASTS) >= 20
    assert any(forecast.get("withdrawn") for forecast in FORECASTS)


def test_every_forecast_is_made_while_its_question_is_open_and_before_the_outcome_is_known() -> (
    None
):
    for forecast in FORECASTS:
        question = BY_SLUG[forecast["question"]]
        assert question["open_time"] <= forecast["made_at"] < closes(question), forecast
        assert forecast["made_at"] < SHOWN_AT


def test_every_forecast_is_a_probability_a_vector_or_a_withdrawal() -> None:
    for forecast in FORECASTS:
        question = BY_SLUG[forecast["question"]]
        given = [name for name in ("probability", "probabilities", "withdrawn") if name in forecast]
        assert len(given) == 1, forecast
        if given == ["probability"]:
            assert question["type"] == "binary"
            assert 0 <= forecast["probability"] <= 1
        elif given == ["probabilities"]:
            assert len(forecast["probabilities"]) == len(question["options"])
            assert all(0 <= p <= 1 for p in forecast["probabilities"])
            assert sum(forecast["probabilities"]) == pytest.approx(1, abs=1e-9)
        assert forecast["rationale"].strip()


def test_a_withdrawal_follows_a_forecast_of_the_same_person() -> None:
    for forecast in FORECASTS:
        if forecast.get("withdrawn"):
            assert any(
                other["question"] == forecast["question"]
                and other["forecaster"] == forecast["forecaster"]
                and other["made_at"] < forecast["made_at"]
                for other in FORECASTS
            )


def test_no_two_forecasts_of_one_person_on_a_question_share_a_moment() -> None:
    keys = [(f["question"], f["forecaster"], f["made_at"]) for f in FORECASTS]
    assert len(set(keys)) == len(keys)


def test_evidence_was_published_before_it_was_cited_and_its_shares_do_not_exceed_one() -> None:
    for forecast in FORECASTS:
        cited = forecast.get("evidence", [])
        for item in cited:
            assert item["kind"] in ("news", "data", "base_rate", "expert", "model", "other")
            assert item["stance"] in ("supports", "opposes", "context")
            assert item["title"]
            assert item["note"]
            published = item.get("published_at", date.min)
            assert published <= forecast["made_at"].date(), forecast
        shares = [item["share"] for item in cited if "share" in item]
        assert len(shares) in (0, len(cited))
        assert sum(shares) == pytest.approx(1 if shares else 0)


def test_evidence_links_only_to_reports_of_what_had_already_happened() -> None:
    sources = {row["source"]: KNOWN_AT[row["question"]] for row in reversed(OUTCOMES)}
    # It reports the meeting in Busan; the outcome that cites it was known at a deadline.
    busan = next(row["source"] for row in OUTCOMES if row["question"] == "tariff-145-again-2025")
    sources[busan] = KNOWN_AT["trump-xi-in-person-fall-2025"]
    for forecast in FORECASTS:
        for item in forecast.get("evidence", []):
            if "url" in item:
                assert sources[item["url"]] < forecast["made_at"], item["url"]


# --- the tournament


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
