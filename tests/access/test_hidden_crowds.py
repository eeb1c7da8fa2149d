"""A hidden crowd: hidden from every member until they forecast or the question closes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from forecasts.access import members, teams, visibility
from forecasts.exporting.export import exported
from forecasts.ledger.models import Member, Question
from forecasts.questions import registry, revisions, standing
from forecasts.scores import paths, stored_scores
from forecasts.scores.ledger_frames import forecast_frame, ledger_frames, revision, scoring_frames
from forecasts.updates import updates
from forecasts.updates.evidence import CitedEvidence
from forecasts.values.value import Value
from tests.conftest import ask, counted_statements, day, resolve, say

HIS = Value(probability=0.9)


@pytest.fixture
def hidden(session: Session, alice: Member, bob: Member) -> Question:
    """A question by alice with a hidden crowd, on which bob has forecast."""
    question = ask(session, alice, slug="rain", crowd_hidden=True)
    cited = [CitedEvidence(note="bob's note")]
    updates.update(session, question, HIS, member=bob, now=day(1), evidence=cited)
    return question


def drawn(session: Session, question: Question) -> int:
    text = registry.newest_wording(session, question)
    return len(paths.paths(session, question, text, now=day(2)).crowd)


# Verbs that show others' forecasts; each result is falsy while the crowd is hidden.
SHOWS: dict[str, Callable[[Session, Question], object]] = {
    "history": lambda s, q: [f for f, handle in updates.history(s, q) if handle == "bob"],
    "evidence": lambda s, q: updates.evidence_of(s, q),
    "chart": drawn,
    "frame": lambda s, q: len(forecast_frame(s, None)),
    "report": lambda s, q: len(ledger_frames(s).forecasts),
    "evidence of a report": lambda s, q: "bob's note" in set(ledger_frames(s).evidence["note"]),
    "scores": lambda s, q: len(scoring_frames(s)[1]),
    "who forecast": lambda s, q: "bob" in visibility.forecaster_handles(s),
    "his": lambda s, q: updates.current_forecast(s, q, members.member_named(s, "bob"), at=day(2)),
    "all his": lambda s, q: updates.current_forecasts(s, members.member_named(s, "bob"), at=day(2)),
}


def test_a_crowd_hides_until_a_forecast(session: Session, alice: Member, hidden: Question) -> None:
    def shown() -> set[str]:
        return {name for name, shows in SHOWS.items() if shows(session, hidden)}

    visibility.read_as(session, alice, now=day(2))
    assert visibility.crowd_is_hidden(session, hidden)
    assert visibility.crowd_is_hidden(session)
    assert shown() == set()
    say(session, hidden, alice, 0.2, 2)
    assert not visibility.crowd_is_hidden(session, hidden)
    assert not visibility.crowd_is_hidden(session)
    assert shown() == set(SHOWS)
    # Withdrawing does not hide the crowd again.
    updates.withdraw(session, hidden, member=alice, now=day(2))
    assert shown() == set(SHOWS)


def test_it_is_shown_once_the_question_has_closed_and_to_its_own_forecasters_before(
    session: Session, alice: Member, bob: Member, hidden: Question
) -> None:
    kept = set()
    for member, seen in ((alice, 0), (bob, 1), (None, 0)):
        visibility.read_as(session, member, now=day(2))
        assert len(updates.history(session, hidden)) == seen
        kept.add(revision(session))
    assert len(kept) == 3  # a report that is kept for one is not shown to another
    for at, seen in ((9.99, 0), (10, 1)):
        visibility.read_as(session, alice, now=day(at))
        assert len(updates.history(session, hidden)) == seen
    revisions.close(session, hidden, at=day(3), member=alice, now=day(4))
    visibility.read_as(session, alice, now=day(4))
    assert len(updates.history(session, hidden)) == 1


def test_a_resolver_scores_hidden_crowds(session: Session, alice: Member, hidden: Question) -> None:
    visibility.read_as(session, alice, now=day(2))
    row = resolve(session, hidden, alice, at=2)
    assert [scored.forecaster for scored in stored_scores.score_table(session, row)] == ["bob"]


def test_annulling_shows_the_crowd(session: Session, alice: Member, hidden: Question) -> None:
    resolve(session, hidden, alice, "annulled", at=2)
    visibility.read_as(session, alice, now=day(2))
    assert len(updates.history(session, hidden)) == 1


@pytest.mark.slow
def test_it_is_hidden_from_admins_too_but_not_from_their_export(
    session: Session, alice: Member, bob: Member, hidden: Question
) -> None:
    teams.create(session, "Alder", member=alice, now=day(1))
    visibility.read_as(session, alice, now=day(2))
    assert updates.history(session, hidden) == []
    frames, _ = exported(session, member=alice, now=day(2))
    assert len(frames.forecasts) == 1
    carol = members.member_or_new(session, "carol", now=day(2))
    visibility.read_as(session, carol, now=day(2))
    frames, _ = exported(session, member=carol, now=day(2))
    assert len(frames.forecasts) == 0
    assert updates.history(session, hidden) == []


@pytest.mark.slow
def test_many_questions_are_read_in_as_many_statements_as_few(
    engine: Engine, session: Session, alice: Member, bob: Member
) -> None:
    teams.create(session, "Alder", member=alice, now=day(0))
    restricted = teams.visibility_fields(session, "Alder")
    counts = []
    for number in range(30):
        fields = restricted if number % 3 == 0 else {"crowd_hidden": number % 3 == 1}
        question = ask(session, alice, title=f"Will it rain {number}?", **fields)
        updates.update(session, question, HIS, member=alice, now=day(1))
        if number not in (2, 29):
            continue
        visibility.read_as(session, bob, now=day(2))
        with counted_statements(engine) as statements:
            found = standing.listing(session, now=day(2))
            frames = ledger_frames(session)
        counts.append(len(statements))
        seen = 2 * (number + 1) // 3
        assert len(found) == len(frames.questions) == seen
        assert len(frames.forecasts) == seen // 2
        visibility.read_as(session, alice, now=day(2))
    assert counts[0] == counts[1] < 22
