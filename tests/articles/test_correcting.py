"""Correcting a wrong split: articles are merged, divided and restored."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.reading.article import CapturedArticle, merge, split_at, split_points
from tests.reading.texts import COURT, FISH

NOON = datetime(2025, 7, 24, 12, tzinfo=UTC)


def article(text: str, title: str = "Quota row") -> CapturedArticle:
    return CapturedArticle(title, None, None, None, None, text)


def test_the_parts_of_a_wrong_split_become_one_article_again() -> None:
    first = article(FISH[0])
    second = CapturedArticle("What comes next", "NHK", None, NOON, None, FISH[1])
    assert merge(first, second) == CapturedArticle(
        "Quota row", "NHK", None, NOON, None, f"{FISH[0]}\n\nWhat comes next\n\n{FISH[1]}"
    )


def test_a_title_repeated_is_not_made_a_subheading() -> None:
    merged = merge(article(FISH[0]), article(FISH[1]))
    assert merged.text == f"{FISH[0]}\n\n{FISH[1]}"


def test_an_article_can_be_cut_at_a_paragraph_and_put_together_again() -> None:
    whole = article(f"{FISH[0]}\n\nCourt orders rehiring\n\n{COURT[0]}")
    first, second = split_at(whole, 1)
    assert (first.title, first.text) == ("Quota row", FISH[0])
    assert (second.title, second.text) == ("Court orders rehiring", COURT[0])
    assert merge(first, second) == whole


def test_an_article_without_a_headline_of_its_own_keeps_its_first_sentence() -> None:
    whole = article(f"{FISH[0]}\n\n{COURT[0]}")
    first, second = split_at(whole, 1)
    assert (second.title, second.text) == (COURT[0].rstrip("."), COURT[0])
    assert merge(first, second) == whole


@pytest.mark.parametrize("paragraph", [-1, 0, 2, 3])
def test_a_cut_leaves_text_on_both_sides(paragraph: int) -> None:
    whole = article(f"{FISH[0]}\n\n{FISH[1]}\n\nWhat comes next")
    with pytest.raises(ValueError, match="must be text before it"):
        split_at(whole, paragraph)


@given(
    st.lists(
        st.sampled_from([*FISH, *COURT, "What comes next", "Why?", "“Never,” she said", "A. B."]),
        min_size=1,
        max_size=8,
        unique=True,
    )
)
def test_wherever_an_article_is_divided_merging_puts_it_together_again(
    paragraphs: list[str],
) -> None:
    whole = article("\n\n".join(paragraphs))
    places = split_points(whole.text)
    assert set(places) <= set(range(1, len(paragraphs)))
    for place in places:
        first, second = split_at(whole, place)
        assert all((first.text, second.text, second.title))
        assert merge(first, second) == whole
