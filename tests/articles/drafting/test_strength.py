"""The strength of a draft, and the outcome that its article tells."""

from __future__ import annotations

from datetime import date

import pytest

from forecasts.articles.drafting.drafts import Draft, draft_questions

PUBLISHED = date(2025, 7, 22)


def drafts_in(text: str) -> list[Draft]:
    return draft_questions(text, published_at=PUBLISHED)


@pytest.mark.parametrize(
    ("sentence", "strength", "reason"),
    [
        ("Brega will lift the ban by Friday.", "strong", "“will lift”, with a deadline"),
        ("Brega plans to lift the ban.", "strong", "“plans to lift”, without a deadline"),
        ("Brega may lift the ban by Friday.", "strong", "“may lift”, with a deadline"),
        ("Brega may lift the ban.", "weak", "only “may lift”, and no deadline"),
        ("The mayor said she would resign.", "weak", "only “would resign”, and no deadline"),
        ("Prices will be high.", "weak", "“will be” describes a state, without a deadline"),
        ("Such moves will hurt trade.", "weak", "“such moves” is not named"),
        ("She will resign by Friday.", "weak", "someone or something is not named"),
        ("It is the debt that will sink the firm.", "weak", "no clear subject or verb"),
        ("If they refuse, the union will strike.", "weak", "leaves out “if they refuse”"),
        ("The next meeting is on Friday.", "strong", "“on Friday”, with a deadline"),
    ],
)
def test_a_draft_says_how_strong_it_is_and_why(sentence: str, strength: str, reason: str) -> None:
    (draft,) = drafts_in(sentence)
    assert (draft.strength.value, draft.reason) == (strength, reason)


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
        "Brega will close the port. The mayor said Brega will close the port."
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
