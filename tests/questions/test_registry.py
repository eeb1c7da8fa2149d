"""The registry: validate, register and find questions; their slugs."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from forecasts.common.errors import BadInput, NotFound, Refused
from forecasts.ledger.models import Member, Question
from forecasts.questions import registry, revisions, standing
from forecasts.questions.standing import Status
from forecasts.scores import stored_scores
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, counted_statements, day, on_both, resolve


def test_a_slug_is_of_the_title_with_a_number_if_taken(session: Session, alice: Member) -> None:
    titles = ["Will Müller & Söhne merge?", "Will Müller & Söhne merge?", "会談は開かれるか"]
    slugs = [
        ask(session, alice, title=title, scheduled_close_time=day(10 + number)).slug
        for number, title in enumerate(titles)
    ]
    assert slugs == ["will-muller-sohne-merge", "will-muller-sohne-merge-2", "question-1"]


def test_a_slug_is_made_of_whole_words(session: Session, alice: Member) -> None:
    for title, slug in (
        ("Will the council of Brenholt replace its old ferry by a bridge in 2026?",
         "will-the-council-of-brenholt-replace-its-old-ferry-by-a"),
        ("Will the Fed’s rate fall?", "will-the-feds-rate-fall"),
        ("Wird Łódź’ Straße größer als Ærø?", "wird-lodz-strasse-grosser-als-aero"),
        ("5G by 2030?", "5g-by-2030"), ("x" * 70, "x" * 60), ("2026 会談", "question-1"),
        ("?!", "question-2"),
    ):  # fmt: skip
        assert ask(session, alice, title=title).slug == slug


@given(titles=st.lists(st.text(min_size=1).filter(lambda t: t.strip() != ""), max_size=6))
def test_slugs_are_free_short_and_can_be_typed(titles: list[str]) -> None:
    taken: list[str] = []
    for title in titles:
        slug = registry.free_slug(title, taken)
        assert slug not in taken
        assert registry.is_slug(slug)
        assert len(slug) <= registry.LONGEST_SLUG + 2
        taken.append(slug)


@on_both
def test_a_taken_or_malformed_slug_is_refused(session: Session, alice: Member) -> None:
    ask(session, alice, slug="rain")
    with pytest.raises(Refused, match="already a question 'rain'"):
        ask(session, alice, slug="rain")
    for slug in ("../x y", ""):
        with pytest.raises(BadInput, match="is not an ID"):
            ask(session, alice, slug=slug)
    with pytest.raises(BadInput, match="would be confused with the number of a question"):
        ask(session, alice, slug="12")


def test_a_question_with_a_past_close_is_not_registered(session: Session, alice: Member) -> None:
    text = registry.question_text(title="?", open_time=day(0), scheduled_close_time=day(1))
    with pytest.raises(Refused, match="already passed"):
        registry.register(session, text, member=alice, now=day(2))


TOO_CLOSE = (
    "the bounds are too close together for the numbers between them to differ. Ask for the number "
    "in another unit, or for its difference from a usual one."
)


def test_a_malformed_question_is_refused_by_rule() -> None:
    for fields, rule in (
        ({"title": "  "}, "The question has no title."),
        ({"title": "", "type": "essay"}, "The question has no title. The type 'essay' is invalid: "
         "it should be 'binary', 'multiple_choice', 'numeric' or 'date'."),
        ({"scheduled_close_time": None}, "The question has no scheduled close time."),
        ({"scheduled_close_time": day(-1)}, "The scheduled close, 2025-12-31T00:00:00Z, must come "
         "after the open time, 2026-01-01T00:00:00Z."),
        ({"open_time": datetime(2026, 1, 1)}, "offset or Z"),  # noqa: DTZ001
        ({"open_time": "0001-01-01T00:00:00+14:00"}, "is not a time in the years 1 to 9999"),
        ({"type": "multiple_choice"}, "at least two options"),
        ({"type": "multiple_choice", "options": ["a", "b", "a"]}, "Options must differ; 'a' is "
         "there twice."),
        ({"type": "multiple_choice", "options": ["a", " b"]}, "begin or end with a space"),
        ({"type": "multiple_choice", "options": ["a", "Annulled"]}, "outcomes of every question"),
        ({"options": ["a", "b"]}, "multiple_choice questions only"),
        ({"lower_bound": "1"}, "numeric and date questions only"),
        ({"type": "numeric"}, "needs a lower and an upper bound"),
        ({"type": "numeric", "lower_bound": "a", "upper_bound": "9"}, "are numbers"),
        ({"type": "date", "lower_bound": "1", "upper_bound": "2027-01-01"}, "are dates"),
        ({"type": "numeric", "lower_bound": "10", "upper_bound": "5"}, "The lower bound '10' must "
         "be below the upper bound '5'."),
        ({"type": "numeric", "lower_bound": "-1e308", "upper_bound": "1e308"}, "The bounds "
         "'-1e308' and '1e308' cannot be scored: bounds must lie within ±1e+100."),
        ({"type": "numeric", "lower_bound": "1e16", "upper_bound": "10000000000000002"}, TOO_CLOSE),
        ({"resolution_criteria": "Rain. " * 60_000}, "The text of the resolution criteria has "
         "0.4 MB; at most 0.3 MB are read. Keep the rules that decide, and link to the rest."),
        # A title is on every page of everyone who sees the question.
        ({"title": "Will it rain? " * 70_000}, "The title 'Will it rain? Will it rain? Will it "
         "rain…' has 1 MB; at most 2,000 bytes are read. Give a shorter one."),
    ):  # fmt: skip
        given = {"title": "Q?", "open_time": day(0), "scheduled_close_time": day(9)} | fields
        with pytest.raises(BadInput) as caught:
            registry.question_text(**given)
        assert rule in str(caught.value)
        assert caught.value.problems == ()  # the sentence says it all, and says it once


def test_status_follows_from_times_and_resolutions(session: Session, alice: Member) -> None:
    question = ask(session, alice, open_time=day(1))
    at = {0.5: Status.upcoming, 1: Status.open, 9.99: Status.open, 10: Status.awaiting}
    for number, status in at.items():
        state = standing.current_state(session, question, now=day(number))
        assert state.status == status


def test_an_option_added_later_is_scored_from_the_last(session: Session, alice: Member) -> None:
    question = ask(session, alice, type="multiple_choice", options=["a", "Other"])
    updates.update(session, question, Value(probabilities=(0.6, 0.4)), member=alice, now=day(0))
    revisions.revise(
        session, question, member=alice, now=day(1), reason="more", options=["a", "b", "Other"]
    )
    assert ledger_frames(session).forecasts["probabilities"].tolist() == [[0.6, None, 0.4]]
    resolution = resolve(session, question, alice, "b", 10, at=10)
    stored = stored_scores.resolution_scores(session, resolution)
    scored = {score.protocol: score.score for score, _ in stored}
    assert scored["brier"] == pytest.approx(0.36)  # as if "Other" had been right


def test_an_unknown_slug_suggests_the_nearest(session: Session, question: Question) -> None:
    with pytest.raises(NotFound, match="Did you mean rain"):
        registry.find(session, "rian")


@pytest.mark.slow
def test_the_list_takes_two_statements(session: Session, alice: Member) -> None:
    for number in range(20):
        ask(session, alice, title=f"Question {number}?")
    with counted_statements(session.get_bind()) as statements:
        assert len(standing.listing(session, now=day(1))) == 20
    assert len(statements) == 2


@on_both
def test_a_list_may_name_more_than_a_statement_takes(session: Session, alice: Member) -> None:
    for number in range(5):
        ask(session, alice, slug=f"q{number}", scheduled_close_time=day(9 - number))
    only = ["q4", "q0", "q2", "q0", "q1", *(f"gone-{number}" for number in range(66_000))]
    found = standing.listing(session, now=day(1), only=only)
    assert [state.slug for state in found] == ["q4", "q2", "q1", "q0"]


@on_both
def test_a_question_is_registered_once_in_any_spelling(session: Session, alice: Member) -> None:
    ask(session, alice, slug="rain", title="Will it rain?")
    with pytest.raises(Refused, match=r"already registered as 'rain'.*2026-01-11 00:00 UTC"):
        ask(session, alice, title="WILL  it rain?")
    ask(session, alice, title="Will it rain hard?")
    ask(session, alice, title="Will it rain?", scheduled_close_time=day(11))


def test_an_annulled_or_reworded_title_can_be_used_again(session: Session, alice: Member) -> None:
    first = ask(session, alice, title="Will it rain?")
    resolve(session, first, alice, "annulled", at=0)
    second = ask(session, alice, title="Will it rain?")
    revisions.revise(session, second, member=alice, now=day(1), title="Will it snow?")
    assert ask(session, alice, title="Will it rain?").slug == "will-it-rain-3"
