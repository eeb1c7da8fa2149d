"""Question wordings: clear for clear sentences, and none for others."""

from __future__ import annotations

from datetime import date

import pytest

from forecasts.articles.drafts import draft_questions
from forecasts.ledger.models import QuestionType
from forecasts.reading.drafting.question_wording import MAX_LENGTH
from tests.reading.drafting.judged import corpus

PUBLISHED = date(2025, 7, 22)


def question(text: str) -> str:
    """Return the question of the last draft of a text."""
    return draft_questions(text, published_at=PUBLISHED)[-1].question


@pytest.mark.parametrize("row", corpus("wordings"), ids=lambda row: row["sentence"])
def test_a_sentence_becomes_a_question_of_its_kind_and_strength(row: dict[str, str]) -> None:
    draft = draft_questions(row["sentence"], published_at=PUBLISHED)[-1]
    asked = ", ".join(draft.options)
    if draft.kind is QuestionType.numeric:
        asked = f"{draft.lower_bound} to {draft.upper_bound} {draft.unit}"
    assert (draft.question, asked) == (row["question"], row["asked"])
    assert row["strength"] in ("", f"{draft.strength}: {draft.reason}")
    assert draft.is_complete == (draft.question != "" and "…" not in draft.question)


def test_a_first_word_that_the_text_writes_small_elsewhere_loses_its_capital() -> None:
    assert question("Silage will arrive in May.") == "Will Silage arrive by 31 May 2026?"
    drafts = draft_questions(
        "Silage will arrive in May. The cost of silage rose.", published_at=PUBLISHED
    )
    assert drafts[0].question == "Will silage arrive by 31 May 2026?"


def test_a_question_that_would_be_too_long_is_left_to_the_user() -> None:
    assert question("The port will take " + "very " * (MAX_LENGTH // 5) + "large ships.") == ""
