"""The outcomes that questions can have together."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasts.common.vocabulary import GroupKind, LinkKind, QuestionType
from forecasts.values.outline import HasOutline, Outline
from forecasts.values.value import Value
from forecasts.values.worlds import MOST, Part, Ties, Worlds, nearest, probability, sets

BINARY = Outline()
OPTIONS = Outline(type=QuestionType.multiple_choice, options=["North", "East", "South"])
NUMBER = Outline(type=QuestionType.numeric, lower_bound="0", upper_bound="100")


def binary(*names: str) -> Mapping[str, HasOutline]:
    return dict.fromkeys(names, BINARY)


def rows(worlds: Worlds) -> set[tuple[int | None, ...]]:
    return {tuple(None if np.isnan(y) else int(y) for y in row) for row in worlds.table}


def by_trying_all(ties: Ties, names: tuple[str, ...]) -> set[tuple[int | None, ...]]:
    """Return the worlds of questions with yes or no: all outcomes, tried one by one."""
    found = set()
    for outcomes in itertools.product((0, 1, None), repeat=len(names)):
        at = dict(zip(names, outcomes, strict=True))
        if all(_fits_kind(kind, [at[one] for one in members]) for kind, members in ties.groups):
            is_asked = {
                child: at[parent] == (outcome == "yes")
                for child, (parent, outcome) in ties.conditions.items()
            }
            right = all((at[one] is not None) == is_asked.get(one, True) for one in names)
            if right and all(_fits_link(kind, at[a], at[b]) for a, b, kind in ties.links):
                found.add(outcomes)
    return found


def _fits_kind(kind: GroupKind, outcomes: list[int | None]) -> bool:
    yes = sum(one == 1 for one in outcomes)
    if kind == GroupKind.exclusive:
        return yes <= 1
    if kind == GroupKind.exhaustive:
        return yes <= 1 and (yes == 1 or None in outcomes)
    some = [one for one in outcomes if one is not None]
    return kind == GroupKind.independent or some == sorted(some)


def _fits_link(kind: LinkKind, a: int | None, b: int | None) -> bool:
    broken = {
        LinkKind.implies: [(1, 0)],
        LinkKind.excludes: [(1, 1)],
        LinkKind.equivalent: [(1, 0), (0, 1)],
        LinkKind.causes: [],
    }
    return (a, b) not in broken[kind]


@st.composite
def tied(draw: st.DrawFn) -> Ties:
    """Return up to six questions: a group, conditions on earlier questions, and links."""
    names = [f"q{number}" for number in range(draw(st.integers(2, 6)))]
    grouped = draw(st.integers(2, len(names)))
    kind = draw(st.sampled_from(GroupKind))
    conditions = {}
    for number in range(grouped, len(names)):
        if draw(st.booleans()):
            parent = names[draw(st.integers(0, number - 1))]
            conditions[names[number]] = (parent, draw(st.sampled_from(["yes", "no"])))
    ends = st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True)
    links = draw(st.lists(st.tuples(ends, st.sampled_from(LinkKind)), max_size=3))
    return Ties(
        binary(*names),
        groups=[(kind, names[:grouped])],
        conditions=conditions,
        links=[(one, other, kind) for (one, other), kind in links],
    )


@given(ties=tied())
def test_worlds_are_the_outcomes_that_fit(ties: Ties) -> None:
    seen: set[str] = set()
    for worlds in sets(ties):
        names = tuple(part.question for part in worlds.parts)
        assert not seen & set(names)
        seen |= set(names)
        among = Ties(
            binary(*names),
            groups=[
                (kind, own)
                for kind, all_ in ties.groups
                if (own := [o for o in all_ if o in names])
            ],
            conditions={one: ties.conditions[one] for one in names if one in ties.conditions},
            links=[link for link in ties.links if link[0] in names and link[1] in names],
        )
        assert rows(worlds) == by_trying_all(among, names)


def test_branches_alone_contradict_nothing() -> None:
    conditions = {"fall": ("meet", "yes"), "rise": ("fall", "no")}
    assert sets(Ties(binary("meet", "fall", "rise"), conditions=conditions)) == []


def test_a_branch_is_tied_by_the_question_without_the_condition() -> None:
    [worlds] = sets(
        Ties(
            binary("meet", "if-so", "if-not", "fall"),
            conditions={"if-so": ("meet", "yes"), "if-not": ("meet", "no")},
            links=[("if-so", "fall", LinkKind.equivalent), ("if-not", "fall", LinkKind.equivalent)],
        )
    )
    assert [part.question for part in worlds.parts] == ["meet", "fall", "if-so", "if-not"]
    assert rows(worlds) == {(1, 1, 1, None), (1, 0, 0, None), (0, 1, None, 1), (0, 0, None, 0)}


def test_options_and_ranges_are_parts() -> None:
    conditions = {"low": ("level", "..10"), "east": ("where", "East")}
    [level, where] = sets(
        Ties(
            {"level": NUMBER, "where": OPTIONS, **binary("low", "east", "other", "another")},
            conditions=conditions,
            links=[("low", "other", LinkKind.implies), ("east", "another", LinkKind.implies)],
        )
    )
    assert level.parts[:2] == (Part("level", "..10"), Part("level", "10.."))
    assert [part.outcome for part in where.parts[:3]] == OPTIONS.options
    asked = {(0, 1, 0, 1, 1), (0, 1, 0, 1, 0), (0, 1, 0, 0, 0)}
    not_asked = {(*one, y, None) for one in ((1, 0, 0), (0, 0, 1)) for y in (0, 1)}
    assert rows(where) == asked | not_asked


def test_a_part_has_the_probability_that_a_forecast_gives_it() -> None:
    assert probability(Value(probability=0.3), Part("q", "yes"), BINARY) == 0.3
    vector = Value(probabilities=(0.2, None, 0.8))
    assert probability(vector, Part("q", "South"), OPTIONS) == 0.8
    assert np.isnan(probability(vector, Part("q", "East"), OPTIONS))
    even = Value(quantiles={"0.5": 50.0})
    ranges = [probability(even, Part("q", one), NUMBER) for one in ("..25", "25..75", "75..")]
    assert ranges == pytest.approx([0.25, 0.5, 0.25])


def test_a_set_of_too_many_worlds_is_taken_apart() -> None:
    names = [f"q{number}" for number in range(16)]
    links = [(names[0], other, LinkKind.implies) for other in names[1:]]
    assert MOST < 2**15
    found = sets(Ties(binary(*names), links=links))
    assert [rows(one) for one in found] == [{(0, 0), (0, 1), (1, 1)}] * 15


def test_taken_apart_a_branch_keeps_the_question_under_which_it_is_asked() -> None:
    others = [f"q{number}" for number in range(15)]
    links = [("b", "x", LinkKind.equivalent), *(("x", one, LinkKind.implies) for one in others)]
    ties = Ties(binary("p", "b", "x", *others), conditions={"b": ("p", "yes")}, links=links)
    [worlds] = [one for one in sets(ties) if {"b", "x"} <= {part.question for part in one.parts}]
    said = {"p": 0.05, "b": 0.9, "x": 0.2}  # as X can be yes where P is no
    p = np.array([[said[part.question] for part in worlds.parts]])
    assert nearest(p, worlds) == pytest.approx(p)


def test_nothing_follows_from_a_branch_of_a_question_that_is_not_here() -> None:
    conditions = {"b": ("p", "yes"), "c": ("b", "yes")}
    ties = Ties(
        binary("b", "c", "x", "y"),
        groups=[(GroupKind.exclusive, ["b", "y"])],
        conditions=conditions,
        links=[("b", "x", LinkKind.equivalent), ("c", "x", LinkKind.equivalent)],
    )
    assert sets(ties) == []
