"""Acts that happen at the same moment: each is carried out or refused as if it had come alone.

Every test lets several act at once, each on a connection of its own, and on both databases.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from threading import Barrier
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from forecasts.access.members import member_named, member_or_new
from forecasts.access.memberships import join, team_or_new
from forecasts.articles import library
from forecasts.common.errors import DatabaseError, LedgerError, Refused
from forecasts.importing.frames import import_frames
from forecasts.ledger import database
from forecasts.ledger.models import (
    Article,
    Evidence,
    Forecast,
    Member,
    Membership,
    Question,
    QuestionRevision,
    Resolution,
    Team,
)
from forecasts.questions import registry, revisions, standing
from forecasts.reading.article import CapturedArticle
from forecasts.resolution import confirmation, proposals
from forecasts.scores.ledger_frames import ledger_frames, revision
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, day

pytestmark = pytest.mark.slow

T = TypeVar("T")
MANY = 4
QUAY = CapturedArticle(
    title="The quay",
    publisher="The Port Gazette",
    author=None,
    published_at=day(-1),
    url="https://example.org/quay",
    text="The quay will open by 20 January 2026.\n\nNobody objected.",
)


def at_once(engine: Engine, act: Callable[[Session, int], T]) -> list[T | LedgerError]:
    """Let ``act`` be done by several at one moment; return what each came to, in their order."""
    together = Barrier(MANY)

    def one(number: int) -> T | LedgerError:
        together.wait(timeout=30)
        try:
            with database.writing(engine) as session:
                return act(session, number)
        except LedgerError as error:
            return error

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(one, range(MANY)))


def on_rain(
    engine: Engine, act: Callable[[Session, Question, Member, int], T]
) -> list[T | LedgerError]:
    """Let alice act on her question several times at one moment."""

    def one(session: Session, number: int) -> T:
        question, alice = registry.find(session, "rain"), member_named(session, "alice")
        return act(session, question, alice, number)

    return at_once(engine, one)


def refused(came_to: list[Any]) -> list[Refused]:
    """Return the refusals among what they came to, of which there is no other error."""
    errors = [one for one in came_to if isinstance(one, Exception)]
    assert all(type(error) is Refused for error in errors), errors
    return errors


def count(engine: Engine, table: type[Any]) -> int:
    with database.reading(engine) as session:
        return session.exec(select(func.count(table.id))).one()


@pytest.fixture
def rain(engine: Engine) -> None:
    """A question with a standing forecast of alice's."""
    with database.writing(engine) as session:
        alice = member_or_new(session, "alice", now=day(0))
        question = ask(session, alice, slug="rain")
        updates.update(session, question, Value(probability=0.5), member=alice, now=day(1))


def test_a_new_member_is_written_once_and_everyone_gets_it(engine: Engine) -> None:
    ids = at_once(engine, lambda session, _: member_or_new(session, "carol", now=day(0)).id)
    assert ids == [1] * MANY
    assert count(engine, Member) == 1


def test_a_new_article_is_stored_once_and_everyone_gets_it(engine: Engine) -> None:
    def capture(session: Session, number: int) -> tuple[int | None, bool]:
        member = member_or_new(session, f"member {number}", now=day(0))
        [(article, new)] = library.store(session, [QUAY], member=member, captured_at=day(0))
        return article.id, new

    came_to = at_once(engine, capture)
    assert sorted(came_to) == [(1, False)] * (MANY - 1) + [(1, True)]
    assert count(engine, Article) == 1
    assert count(engine, Member) == MANY


def test_an_article_is_one_by_its_address_despite_other_words(engine: Engine) -> None:
    def capture(session: Session, number: int) -> int | None:
        member = member_or_new(session, "alice", now=day(0))
        seen = replace(QUAY, text=f"{QUAY.text}\n\nComment {number}")
        [(article, _)] = library.store(session, [seen], member=member, captured_at=day(0))
        return article.id

    assert at_once(engine, capture) == [1] * MANY
    assert count(engine, Article) == 1


def test_a_stay_in_a_team_begins_once(engine: Engine) -> None:
    def enter(session: Session, _: int) -> int | None:
        team = team_or_new(session, "Alder", now=day(0))
        return join(session, team, member_or_new(session, "alice", now=day(0))).id

    assert at_once(engine, enter) == [1] * MANY
    assert [count(engine, table) for table in (Team, Membership)] == [1, 1]


def test_a_slug_is_given_once_and_titles_find_free_ones(engine: Engine) -> None:
    def register(session: Session, number: int) -> str:
        alice = member_or_new(session, "alice", now=day(0))
        slug = "rain" if number % 2 else None
        return ask(session, alice, slug=slug, scheduled_close_time=day(10 + number)).slug

    came_to = at_once(engine, register)
    assert len(refused(came_to)) == MANY // 2 - 1
    slugs = [slug for slug in came_to if isinstance(slug, str)]
    assert len(set(slugs)) == len(slugs) == MANY // 2 + 1
    assert count(engine, Question) == len(slugs)


def test_evidence_that_several_cite_at_once_is_one(engine: Engine, rain: None) -> None:
    cited = [CitedEvidence(url="https://example.org/quay")]

    def update(session: Session, question: Question, _: Member, number: int) -> None:
        member = member_or_new(session, f"member {number}", now=day(2))
        value = Value(probability=number / 10)
        updates.update(session, question, value, member=member, now=day(2), evidence=cited)

    assert on_rain(engine, update) == [None] * MANY
    assert [count(engine, table) for table in (Forecast, Evidence)] == [MANY + 1, 1]


def test_a_forecast_is_withdrawn_once(engine: Engine, rain: None) -> None:
    def withdraw(session: Session, question: Question, alice: Member, _: int) -> int | None:
        return updates.withdraw(session, question, member=alice, now=day(2)).forecast.id

    assert len(refused(on_rain(engine, withdraw))) == MANY - 1
    assert count(engine, Forecast) == 2


def test_an_outcome_is_proposed_once(engine: Engine, rain: None) -> None:
    def propose(session: Session, question: Question, *_: object) -> int | None:
        return proposals.propose(
            session, question, "yes", known_at=day(2), now=day(3), note="The gazette."
        ).id

    assert len(refused(on_rain(engine, propose))) == MANY - 1
    assert count(engine, Resolution) == 1


def test_of_opposite_verdicts_each_supersedes_the_one_before_it(engine: Engine, rain: None) -> None:
    def confirm(session: Session, question: Question, alice: Member, number: int) -> None:
        outcome = "yes" if number % 2 else "no"
        known = {"known_at": day(2), "now": day(3)}
        confirmation.confirm(session, question, outcome, member=alice, **known)

    refused(on_rain(engine, confirm))
    with database.reading(engine) as session:
        rows = session.exec(select(Resolution).order_by(col(Resolution.id))).all()
        assert [row.supersedes_id for row in rows] == [None, *(row.id for row in rows[:-1])]
        said = [row.outcome for row in rows]
        assert all(one != other for one, other in pairwise(said))
        state = standing.current_state(session, registry.find(session, "rain"), now=day(3))
        assert state.resolution is not None
        assert state.resolution.id == rows[-1].id


def test_an_outcome_is_withdrawn_once_and_then_confirmed_once(engine: Engine, rain: None) -> None:
    def confirm(session: Session, question: Question, alice: Member, _: int) -> None:
        confirmation.confirm(session, question, "yes", now=day(3), member=alice)

    def withdraw(session: Session, question: Question, alice: Member, _: int) -> None:
        confirmation.withdraw(session, question, reason="a slip", now=day(3), member=alice)

    for steps, act in enumerate((confirm, withdraw, confirm), 1):
        assert len(refused(on_rain(engine, act))) == MANY - 1
        assert count(engine, Resolution) == steps


def test_a_proposal_is_decided_once(engine: Engine, rain: None) -> None:
    with database.writing(engine) as session:
        question = registry.find(session, "rain")
        proposals.propose(
            session, question, "yes", known_at=day(2), now=day(3), note="The gazette."
        )

    def decide(session: Session, _: Question, alice: Member, number: int) -> None:
        proposal = session.exec(select(Resolution).where(Resolution.id == 1)).one()
        if number % 2:
            confirmation.accept(session, proposal, now=day(4), member=alice)
        else:
            proposals.reject(session, proposal, now=day(4), member=alice, note="no")

    assert len(refused(on_rain(engine, decide))) == MANY - 1
    assert count(engine, Resolution) == 2


def test_no_forecast_comes_after_the_resolution_that_was_made_with_it(
    engine: Engine, rain: None
) -> None:
    def act(session: Session, question: Question, alice: Member, number: int) -> str:
        by = {"member": alice, "now": day(2)}
        if number == 0:
            confirmation.confirm(session, question, "yes", known_at=day(2), **by)
            return "resolved"
        updates.update(session, question, Value(probability=number / 10), **by)
        return "forecast"

    came_to = on_rain(engine, act)
    taken = came_to.count("forecast")
    assert len(refused(came_to)) == MANY - 1 - taken
    assert [count(engine, table) for table in (Forecast, Resolution)] == [1 + taken, 1]


def test_a_question_is_reworded_one_after_the_other_and_closed_once(
    engine: Engine, rain: None
) -> None:
    def act(session: Session, question: Question, alice: Member, number: int) -> int:
        if number % 2:
            return revisions.close(session, question, at=day(2), member=alice, now=day(3)).number
        title = f"Will it rain, and how ({number})?"
        return revisions.revise(session, question, member=alice, now=day(3), title=title).number

    came_to = on_rain(engine, act)
    assert len(refused(came_to)) == MANY // 2 - 1
    numbers = sorted(one for one in came_to if isinstance(one, int))
    assert numbers == list(range(2, MANY // 2 + 3))
    assert count(engine, QuestionRevision) == len(numbers) + 1


def test_the_same_import_at_once_is_stored_once(engine: Engine, rain: None) -> None:
    with database.reading(engine) as session:
        frames = ledger_frames(session)
    frames.forecasts["probability"] = 0.25

    def take(session: Session, _: int) -> int:
        alice = member_named(session, "alice")
        return import_frames(session, frames, member=alice, now=day(20)).forecasts

    assert sorted(at_once(engine, take)) == [0] * (MANY - 1) + [1]
    assert count(engine, Forecast) == 2


def test_later_numbers_become_visible_later(engine: Engine, rain: None) -> None:
    """Whoever has seen a number never meets a smaller one that is new to them."""
    seen: list[set[int | None]] = []

    def act(session: Session, question: Question, alice: Member, number: int) -> None:
        for step in range(3):
            value = Value(probability=(number + step) / 10)
            updates.update(session, question, value, member=alice, now=day(2))
            with database.reading(engine) as other:
                seen.append(set(other.exec(select(Forecast.id))))

    on_rain(engine, act)
    seen.sort(key=lambda ids: (max(ids, default=0), len(ids)))  # type: ignore[type-var]
    for earlier, later in pairwise(seen):
        assert earlier <= later
        assert all(new > max(earlier) for new in later - earlier)  # type: ignore[operator,type-var]
    with database.reading(engine) as session:
        assert revision(session)[2] == 1 + 3 * MANY


def test_readers_do_not_wait_for_a_writer(engine: Engine, rain: None) -> None:
    with database.writing(engine) as session:
        member_or_new(session, "bob", now=day(2))
        with database.reading(engine) as other:
            assert other.exec(select(Member.handle)).all() == ["alice"]


def test_too_long_a_wait_is_refused_and_nothing_is_written(
    engine: Engine, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for patience in ("PATIENCE", "SERVER_PATIENCE"):
        monkeypatch.setattr(database, patience, 0.05)
    impatient = database.open_engine(ledger_url)
    with database.writing(engine) as session:
        member_or_new(session, "alice", now=day(0))
        with (
            pytest.raises(DatabaseError) as caught,
            database.writing(impatient) as other,
        ):
            member_or_new(other, "bob", now=day(0))
    assert caught.value.exit_code == 1
    assert "Nothing was written" in caught.value.remedy
    assert count(impatient, Member) == 1
    impatient.dispose()
