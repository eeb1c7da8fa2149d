"""Drafts: precision and recall on the labelled sentences, and the contents of a draft.

A draft is right if the sentence is labelled as one (loose), and if it also closes on the labelled
day (strict). On sentences that the rules were not tuned on (``held_out``), precision and recall
were 0.967 and 0.952, strictly 0.951 and 0.936; on new text of nine fields 0.938 and 0.865.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import groupby
from operator import itemgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.articles import drafts as drafting
from forecasts.articles.drafts import Draft, draft_questions
from forecasts.common.errors import BadInput
from forecasts.reading.drafting.strength import Strength
from forecasts.reading.text_quotes import locate
from tests.reading.drafting.judged import corpus

PUBLISHED = date(2025, 7, 22)

ARTICLE = """Minister to visit capital next week

The harbour board voted on Monday to dredge the channel. Dr. A. B. Lind, its chair, said work \
would begin this fall. “We will not wait for Oslo,” she said. Who will pay?

Fishermen plan to block the port on July 27 or thereabouts. They blocked it in 2019.
"""


PARTS = ("development", "held_out", "fresh", "fresh_articles", "fresh_again")


def drafts_of(row: dict[str, str]) -> list[Draft]:
    return draft_questions(row["sentence"], published_at=date.fromisoformat(row["published"]))


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_precision_and_recall_hold_on_every_part(part: str) -> None:
    rows = [(row, drafts_of(row)) for row in corpus(part)]
    right = [
        row["draft"] == "yes"
        and {str(one.close_date) for one in found} == {row["close_date"] or "None"}
        for row, found in rows
        if found
    ]
    assert sum(right) / len(right) >= 0.85
    assert sum(right) / sum(row["draft"] == "yes" for row, _ in rows) >= 0.75


@pytest.mark.slow
def test_few_drafts_have_a_gap_or_no_question() -> None:
    drafts = [draft for part in PARTS for row in corpus(part) for draft in drafts_of(row)]
    assert sum(not draft.question for draft in drafts) / len(drafts) < 0.1
    assert sum(not draft.is_complete for draft in drafts) / len(drafts) < 0.15


def test_no_two_parts_share_a_sentence_and_the_halves_hold_enough() -> None:
    sentences = [row["sentence"] for part in PARTS for row in corpus(part)]
    assert len(set(sentences)) == len(sentences)
    assert min(len(corpus(half)) for half in ("development", "held_out")) >= 100


def test_sentences_are_found_in_an_article_as_they_are_alone() -> None:
    for day, rows in groupby(corpus("fresh_articles"), key=itemgetter("published")):
        published_at = date.fromisoformat(day)
        sentences = [row["sentence"] for row in rows]
        paragraphs = [" ".join(sentences[at : at + 3]) for at in range(0, len(sentences), 3)]
        found = draft_questions("\n\n".join(paragraphs), published_at=published_at)
        alone = [d for one in sentences for d in draft_questions(one, published_at=published_at)]
        assert [(d.quote, d.close_date) for d in found] == [(d.quote, d.close_date) for d in alone]


def test_an_article_gives_its_drafts_in_order_with_their_close_dates() -> None:
    drafts = draft_questions(ARTICLE, published_at=PUBLISHED)
    assert [(draft.quote.split(",")[0], draft.close_date) for draft in drafts] == [
        ("Minister to visit capital next week", date(2025, 8, 3)),
        ("Dr. A. B. Lind", date(2025, 11, 30)),
        ("“We will not wait for Oslo", None),
        ("Fishermen plan to block the port on July 27 or thereabouts.", date(2025, 7, 27)),
    ]


@pytest.mark.parametrize(
    "dateline",
    [
        "VELM, July 22 (Coast News) - ", "Velm, 22 July 2025 (Coast News) - ",
        "VELM (Coast News) - ", "VELM/SUND, July 21 (Coast News) — ",
        "San Velm, Ostland, July 21, 2025 – ", "July 22, 2025 - ",
    ],
)  # fmt: skip
def test_a_dateline_is_part_of_no_draft(dateline: str) -> None:
    sentence = "Ostland's bank said it would publish its report by 1 August."
    text = f"{dateline}{sentence}"
    (draft,) = draft_questions(text, published_at=PUBLISHED)
    assert (draft.quote, draft.close_date) == (sentence, date(2025, 8, 1))
    assert draft.question == "Will Ostland's bank publish its report by 1 August 2025?"
    assert locate(text, draft.source) == draft.start == len(dateline)


@pytest.mark.parametrize(
    ("sentence", "close_date"),
    [
        ("Velm (VLM) - the maker of ferries - will move by 1 August.", date(2025, 8, 1)),
        ("12 August 2025 - Ostland votes on the bypass.", date(2025, 8, 12)),
        ("July 28 - 30 will be dry in Ostland.", date(2025, 7, 30)),
    ],
)
def test_an_opening_that_only_resembles_a_dateline_is_kept(sentence: str, close_date: date) -> None:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    assert (draft.quote, draft.close_date) == (sentence, close_date)


def test_a_draft_is_found_again_by_its_quote_and_its_surroundings() -> None:
    text = ARTICLE + "\nAsked again, she shrugged. “We will not wait for Oslo,” she said."
    drafts = draft_questions(text, published_at=PUBLISHED)
    assert len({draft.quote for draft in drafts}) < len(drafts)
    for draft in drafts:
        assert text[draft.start : draft.end] == draft.quote
        assert locate(text, draft.source) == draft.start


@pytest.mark.parametrize(
    "sentence",
    [
        "The treaty was expected to be signed last month, but talks collapsed.",
        "They could not have known.", "There is no political will to act.",
        "Military might impresses nobody.", "Prices rose in May.",
        "Protesters joined the march in March.", "She may be the oldest voter in the county.",
        "Will the court rule by Friday?", "Could you please send the forms by Friday?",
        "As a girl she would walk to school on Fridays.",
        "If he had paid, the bank would lend again by Friday.",
        "In 2019 he promised that he would quit within two years.",
        "The company had planned to list its shares next year.",
    ],
)  # fmt: skip
def test_a_lookalike_of_a_forward_looking_sentence_is_not_a_draft(sentence: str) -> None:
    assert draft_questions(sentence, published_at=PUBLISHED) == []


def test_the_deadline_after_the_cue_governs_and_else_the_one_before() -> None:
    def close(sentence: str) -> date | None:
        (draft,) = draft_questions(sentence, published_at=PUBLISHED)
        return draft.close_date

    assert close("By 2030, the port intends to double its traffic.") == date(2030, 12, 31)
    assert close("The port, open until Friday, will shut by 2030.") == date(2030, 12, 31)
    assert close("The two will meet next month, on August 22.") == date(2025, 8, 22)
    assert close("The ministry said on Friday it would sell the port.") is None


def test_text_without_a_full_stop_is_not_a_sentence() -> None:
    assert draft_questions("They will meet on Friday and " * 50, published_at=PUBLISHED) == []


@pytest.mark.slow
@given(st.one_of(st.text(), st.lists(st.sampled_from(ARTICLE.split(" "))).map(" ".join)))
def test_any_text_gives_drafts_that_stand_in_it(text: str) -> None:
    end = 0
    for draft in draft_questions(text, published_at=PUBLISHED):
        assert end <= draft.start < draft.end
        assert draft.quote == text[draft.start : draft.end]
        assert text[: draft.start].endswith(draft.source.prefix)
        assert text[draft.end :].startswith(draft.source.suffix)
        assert not draft.question or draft.question.startswith(("Will ", "Which ", "What ", "How "))
        assert not draft.question or draft.question.endswith("?")
        assert not re.match(r"Will (?:he|she|they|we|I|you|his|her|their|its)\b", draft.question)
        assert (draft.strength, bool(draft.reason)) != (Strength.weak, False)
        assert draft.close_date is None or draft.close_date >= PUBLISHED
        end = draft.end


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("Brega will lift the ban by August 4.", "Will Brega lift the ban by 1 March 2030?"),
        ("Brega will lift the ban.", "Will Brega lift the ban by 1 March 2030?"),
        ("Brega will lift the ban by July 4.", "Will Brega lift the ban by 1 March 2030?"),
        ("The levy doubles from 4 August.", "Will the levy double from 4 August 2025?"),
        ("The bridge will cost 3 to 5 million euros.",
         "How much will the bridge cost by 1 March 2030, in million euros?"),
    ],
)  # fmt: skip
def test_a_draft_can_be_asked_with_another_deadline(sentence: str, question: str) -> None:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    assert draft.question_by(date(2030, 3, 1)) == question


@pytest.mark.parametrize("sentence", ["She will resign.", "It will not, and that is all, be so."])
def test_a_draft_with_a_gap_or_no_question_is_not_asked(sentence: str) -> None:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    assert not draft.is_complete
    with pytest.raises(BadInput, match="no complete wording"):
        draft.question_by(date(2030, 3, 1))


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The council will vote on 12 July on the road.", "Will the council vote on the road?"),
        ("The council will vote on 12 July 2024.", "Will the council vote?"),
        ("The vote will be on 12 July.", "Will the vote be on 12 July?"),
        ("The pact of 12 July will be reviewed.", "Will the pact of 12 July be reviewed?"),
    ],
)
def test_a_day_that_is_over_closes_no_draft_and_is_not_asked_for(
    sentence: str, question: str
) -> None:
    (draft,) = draft_questions(sentence, published_at=PUBLISHED)
    assert (draft.question, draft.close_date) == (question, None)
    assert draft.quote == sentence


@pytest.mark.parametrize("verb", ["meets", "met", "approves"])
def test_a_day_that_has_just_passed_makes_no_draft_of_a_present_or_a_past(verb: str) -> None:
    assert draft_questions(f"The council {verb} on 12 July.", published_at=PUBLISHED) == []


def test_an_outcome_is_looked_for_in_the_sentences_near_a_draft(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead, told = "The council will approve the bypass.", "The council approved the bypass."
    near = [ahead, *["Rain fell."] * (drafting.NEAR - 1), told]
    assert draft_questions(" ".join(near), published_at=PUBLISHED)[0].told == told
    assert draft_questions(" ".join(reversed(near)), published_at=PUBLISHED)[0].told == told
    looked_in: list[int] = []

    def count(wording: object, sentence: str, others: list[str], headline: str) -> str:
        looked_in.append(len(others))
        return ""

    monkeypatch.setattr(drafting, "find_told", count)
    assert len(draft_questions(f"{ahead} " * 4_000, published_at=PUBLISHED)) == 4_000
    assert len(looked_in) == 4_000
    assert max(looked_in) == 2 * drafting.NEAR + 1
