"""The strength of a draft, and the outcome that its article tells."""

from __future__ import annotations

from datetime import date

import pytest

from forecasts.articles.drafts import Draft, draft_questions

PUBLISHED = date(2025, 7, 22)


def drafts_in(text: str) -> list[Draft]:
    return draft_questions(text, published_at=PUBLISHED)


@pytest.mark.parametrize(
    ("sentence", "strength", "reason"),
    [
        ("Brega will lift its ban by Friday.", "strong", "“will lift”, with a deadline"),
        ("Brega plans to lift the tax.", "weak", "“plans to lift” gives no deadline"),
        ("Brega may lift its ban by Friday.", "strong", "“may lift”, with a deadline"),
        ("Brega may lift its ban.", "weak", "“may lift” gives no deadline"),
        ("The mayor said she would resign.", "weak", "“would resign” gives no deadline"),
        ("Brega will lift the ban by Friday.", "weak", "“the ban” could be any"),
        ("The mayor will leave Brega by Friday.", "weak", "“the mayor” could be any"),
        ("Brega's mayor will leave by Friday.", "strong", "“will leave”, with a deadline"),
        ("Prices will be higher by Friday.", "weak", "no person, place or body is named"),
        ("Such moves will hurt trade.", "weak", "“such moves” is not named"),
        ("She will resign by Friday.", "weak", "someone or something is not named"),
        ("It is the debt that will sink the firm.", "weak", "no clear subject or verb"),
        ("If they refuse, the union will strike.", "weak", "leaves out “if they refuse”"),
        ("Brega's next meeting is on Friday.", "strong", "“on Friday”, with a deadline"),
        # A court and the like is a named body, if the question names its matter.
        (
            "A court is due to rule on the appeal of three banks by Friday.",
            "strong",
            "“is due to rule”, with a deadline",
        ),
        ("The council will ban diesel cars by Friday.", "strong", "“will ban”, with a deadline"),
        ("Parliament could lift its ban by Friday.", "strong", "“could lift”, with a deadline"),
        ("The court will rule on the appeal by Friday.", "weak", "“the appeal” could be any"),
        ("The court will rule by Friday.", "weak", "no person, place or body is named"),
        ("Parliament elects a chair on Friday.", "weak", "no person, place or body is named"),
        (
            "Seats in parliament will be fewer by Friday.",
            "weak",
            "no person, place or body is named",
        ),
        ("The court could allow three appeals.", "weak", "“could allow” gives no deadline"),
        (
            "The tennis court will be closed for repairs by Friday.",
            "weak",
            "no person, place or body is named",
        ),
    ],
)
def test_a_draft_says_how_strong_it_is_and_why(sentence: str, strength: str, reason: str) -> None:
    (draft,) = drafts_in(sentence)
    assert (draft.strength.value, draft.reason) == (strength, reason)


@pytest.mark.parametrize(
    ("before", "sentence", "question"),
    [
        ("The council of Brega met.", "The council will vote by Friday.",
         "Will the council of Brega vote by 25 July 2025?"),
        ("The talks between Iran and Oman ended.", "The talks will resume by Friday.",
         "Will the talks between Iran and Oman resume by 25 July 2025?"),
        ("It was in May. Brega's port closed.", "The port will reopen by Friday.",
         "Will Brega's port reopen by 25 July 2025?"),
        ("The council met in May.", "The council will vote by Friday.",
         "Will the council vote by 25 July 2025?"),
    ],
)  # fmt: skip
def test_a_noun_that_a_sentence_before_has_in_full_is_in_full(
    before: str, sentence: str, question: str
) -> None:
    *_, draft = drafts_in(f"{before} {sentence}")
    assert draft.question == question
    assert (draft.strength.value == "strong") == ("Brega" in question or "Iran" in question)


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
