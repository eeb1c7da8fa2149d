"""Forecasts that contradict each other are found before they are saved, with what would not."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import Session

from forecasts.access.visibility import read_as
from forecasts.ledger.models import (
    GroupKind,
    LinkKind,
    LinkStrength,
    Member,
    Question,
    QuestionText,
    Visibility,
)
from forecasts.questions.conditions import register_conditional
from forecasts.questions.groups import Group, NewPlace, member_title, register_group
from forecasts.questions.links import link
from forecasts.questions.registry import question_text
from forecasts.questions.revisions import revise
from forecasts.questions.ties import tied
from forecasts.scores.coherence import crowd_contradictions
from forecasts.updates.coherence import Move, coherent_values, contradictions
from forecasts.updates.updates import withdraw
from forecasts.values.value import Value
from tests.conftest import ask, day, on_both, resolve, say

MONTHS = ("March", "June", "December")


def wording(title: str, closes: float) -> QuestionText:
    return question_text(
        title=title,
        open_time=day(0),
        scheduled_close_time=day(closes),
        resolution_criteria="As the gazette says.",
    )


def bridge(session: Session, member: Member, kind: GroupKind = GroupKind.nested) -> Group:
    title = "Will Brenholt open its bridge?"
    places = [
        NewPlace(
            month,
            wording(member_title(title, month), 10 * number),
        )
        for number, month in enumerate(MONTHS, start=1)
    ]
    return register_group(session, title, places, kind=kind, member=member, now=day(0))


def questions(group: Group) -> list[Question]:
    return [one.state.question for one in group.members]


def shown(moves: list[Move]) -> dict[str, tuple[float, float]]:
    return {one.question.slug: (one.said, round(one.coherent, 9)) for one in moves}


@on_both
def test_an_earlier_deadline_is_not_likelier_than_a_later_one(
    session: Session, alice: Member, bob: Member
) -> None:
    march, june, december = questions(bridge(session, alice))
    given: dict[str, Any] = {"member": alice, "now": day(2)}
    say(session, march, alice, 0.6, 1)
    say(session, december, bob, 0.1, 1)
    assert contradictions(session, {june.id: Value(0.7)}, **given) == []
    [moves] = contradictions(session, {june.id: Value(0.4)}, **given)
    assert shown(moves) == {
        march.slug: (0.6, 0.5),
        june.slug: (0.4, 0.5),
    }
    coherent = coherent_values(moves)
    assert coherent.keys() == {march.id, june.id}
    assert contradictions(session, coherent, **given) == []
    # Half a point is rounding.
    assert contradictions(session, {june.id: Value(0.595)}, **given) == []


@on_both
def test_what_is_over_or_withdrawn_counts_no_longer(session: Session, alice: Member) -> None:
    march, june, december = questions(bridge(session, alice))
    say(session, march, alice, 0.6, 1)
    say(session, june, alice, 0.4, 1)
    say(session, december, alice, 0.9, 1)
    assert contradictions(session, {june.id: Value(0.4)}, member=alice, now=day(9))
    assert not contradictions(session, {june.id: Value(0.4)}, member=alice, now=day(11))
    withdraw(session, march, member=alice, now=day(3))
    assert not contradictions(session, {june.id: Value(0.4)}, member=alice, now=day(4))


def test_a_recorded_outcome_is_known(session: Session, alice: Member) -> None:
    south, north, west = questions(bridge(session, alice, GroupKind.exhaustive))
    say(session, north, alice, 0.3, 1)
    say(session, west, alice, 0.3, 1)
    assert not contradictions(session, {north.id: Value(0.3)}, member=alice, now=day(2))
    resolve(session, south, alice, "no", at=2)
    [moves] = contradictions(session, {north.id: Value(0.3)}, member=alice, now=day(3))
    assert shown(moves) == {
        north.slug: (0.3, 0.5),
        west.slug: (0.3, 0.5),
    }


def test_only_certain_links_contradict(session: Session, alice: Member) -> None:
    meet, talk = ask(session, alice), ask(session, alice)
    say(session, talk, alice, 0.2, 1)
    given: dict[str, Any] = {"member": alice, "now": day(2)}
    link(session, meet, talk, LinkKind.implies, **given)
    assert tied(session, [meet.id]).links[0].other_id == talk.id
    assert not contradictions(session, {meet.id: Value(0.8)}, **given)
    link(session, meet, talk, LinkKind.implies, strength=LinkStrength.certain, **given)
    assert len(contradictions(session, {meet.id: Value(0.8)}, **given)) == 1


def test_options_move_with_what_hangs_on_them(session: Session, alice: Member) -> None:
    where = ask(session, alice, type="multiple_choice", options=["North", "East"])
    fall = ask(session, alice)
    given: dict[str, Any] = {"member": alice, "now": day(1)}
    own = wording("Will it fall?", 10)
    [north] = register_conditional(session, where, own, ["North"], **given)
    sure: dict[str, Any] = {"strength": LinkStrength.certain, **given}
    link(session, north.state.question, fall, LinkKind.equivalent, **sure)
    values = {
        where.id: Value(probabilities=(0.9, 0.1)),
        north.state.id: Value(0.9),
        fall.id: Value(0.2),
    }
    [moves] = contradictions(session, values, **given)
    coherent = coherent_values(moves)
    assert sum(coherent[where.id].stated) == pytest.approx(1)
    assert coherent[where.id].stated[0] < 0.9
    assert contradictions(session, coherent, **given) == []


def test_nothing_is_told_of_a_question_that_its_reader_may_not_see(
    session: Session, alice: Member, bob: Member
) -> None:
    seen, hidden = ask(session, bob), ask(session, bob, visibility=Visibility.author)
    sure: dict[str, Any] = {"strength": LinkStrength.certain, "member": bob, "now": day(1)}
    link(session, seen, hidden, LinkKind.implies, **sure)
    say(session, hidden, bob, 0.1, 1)
    assert contradictions(session, {seen.id: Value(0.8)}, member=bob, now=day(2))
    read_as(session, alice, now=day(2))
    assert not contradictions(session, {seen.id: Value(0.8)}, member=alice, now=day(2))
    assert list(tied(session, [seen.id]).questions) == [seen.id]


def test_a_crowd_contradicts_itself_though_nobody_in_it_does(
    session: Session, alice: Member, bob: Member
) -> None:
    """Each has forecast one deadline only."""
    march, june, december = questions(bridge(session, alice))
    say(session, march, alice, 0.6, 1)
    say(session, december, alice, 0.2, 1)
    assert crowd_contradictions(session, june, now=day(2)) == []  # no crowd, one person
    withdraw(session, december, member=alice, now=day(1))
    say(session, december, bob, 0.2, 1)
    [moves] = crowd_contradictions(session, june, now=day(2))
    assert shown(moves) == {march.slug: (0.6, 0.4), december.slug: (0.2, 0.4)}
    assert crowd_contradictions(session, june, now=day(2), of="bots") == []


def test_a_hidden_crowd_contradicts_nothing(session: Session, alice: Member, bob: Member) -> None:
    """Bob sees the crowd of the one question only, after his own forecast on it."""
    one, other = (ask(session, alice, slug=name, crowd_hidden=True) for name in ("one", "other"))
    sure: dict[str, Any] = {"strength": LinkStrength.certain, "member": alice, "now": day(1)}
    link(session, one, other, LinkKind.implies, **sure)
    for question, p in ((one, 0.9), (other, 0.1)):
        say(session, question, alice, p, 1)
    say(session, one, bob, 0.9, 1)
    for reader, sets in ((alice, 1), (bob, 0)):
        read_as(session, reader, now=day(2))
        assert len(crowd_contradictions(session, one, now=day(2))) == sets


@on_both
def test_a_branch_of_a_hidden_parent_contradicts_nothing(
    session: Session, alice: Member, bob: Member
) -> None:
    """Its reader does not know in which worlds it is annulled."""
    parent, fall = ask(session, bob), ask(session, bob)
    given: dict[str, Any] = {"member": bob, "now": day(1)}
    [branch] = register_conditional(session, parent, wording("Will it fall?", 10), ["yes"], **given)
    sure: dict[str, Any] = {"strength": LinkStrength.certain, **given}
    link(session, branch.state.question, fall, LinkKind.implies, **sure)
    say(session, fall, alice, 0.2, 1)
    say(session, parent, alice, 0.9, 1)
    typed = {branch.state.id: Value(0.9)}
    assert contradictions(session, typed, member=alice, now=day(2))
    revise(session, parent, visibility=Visibility.author, **given)
    read_as(session, alice, now=day(2))
    assert tied(session, typed).orphans == {branch.state.id}
    assert not contradictions(session, typed, member=alice, now=day(2))
