"""Duplicates of an article's drafts, drafts that are ready, and titles that may ask the same."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from sqlmodel import Session

from forecasts.access.visibility import read_as
from forecasts.articles import library
from forecasts.articles.drafts import Draft, drafts_of
from forecasts.ledger.models import Article, Member, Visibility
from forecasts.questions import registry
from forecasts.questions.likeness import Title, alike
from forecasts.questions.passages import find_passage
from forecasts.questions.same_questions import find_duplicates, likely_same_in, ready_drafts
from forecasts.reading.article import CapturedArticle
from tests.conftest import ask, day, on_both

TEXT = """Sundlink will open the Brega tunnel by 31 March 2026, its chief executive said.

Brega's city council will vote on the ferry subsidy by 27 February 2026. Brega plans to sell \
its ferries."""


@pytest.fixture
def article(session: Session, alice: Member) -> Article:
    captured = CapturedArticle("A tunnel", None, None, day(0), None, TEXT)
    [(stored, _)] = library.store(session, [captured], member=alice, captured_at=day(0))
    return stored


@pytest.fixture
def drafts(article: Article) -> list[Draft]:
    found = drafts_of(article)
    assert [draft.close_date for draft in found] == [date(2026, 3, 31), date(2026, 2, 27), None]
    return found


def end_of(day_: date) -> datetime:
    return datetime.combine(day_, time(23, 59, 59), UTC)


@pytest.mark.parametrize(
    "title",
    [
        "Will the Brega tunnel be opened by Sundlink before April 2026?",
        "Will Sundlink open the Brega tunnel by 31 March 2026?",
    ],
)
def test_a_draft_doubles_a_question_with_its_subject_and_last_day(
    session: Session, alice: Member, drafts: list[Draft], title: str
) -> None:
    ask(session, alice, title=title, slug="tunnel", scheduled_close_time=end_of(date(2026, 3, 31)))
    found = find_duplicates(session, drafts, now=day(1))
    assert [state and state.slug for state in found] == ["tunnel", None, None]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
def test_the_last_day_is_that_of_the_zone_in_which_it_was_asked(
    session: Session, alice: Member, drafts: list[Draft], zone: str
) -> None:
    title = "Will Sundlink open the Brega tunnel by 31 March 2026?"
    for slug, last in (("tunnel", date(2026, 3, 31)), ("before", date(2026, 3, 30))):
        close = datetime.combine(last, time(23, 59, 59), ZoneInfo(zone))
        ask(session, alice, title=title, slug=slug, scheduled_close_time=close)
    found = find_duplicates(session, drafts, now=day(1))
    assert [state and state.slug for state in found] == ["tunnel", None, None]


@on_both
def test_other_days_make_no_duplicate(session: Session, alice: Member, drafts: list[Draft]) -> None:
    same_title = "Will Sundlink open the Brega tunnel?"
    ask(session, alice, title=same_title, scheduled_close_time=end_of(date(2026, 4, 1)))
    other = "Will Sundlink appoint a new chair?"
    ask(session, alice, title=other, scheduled_close_time=end_of(date(2026, 3, 31)))
    assert find_duplicates(session, drafts, now=day(1)) == [None, None, None]


def test_a_question_that_the_reader_may_not_see_is_not_named(
    session: Session, alice: Member, bob: Member, drafts: list[Draft]
) -> None:
    own = {"scheduled_close_time": end_of(date(2026, 3, 31)), "visibility": Visibility.author}
    ask(session, alice, title=drafts[0].question, **own)
    read_as(session, bob, now=day(1))
    assert find_duplicates(session, drafts, now=day(1))[0] is None


def test_a_draft_is_ready_until_it_has_a_question_or_its_deadline_passes(
    session: Session, alice: Member, article: Article, drafts: list[Draft]
) -> None:
    assert ready_drafts(session, article, now=day(1)) == [1, 2]
    source = find_passage(session, article.id, drafts[0].source)
    text = registry.question_text(
        title="Will it open?", open_time=day(0), scheduled_close_time=day(9)
    )
    registry.register(session, text, member=alice, now=day(1), sources=[source])
    assert ready_drafts(session, article, now=day(1)) == [2]
    assert ready_drafts(session, article, now=day(80)) == []


def test_of_two_drafts_with_one_subject_the_first_is_ready(session: Session, alice: Member) -> None:
    text = (
        "Sundlink will open the Brega tunnel by 31 March 2026. The tunnel in Brega is due to be "
        "opened by Sundlink on 31 March 2026."
    )
    captured = CapturedArticle("Brega", None, None, day(0), None, text)
    [(article, _)] = library.store(session, [captured], member=alice, captured_at=day(0))
    assert len(drafts_of(article)) == 2
    assert ready_drafts(session, article, now=day(1)) == [1]


# Pairs made by hand, asked on 1 October 2026: the same question in two platforms' words, and near
# misses.
PAIRS = Path(__file__).parent / "title_pairs.csv"
ASKED = date(2026, 10, 1)


def test_most_of_the_same_questions_are_alike_and_no_near_miss_is() -> None:
    rows = list(csv.DictReader(PAIRS.read_text(encoding="utf-8").splitlines()))
    ones, others = ([Title(row[side], ASKED) for row in rows] for side in ("one", "other"))
    found = {one for one, other, _ in alike(ones, others) if one == other}
    same = {place for place, row in enumerate(rows) if row["same"] == "yes"}
    assert (len(rows), len(same)) == (60, 30)
    assert found <= same
    assert len(found) >= 25


def test_another_number_makes_another_question() -> None:
    for one, other, may_equal in (
        ("Will it exceed 5%?", "Will it exceed 5.5%?", False),
        ("Will it exceed 5,000?", "Will it exceed 50,000?", False),
        ("Will it win in Q3 2026?", "Will it win in Q4 2026?", False),
        ("Will two ports open?", "Will 3 ports open?", False),
        ("Will GPT-6 be released?", "Will GPT-6.5 be released?", False),
        ("Will the 2026 cup be held?", "Will the cup be held?", False),
        ("Will it exceed $150k?", "Will it exceed $150,000?", True),
        ("Will it exceed 1.5 million?", "Will it exceed 1,500,000?", True),
        ("Will two ports open?", "Will 2 ports open?", True),
        ("Will the port open in 2026?", "Will the port open before January 1, 2027?", True),
    ):
        assert Title(one, ASKED).may_equal(Title(other, ASKED)) is may_equal, (one, other)


def test_only_titles_with_words_and_within_the_range_are_compared() -> None:
    ones, others = ([Title(text, ASKED) for text in texts] for texts in (["", "?"], ["", "Will"]))
    assert list(alike(ones, others)) == []
    titles = [Title(f"Will the {name} quay open?", ASKED) for name in ("", "old", "old", "")]
    within = np.array([[0, 2], [0, 2], [2, 4], [2, 4]])
    found = [(one, other) for one, other, _ in alike(titles, titles, within)]
    assert set(found) == {*product((0, 1), (0, 1)), *product((2, 3), (2, 3))}


def test_a_folder_has_likely_pairs_until_families_decide() -> None:
    def pairs(*rows: tuple[str, str, int]) -> frozenset[tuple[str, str]]:
        frame = pd.DataFrame(rows, columns=["title", "family", "hour"])
        ids = [f"q{number}" for number in frame.index]
        opens, first = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
        closes = [first + timedelta(hours=hour) for hour in frame["hour"]]
        return likely_same_in(
            frame.assign(
                question_id=ids, type="binary", open_time=opens, scheduled_close_time=closes
            )
        )

    title = "Will Sundlink open the Brega tunnel?"
    later = "Will Sundlink open the Brega tunnel in 2026?"
    assert pairs((title, "", 0), (title, "tunnel", 12)) == {("q0", "q1")}
    assert pairs((title, "", 30), (title, "", 0), (title, "", 60)) == frozenset()
    assert pairs((title, "one", 0), (title, "two", 0), (later, "one", 0)) == frozenset()
    assert pairs(("", "", 0), ("", "", 0)) == frozenset()
