"""Which questions an article bears on, by their words."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.matching import PAIRS, quality, rows
from forecasts.news.matching import (
    A_MONTH,
    THRESHOLD,
    Match,
    Questions,
    Text,
    Wording,
    learned_threshold,
    stems,
)

TODAY = date(2026, 3, 1)
QUAY = Wording("Will the harbour quay in Ostrava open by June 2026?", "As the mayor says.", TODAY)
RAIN = Wording("Will it rain in Lisbon by 5 March?", "", TODAY)
OPENS = Text(
    "News from the docks",
    "It is spring. The new quay in the harbour of Ostrava opens next week, the mayor said. "
    "Fish is cheap.",
)


def only(article: Text, *questions: Wording, least: float = 0.0) -> list[Match]:
    return list(Questions(questions).matches([article], least=least))


def test_a_match_has_its_sentence_and_the_shared_words() -> None:
    [found] = only(OPENS, RAIN, QUAY)
    assert found.question == 1
    assert found.score > THRESHOLD
    assert found.passage == (
        "The new quay in the harbour of Ostrava opens next week, the mayor said."
    )
    assert found.words[0] == "Ostrava"  # a name weighs most
    assert set(found.words) == {"harbour", "quay", "Ostrava", "mayor"}


def test_the_deadline_and_common_words_do_not_match() -> None:
    assert only(Text("June 2026", "Will it open by June, officials said."), QUAY, RAIN) == []


def test_a_title_counts_more_than_a_text_and_a_lead_more_than_its_rest() -> None:
    filler = "It goes on and on. " * 30
    scores = [
        only(Text(title, text), QUAY)[0].score
        for title, text in (
            ("The quay", ""),
            ("", "The quay"),
            ("", f"{filler}The quay."),
        )
    ]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3


def test_names_weigh_more_than_other_words() -> None:
    of_name, of_word = (only(Text(one, ""), QUAY)[0].score for one in ("Ostrava", "quay"))
    assert of_name > of_word


def test_a_word_of_many_questions_weighs_less() -> None:
    others = [Wording(f"Will the harbour of {name} close?", "", TODAY) for name in ("Riga", "Oslo")]
    [quay] = only(Text("Quay", ""), QUAY, *others)
    harbour, *_ = only(Text("Harbour", ""), QUAY, *others)
    assert quay.question == harbour.question == 0
    assert quay.score > harbour.score


def test_other_scripts_match() -> None:
    question = Wording("日本銀行は利上げを決めるか", "", TODAY)
    assert only(Text("日本銀行が利上げ", ""), question)[0].score > THRESHOLD
    russian = Wording("Будет ли новый мост в Самаре открыт?", "", TODAY)
    assert only(Text("Мост в Самаре откроют", ""), russian)[0].score > 0.3


def test_questions_and_articles_without_words_match_nothing() -> None:
    assert only(Text("", ""), QUAY) == []
    assert only(OPENS, Wording("Will it?", "The quay.", TODAY)) == []
    assert only(OPENS) == []
    assert list(Questions([QUAY]).matches([], least=0.0)) == []


def test_forms_of_a_word_are_one() -> None:
    for one, other in (
        ("elections", "election"),
        ("Turkey’s", "Turkey"),
        ("opened", "opening"),
    ):
        assert stems(one)[0][0] == stems(other)[0][0]


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.text(max_size=200))
def test_the_score_depends_on_the_article_and_the_questions_alone(
    titles: list[str], text: str
) -> None:
    questions = Questions([Wording(f"Will {title}?", text, TODAY) for title in titles])
    article, other = Text(titles[0], text), Text("Other news", f"{text} {text}")
    alone = list(questions.matches([article], least=0.0))
    beside = list(questions.matches([article, other], least=0.0))
    assert alone == [one for one in beside if one.article == 0]
    assert all(0 < one.score < 1 for one in alone)
    # The slow way: the same sum, word by word.
    counts: dict[str, float] = {}
    for stem, _ in stems(article.title):
        counts[stem] = counts.get(stem, 0.0) + 2
    for place, (stem, _) in enumerate(stems(article.text)):
        counts[stem] = counts.get(stem, 0.0) + (1 if place < 60 else 0.25)
    for one in alone:
        weights = questions._weights[one.question]
        ratio = sum(
            weight * counts[stem] * 2.2 / (counts[stem] + 1.2)
            for stem, weight in weights.items()
            if stem in counts
        )
        assert one.score == pytest.approx(ratio / (1 + ratio))


@given(
    st.lists(st.floats(0.3, 0.9), max_size=6),
    st.lists(st.floats(0.3, 0.9), max_size=6),
    st.floats(0.4, 0.9),
)
def test_dismissals_raise_a_threshold_and_acceptances_lower_it(
    accepted: list[float], dismissed: list[float], score: float
) -> None:
    now = learned_threshold(accepted, dismissed)
    assert learned_threshold(accepted, [*dismissed, score]) >= now - 1e-3
    assert learned_threshold([*accepted, score], dismissed) <= now + 1e-3


def test_a_threshold_needs_more_than_one_answer_a_tenth() -> None:
    assert learned_threshold([], [0.6]) == THRESHOLD
    assert learned_threshold([], [0.6, 0.6, 0.6]) == 0.601
    assert learned_threshold([0.5, 0.6], [0.6, 0.6]) == THRESHOLD


def test_labelled_pairs_are_found_in_both_halves() -> None:
    articles, questions = rows(PAIRS, "articles"), rows(PAIRS, "questions")
    for half in ("seen", "held out"):
        found = quality(articles, [row for row in questions if row["half"] == half])
        assert found.first >= 0.85
        assert found.five >= 0.85
        assert found.found >= 0.85
        assert found.most <= A_MONTH
