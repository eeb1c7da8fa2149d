"""The strength of a draft, and the outcome that its article tells."""

from __future__ import annotations

from datetime import date

import pytest

from forecasts.articles.drafts import Draft, draft_questions

PUBLISHED = date(2025, 7, 22)


def drafts_in(text: str) -> list[Draft]:
    return draft_questions(text, published_at=PUBLISHED)


@pytest.mark.parametrize(
    ("plan", "outcome"),
    [
        ("The council will vote on the bypass on Friday.", "The council voted for the bypass."),
        ("Brega will close the port by Friday.", "On Friday Brega closed the port."),
        ("The levy will be scrapped by Friday.", "The levy was scrapped this morning."),
        ("Ida Holm will take office on Friday.", "Holm took office in a quiet ceremony."),
    ],
)
def test_an_outcome_in_the_same_article_is_found(plan: str, outcome: str) -> None:
    for text in (f"{plan} {outcome}", f"{outcome} {plan}"):
        (draft,) = drafts_in(text)
        assert draft.told == outcome


def test_a_headline_may_tell_the_outcome_in_the_present_tense() -> None:
    plan = "The council will vote on the bypass on Friday."
    for headline, told in (
        ("Council votes for bypass", "Council votes for bypass"),
        ("Council votes on bypass on Friday", ""),
        ("Council to vote on bypass", ""),
    ):
        (draft,) = draft_questions(plan, published_at=PUBLISHED, title=headline)
        assert draft.told == told


def test_a_repeated_question_is_weak() -> None:
    first, second = drafts_in(
        "Brega will close its port by Friday. The mayor said Brega will close its port by Friday."
    )
    assert first.strength.value == "strong"
    assert (second.strength.value, second.reason) == ("weak", "repeats a draft above")


@pytest.mark.parametrize(
    ("plan", "other"),
    [
        ("The council will vote on the bypass on Friday.", "The council voted against the levy."),
        ("Brega will close the port by Friday.", "Last year Brega closed the port."),
        ("Brega will close the port by Friday.", "In 2019 Brega closed the port for a week."),
        ("Brega will close the port again by Friday.", "Brega closed the port on Monday."),
        ("Brega will close the port by Friday.", "Sund closed the port on Monday."),
    ],
)
def test_another_event_is_not_the_outcome(plan: str, other: str) -> None:
    (draft,) = drafts_in(f"{other} {plan}")
    assert draft.told == ""
