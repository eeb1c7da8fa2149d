"""Crowds of people, of bots, and of both, with the bots of one owner as one."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access import kinds, tokens, visibility
from forecasts.access.members import find_member, member_or_new
from forecasts.common.errors import BadInput
from forecasts.folder.frames import complete
from forecasts.ledger.models import Member, Question
from forecasts.questions.standing import listing
from forecasts.questions.trends import Trend, trends
from forecasts.scores.crowd_moves import crowd_moves
from forecasts.scores.crowds import crowd
from forecasts.scores.ledger_frames import ledger_frames
from forecasts.scores.paths import paths
from forecasts.updates import updates
from tests.conftest import day, say

pytestmark = pytest.mark.slow


def bot(session: Session, handle: str, owner: Member) -> Member:
    tokens.create(session, handle, member=None, owner=owner, now=day(0))
    return find_member(session, handle)


@pytest.fixture
def arena(session: Session, question: Question, alice: Member, bob: Member) -> Question:
    """Two people at 20% and 40%, three bots of alice at 90%, 80% and 70%, one of bob at 60%."""
    say(session, question, alice, 0.2, 1)
    say(session, question, bob, 0.4, 1)
    for name, p in (("a1", 0.9), ("a2", 0.8), ("a3", 0.7), ("b1", 0.6)):
        say(session, question, bot(session, name, alice if name[0] == "a" else bob), p, 1)
    return question


def trend(session: Session, question: Question, at: float = 2) -> Trend:
    [state] = listing(session, now=day(at), only=[question.slug])
    return trends(session, [state], now=day(at))[state.id]


def test_a_crowd_counts_people_or_bots_and_a_swarm_once(session: Session, arena: Question) -> None:
    frames = ledger_frames(session)

    def said(of: kinds.CrowdOf, *, each_bot: bool = False) -> tuple[int, float]:
        [row] = crowd(frames, "mean", of=of, each_bot=each_bot).itertuples()
        return row.forecasters, row.p

    assert said("people") == (2, pytest.approx(0.3))
    assert said("bots") == (2, pytest.approx((0.8 + 0.6) / 2))
    assert said("both") == (4, pytest.approx((0.2 + 0.4 + 0.8 + 0.6) / 4))
    assert said("both", each_bot=True) == (6, pytest.approx(0.6))


def test_a_folder_counts_everyone_and_refuses_a_choice(session: Session, arena: Question) -> None:
    frames = ledger_frames(session)
    folder = complete(frames.questions, frames.forecasts)
    assert crowd(folder, "mean")["forecasters"].tolist() == [6]
    with pytest.raises(BadInput, match="does not tell bots from people"):
        crowd(folder, "mean", of="people")


def test_a_person_sees_a_crowd_of_people_until_their_own_forecast(
    session: Session, arena: Question, alice: Member
) -> None:
    carol = member_or_new(session, "carol", now=day(0))
    visibility.read_as(session, carol, now=day(2))
    seen = trend(session, arena)
    assert (seen.of, seen.forecasters, seen.points[-1]) == ("people", 2, pytest.approx(0.3))
    say(session, arena, carol, 0.3, at=2)
    after = trend(session, arena, at=3)
    assert (after.of, after.forecasters) == ("both", 5)
    visibility.read_as(session, find_member(session, "a1"), now=day(2))
    assert trend(session, arena).of == "both"


def test_the_chart_counts_as_chosen_and_says_so(
    session: Session, arena: Question, alice: Member
) -> None:
    visibility.read_as(session, alice, now=day(2))
    [state] = listing(session, now=day(2), only=[arena.slug])

    def last(of: kinds.CrowdOf | None) -> tuple[str, int, float]:
        found = paths(session, arena, state.text, now=day(2), crowd_of=of)
        end = found.crowd.iloc[-1]
        return found.crowd_of, int(end["live"]), end["value"]

    assert last(None) == ("both", 4, pytest.approx(0.5))
    assert last("people") == ("people", 2, pytest.approx(0.3))
    assert last("bots") == ("bots", 2, pytest.approx(0.7))


def test_without_bots_a_crowd_has_no_label(
    session: Session, question: Question, alice: Member
) -> None:
    say(session, question, alice, 0.2, 1)
    seen = trend(session, question)
    assert seen == Trend(seen.points, 1, "")


def test_a_swarm_moves_the_crowd_once(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    for person in (alice, bob):
        say(session, question, person, 0.2, 1)
    for name in ("b1", "b2", "b3"):
        say(session, question, bot(session, name, bob), 0.9, 2)
    [state] = listing(session, now=day(3), only=[question.slug])
    [(own, _)] = updates.history(session, question, alice)
    moves = crowd_moves(session, [(state.text, own)], now=day(3))
    assert moves[state.id].forecasters == 2
    assert moves[state.id].now == "55%"
