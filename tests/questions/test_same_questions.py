"""An article's drafts against the ledger: duplicates, and drafts that are ready."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from forecasts.access.visibility import read_as
from forecasts.articles import library
from forecasts.articles.drafts import Draft, drafts_of
from forecasts.ledger.models import Article, Member, Visibility
from forecasts.questions import registry
from forecasts.questions.passages import find_passage
from forecasts.questions.same_questions import find_duplicates, ready_drafts
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
def test_another_day_or_another_subject_is_not_a_duplicate(
    session: Session, alice: Member, drafts: list[Draft]
) -> None:
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
