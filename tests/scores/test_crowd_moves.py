"""Where the others have moved away from a standing forecast since it was made."""

from __future__ import annotations

import pytest
from sqlmodel import Session

from forecasts.access import teams, tokens, visibility
from forecasts.access.members import member_or_new
from forecasts.ledger.models import Member, Question, Role
from forecasts.questions import registry
from forecasts.scores.crowd_moves import CrowdMove, crowd_moves
from forecasts.updates import updates
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both


def say(session: Session, question: Question, member: Member, at: float, value: Value) -> None:
    updates.update(session, question, value, member=member, now=day(at))


def moved(session: Session, question: Question, member: Member, at: float = 9) -> CrowdMove | None:
    mine = updates.current_forecast(session, question, member, at=day(at))
    assert mine is not None
    current = [(registry.newest_wording(session, question), mine)]
    return crowd_moves(session, current, now=day(at)).get(question.id)


@on_both
def test_it_is_told_from_where_to_where_the_median_of_the_others_has_moved(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    carol = member_or_new(session, "carol", now=day(0))
    say(session, question, bob, 1, Value(probability=0.3))
    say(session, question, carol, 1, Value(probability=0.5))
    say(session, question, alice, 2, Value(probability=0.4))
    assert moved(session, question, alice) is None
    say(session, question, bob, 3, Value(probability=0.6))
    found = moved(session, question, alice)
    assert found is not None
    assert found.distance == pytest.approx(0.15)
    assert (found.option, found.before, found.now) == ("", "40%", "55%")
    assert found.forecasters == 2


def test_a_crowd_hardly_further_has_not_moved(session: Session, alice: Member, bob: Member) -> None:
    for then, now in (
        (0.6, 0.45),  # they have come nearer
        (0.4, 0.49),  # it is not far
        (0.2, 0.6),  # to the other side, as far away as before
        (None, 0.9),  # no forecast of theirs then
        (0.9, None),  # none now
    ):
        question = ask(session, alice)
        if then is not None:
            say(session, question, bob, 1, Value(probability=then))
        say(session, question, alice, 2, Value(probability=0.4))
        if now is None:
            updates.withdraw(session, question, member=bob, now=day(3))
        else:
            say(session, question, bob, 3, Value(probability=now))
        assert moved(session, question, alice) is None


def test_the_bots_of_one_owner_count_as_one(
    session: Session, question: Question, alice: Member, bob: Member
) -> None:
    carol = member_or_new(session, "carol", now=day(0))
    bots = [tokens.create(session, name, member=bob, now=day(0)).member for name in ("b1", "b2")]
    for member in (carol, *bots, alice):
        say(session, question, member, 1, Value(probability=0.4))
    for bot in bots:
        say(session, question, bot, 2, Value(probability=0.9))
    found = moved(session, question, alice)
    assert found is not None
    assert (found.before, found.now, found.forecasters) == ("40%", "65%", 2)


def test_the_option_that_moved_most_is_named(session: Session, alice: Member, bob: Member) -> None:
    port = ask(session, alice, type="multiple_choice", options=["Busan", "Ulsan", "Other"])
    for member in (bob, alice):
        say(session, port, member, 1, Value(probabilities=(0.4, 0.3, 0.3)))
    say(session, port, bob, 2, Value(probabilities=(0.5, 0.1, 0.4)))
    found = moved(session, port, alice)
    assert found is not None
    assert (found.option, found.before, found.now) == ("Ulsan", "30%", "10%")


def test_numbers_and_days_move_by_medians(session: Session, alice: Member, bob: Member) -> None:
    metres = {"type": "numeric", "lower_bound": "0", "upper_bound": "30", "unit": "m"}
    days = {"type": "date", "lower_bound": "2026-01-01", "upper_bound": "2026-12-31"}
    for fields, first, second, said in (
        (metres, 10.0, 14.0, ("10 m", "14 m")),
        (days, "2026-03-01", "2026-07-01", ("2026-03-01", "2026-07-01")),
    ):
        question = ask(session, alice, **fields)
        for member in (bob, alice):
            say(session, question, member, 1, Value(quantiles={"0.5": first}))
        say(session, question, bob, 2, Value(quantiles={"0.5": second}))
        found = moved(session, question, alice)
        assert found is not None
        assert (found.before, found.now) == said


@pytest.mark.slow
def test_hidden_forecasts_do_not_count(session: Session, alice: Member, bob: Member) -> None:
    alder = teams.create(session, "Alder", member=bob, now=day(0))
    question = ask(session, bob, **teams.visibility_fields(session, "Alder"))
    teams.set_role(session, alder, alice, Role.forecaster, member=bob, now=day(0))
    for member, at, p in ((bob, 1, 0.4), (alice, 2, 0.4), (bob, 3, 0.9)):
        say(session, question, member, at, Value(probability=p))
    mine = updates.current_forecast(session, question, alice, at=day(4))
    assert mine is not None
    current = [(registry.newest_wording(session, question), mine)]
    for reader, seen in ((alice, [question.id]), (None, [])):
        visibility.read_as(session, reader, now=day(4))
        assert list(crowd_moves(session, current, now=day(4))) == seen
