"""Pronouns in drafts: replaced by their noun, or by a gap."""

from __future__ import annotations

from datetime import date

import pytest

from forecasts.articles.drafts import Draft, draft_questions
from forecasts.reading.drafting.strength import Strength

PUBLISHED = date(2025, 7, 22)


def last_draft(text: str) -> Draft:
    return draft_questions(text, published_at=PUBLISHED)[-1]


@pytest.mark.parametrize(
    ("before", "sentence", "question"),
    [
        ("Ida Holm lost the vote.", "She will run again.", "Will Ida Holm run again?"),
        ("Holm lost the vote.", "She will run again.", "Will Holm run again?"),
        ("The judge heard both sides.", "He will rule.", "Will the judge rule?"),
        ("“It hurts,” said Jean Yeo, 71.", "She will appeal.", "Will Jean Yeo appeal?"),
        ("The council met on Monday.", "It will vote again.", "Will the council vote again?"),
        ("Campaigners were furious.", "They plan to appeal.", "Will campaigners appeal?"),
        (
            "Ida Holm lost the vote.",
            "Her party will meet.",
            "Will Ida Holm's party meet?",
        ),
        ("Ida Holm won. The hall was full.", "She will speak.", "Will Ida Holm speak?"),
    ],
)
def test_a_pronoun_is_read_from_the_sentences_before(
    before: str, sentence: str, question: str
) -> None:
    draft = last_draft(f"{before} {sentence}")
    assert draft.question == question
    assert draft.strength is Strength.weak
    assert "from a sentence before" in draft.reason


@pytest.mark.parametrize(
    ("before", "sentence"),
    [
        ("The council met on Monday.", "She will run again."),
        ("The doctors met on Monday.", "It will vote again."),
        ("Ida Holm lost. The hall was full. It was late. Nobody sang.", "She will run again."),
    ],
)
def test_a_pronoun_that_fits_no_noun_leaves_a_gap(before: str, sentence: str) -> None:
    draft = last_draft(f"{before} {sentence}")
    assert draft.question.startswith("Will … ")
    assert not draft.is_complete
    assert (draft.strength, draft.reason) == (
        Strength.weak,
        "someone or something is not named",
    )


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The bank will cut its dividend.", "Will the bank cut its dividend?"),
        ("The firm will sell the mill if it fails.", "Will the firm sell the mill if it fails?"),
        (
            "The law will make it easier to strike.",
            "Will the law make it easier to strike?",
        ),
        (
            "The sanctions will lapse unless members renew them.",
            "Will the sanctions lapse unless members renew them?",
        ),
        (
            "The Chinese will ask for whatever we want next.",
            "Will the Chinese ask for whatever … want next?",
        ),
        ("The mine said it would stay shut.", "Will the mine stay shut?"),
        ("The minister will publish her memoirs.", "Will the minister publish her memoirs?"),
        (
            "A conviction would end his career by May.",
            "Will a conviction end … career by 31 May 2026?",
        ),
        (
            "Parliament will decide by Friday whether to lift his immunity.",
            "Will parliament decide by 25 July 2025 whether to lift … immunity?",
        ),
        (
            "A spokesman for Sundlink said the company would appeal.",
            "Will Sundlink appeal?",
        ),
        (
            "The day after Nvidia said it would be allowed to sell the chip, shares jumped.",
            "Will Nvidia be allowed to sell the chip?",
        ),
    ],
)
def test_a_pronoun_stays_if_the_question_names_its_noun(sentence: str, question: str) -> None:
    assert last_draft(sentence).question == question
