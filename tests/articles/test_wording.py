"""Question wordings: plain where the sentence is, and a fallback that reads where it is not."""

from __future__ import annotations

from datetime import date

import pytest

from forecasts.articles.drafts import draft_questions
from forecasts.articles.wording import LONGEST

PUBLISHED = date(2025, 7, 22)


def question(sentence: str) -> str:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    return draft.question


WORDINGS = {
    "Beijing plans to lift the ban by the end of 2028.": (
        "Will Beijing lift the ban by 31 December 2028?"
    ),
    "The two rivals are likely to meet again.": "Will the two rivals meet again?",
    "The ministry said on Monday that the dam will be closed in March.": (
        "Will the dam be closed by 31 March 2026?"
    ),
    "In August, the Lakers will move to a new hall.": (
        "Will the Lakers move to a new hall by 31 August 2025?"
    ),
    "The mine's owners, a family from Perth, intend to sink a second shaft.": (
        "Will the mine's owners sink a second shaft?"
    ),
    "Analysts expect the sale to close in October, two people said.": (
        "Will the sale close by 31 October 2025?"
    ),
    "The government will not renew the licences, a minister said.": (
        "Will the government renew the licences?"
    ),
    "The truce expires on 10 August.": "Will the truce expire by 10 August 2025?",
    "Schools reopen on 1 September.": "Will schools reopen by 1 September 2025?",
    "The runoff is scheduled for December 14.": "Will the runoff take place by 14 December 2025?",
    "The decree will remain in force until the end of the year.": (
        "Will the decree remain in force until 31 December 2025?"
    ),
    "The court will rule next month, on August 22, on the appeal.": (
        "Will the court rule by 22 August 2025?"
    ),
    "The tariffs kick in on Friday unless a deal is struck.": (
        "Will the tariffs kick in by 25 July 2025 unless a deal is struck?"
    ),
    # what cannot stand by itself falls back
    "She said he would resign by Friday.": (
        "Will this happen by 25 July 2025: “She said he would resign by Friday”?"
    ),
    "“I will run again,” the senator said.": (
        "Will this happen: “'I will run again,' the senator said”?"
    ),
    "If the dam fails, the town will flood.": (
        "Will this happen: “If the dam fails, the town will flood”?"
    ),
    "He plans a visit this fall.": (
        "Will this happen by 30 November 2025: “He plans a visit this fall”?"
    ),
}


@pytest.mark.parametrize(("sentence", "wording"), WORDINGS.items())
def test_a_sentence_becomes_a_question(sentence: str, wording: str) -> None:
    assert question(sentence) == wording


def test_a_first_word_that_the_text_writes_small_elsewhere_loses_its_capital() -> None:
    assert question("Dredging will begin in May.") == "Will Dredging begin by 31 May 2026?"
    drafts = draft_questions(
        "Dredging will begin in May. The cost of dredging rose.", published_at=PUBLISHED
    )
    assert drafts[0].question == "Will dredging begin by 31 May 2026?"


def test_a_question_that_would_be_too_long_quotes_the_sentence_instead() -> None:
    sentence = "The port will take " + "very " * (LONGEST // 5) + "large ships."
    assert question(sentence).startswith("Will this happen: “The port will take very")
