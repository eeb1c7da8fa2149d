"""The steps that correct captured articles, and undo."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.forms.capture_review import Captured
from forecasts.reading.article import CapturedArticle, split_points
from tests.conftest import day


def article(title: str, *paragraphs: str) -> CapturedArticle:
    return CapturedArticle(title, None, None, None, None, "\n\n".join(paragraphs))


FERRY = article("The ferry", "It is old.", "It is slow.")
QUAY = article("The quay", "It is late.", "The tunnel", "It leaks.")

STEPS = ("drop", "merge", "divide", "edit")


def of(*articles: CapturedArticle) -> Captured:
    return Captured.of(articles, day(0), 1)


def titles(captured: Captured) -> list[str]:
    return [article.title for article in captured.articles]


def test_undo_keeps_edits_made_elsewhere_meanwhile() -> None:
    dropped = of(FERRY, QUAY).dropped(0)
    undone = dropped.edited([replace(QUAY, title="The late quay")]).undone()
    assert titles(undone) == ["The ferry", "The late quay"]


def test_a_name_is_never_given_twice_so_that_no_field_shows_the_words_of_another() -> None:
    first = of(FERRY, QUAY).merged(1)
    again = first.undone().merged(1)
    assert list(first.parts) != list(again.parts)


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 9))))
def test_every_act_can_be_undone_to_the_beginning(steps: list[tuple[str, int]]) -> None:
    read = now = of(FERRY, QUAY, article("A. B.", "One.", "Two.", "Three."))
    done = 0
    for step, number in steps:
        if not now.parts:
            break
        place = number % len(now.parts)
        places = split_points(now.articles[place].text)
        if step == "drop":
            now = now.dropped(place)
        elif step == "merge" and place:
            now = now.merged(place)
        elif step == "divide" and places:
            now = now.divided(place, places[number % len(places)])
        else:
            now = now.edited(now.articles)
            continue
        done += 1
    for _ in range(done):
        now = now.undone()
    assert list(now.parts.items()) == list(read.parts.items())
    assert now.before is None
