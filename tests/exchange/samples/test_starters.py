"""Sample contents for an empty ledger: recorded now, once, and interruptible."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from forecasts.access.members import member_or_new
from forecasts.articles import library
from forecasts.common.times import utc
from forecasts.exchange.samples import starters
from forecasts.ledger import database
from forecasts.ledger.models import Member, Question, QuestionRevision
from forecasts.questions import search, sources
from forecasts.questions.search import Filter
from forecasts.questions.standing import Status
from tests.conftest import day

NOW = day(300)


def test_the_article_questions_come_with_their_articles_and_what_is_known(
    session: Session, alice: Member
) -> None:
    done = starters.article_questions(session, member=alice, now=NOW)
    assert (done.questions, done.articles, done.forecasts) == (28, 3, 0)
    assert done.resolutions > 5
    for article in library.listing(session):
        asked = sources.questions_from(session, article, now=NOW)
        assert asked
        assert all(source.quote in article.text for source, _ in asked)
    assert {utc(q.recorded_at) for q in session.exec(select(Question))} == {NOW}
    again = starters.article_questions(session, member=alice, now=NOW)
    assert set(vars(again).values()) == {0}


def test_what_was_not_known_by_then_is_not_resolved(session: Session, alice: Member) -> None:
    done = starters.article_questions(session, member=alice, now=day(-150))
    assert done.resolutions == 2  # by 4 August 2025
    assert search.page(session, Filter(status=Status.open), member=None, now=day(-150)).matching


def test_the_sample_tournament_says_everywhere_that_it_is_simulated(
    session: Session, alice: Member
) -> None:
    words: list[str] = []
    done = starters.sample_tournament(
        session,
        member=alice,
        now=NOW,
        on_progress=lambda said, share: words.append(f"{share:.1f} {said}"),
    )
    assert done.questions == done.resolutions == 300
    assert done.forecasts > 1000
    titles = session.exec(select(QuestionRevision.title)).all()
    handles = session.exec(select(Member.handle).where(Member.handle != "alice")).all()
    assert [name for name in (*titles, *handles) if "simulated" not in name.lower()] == []
    assert words[0] == "0.0 Simulating the forecasters"
    assert words == sorted(words, key=lambda line: float(line.split()[0]))


def test_what_is_ended_on_the_way_has_stored_nothing(engine: Engine) -> None:
    class Stopped(BaseException):
        pass

    def stop(words: str, _share: float) -> None:
        if words == "Scores":
            raise Stopped

    def begin() -> None:
        with database.writing(engine) as session:
            alice = member_or_new(session, "alice", now=NOW)
            starters.article_questions(session, member=alice, now=NOW, on_progress=stop)

    with pytest.raises(Stopped):
        begin()
    with database.reading(engine) as session:
        assert session.exec(select(Question)).all() == []
        assert session.exec(select(Member)).all() == []
