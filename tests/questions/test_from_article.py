"""Questions from an article's drafts: duplicates, and several registered in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlmodel import Session, select

from forecasts.access.visibility import read_as
from forecasts.articles import library
from forecasts.articles.article import CapturedArticle
from forecasts.articles.drafting.drafts import Draft, drafts_of
from forecasts.common.errors import Refused
from forecasts.ledger.models import Article, Member, Question, QuestionSource, Visibility
from forecasts.questions import registry
from forecasts.questions.from_article import Chosen, find_duplicates, ready_drafts, register_all
from tests.conftest import ask, day

TEXT = """Sundlink will open the Brega tunnel by 31 March 2026, its chief executive said.

The city council will vote on the ferry subsidy by 27 February 2026. Brega plans to sell \
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


def chosen(draft: Draft) -> Chosen:
    assert draft.close_date is not None
    text = registry.question_text(
        title=draft.question,
        open_time=day(0),
        scheduled_close_time=end_of(draft.close_date),
        **draft.type_fields,
    )
    return Chosen(text, draft.source)


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
    ask(
        session,
        alice,
        title=drafts[0].question,
        scheduled_close_time=end_of(date(2026, 3, 31)),
        visibility=Visibility.author,
    )
    read_as(session, bob, now=day(1))
    assert find_duplicates(session, drafts, now=day(1))[0] is None


def test_several_drafts_are_registered_with_their_passages(
    session: Session, alice: Member, article: Article, drafts: list[Draft]
) -> None:
    entries = [chosen(draft) for draft in drafts[:2]]
    made = register_all(session, article.id, entries, member=alice, now=day(1))
    quotes = session.exec(select(QuestionSource.question_id, QuestionSource.quote)).all()
    assert sorted(quotes) == sorted(
        (question.id, draft.quote) for question, draft in zip(made, drafts, strict=False)
    )


def test_one_that_is_refused_is_named_and_none_is_registered(
    session: Session, alice: Member, article: Article, drafts: list[Draft]
) -> None:
    first = chosen(drafts[0])
    over = replace(
        chosen(drafts[1]),
        text=first.text.model_copy(
            update={
                "title": "Will it rain today?",
                "scheduled_close_time": day(1) - timedelta(hours=1),
            }
        ),
    )
    nested = session.begin_nested()
    with pytest.raises(Refused, match=r"Will it rain today\?: The scheduled close"):
        register_all(session, article.id, [first, over], member=alice, now=day(1))
    nested.rollback()
    assert session.exec(select(Question)).all() == []


def test_a_draft_is_ready_until_it_has_a_question_or_its_deadline_passes(
    session: Session, alice: Member, article: Article, drafts: list[Draft]
) -> None:
    assert ready_drafts(session, article, now=day(1)) == [1, 2]
    register_all(session, article.id, [chosen(drafts[0])], member=alice, now=day(1))
    assert ready_drafts(session, article, now=day(1)) == [2]
    assert ready_drafts(session, article, now=day(80)) == []
