"""Worlds: the outcomes that questions can have together, by their groups, conditions and links.

A world is made of *parts*: whether a question is yes, whether an option comes true, whether a
number lies in a range. `scoring.incoherence` takes the table of the worlds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from forecasts.common.vocabulary import GroupKind, LinkKind, QuestionType
from forecasts.values.dependence import range_of
from forecasts.values.distributions import knots
from forecasts.values.outline import HasOutline
from forecasts.values.value import Value
from scoring import incoherence

# Half a point of a percentage: less is rounding, not a contradiction.
LEAST = 0.005
# So many worlds are looked at together, in a twentieth of a second; of more, only each tie alone.
MOST = 5_000
_MOST_ROWS = 4 * MOST  # before conditions and links remove some
_ANNULLED = -1
_Floats = npt.NDArray[np.float64]
_Outcomes = npt.NDArray[np.int8]


class Part(NamedTuple):
    """A statement on a question that comes true or not: yes, an option, or a range."""

    question: str
    outcome: str


class Worlds(NamedTuple):
    """The parts (n) of a set of questions, and its worlds (m, n): 1, 0, or nan for an annulled."""

    parts: tuple[Part, ...]
    table: _Floats


@dataclass(frozen=True)
class Ties:
    """All that says of questions which outcomes they can have together.

    ``outlines``: the questions, by ID. ``groups``: their kinds and members in order.
    ``conditions``: of a question, its parent and the outcome of it under which it is asked, also
    if the parent is not among the questions.
    ``links``: the certain ones.
    """

    outlines: Mapping[str, HasOutline]
    groups: Sequence[tuple[GroupKind, Sequence[str]]] = ()
    conditions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    links: Sequence[tuple[str, str, LinkKind]] = ()


def sets(ties: Ties) -> list[Worlds]:
    """Return the worlds of each set of questions that hang together, in the order of ``outlines``.

    Sets of too many worlds are taken apart into groups, parents with their branches, and links.
    """
    found = []
    for questions, own in _apart(_constraints(ties)):
        whole = _worlds(questions, own)
        each = [_worlds(bundle, own) for bundle in _bundles(own)] if whole is None else [whole]
        found += [one for one in each if one is not None]
    return [one for one in found if len(one.parts) > 1]


def probability(value: Value, part: Part, outline: HasOutline) -> float:
    """Return the probability that a forecast gives to a part; nan if it gives none."""
    if outline.type == QuestionType.binary:
        return np.nan if value.probability is None else value.probability
    if outline.type == QuestionType.multiple_choice:
        vector = value.probabilities or ()
        place = (outline.options or []).index(part.outcome)
        own = vector[place] if place < len(vector) else None
        return np.nan if own is None else own
    if value.quantiles is None:
        return np.nan
    levels, figures = knots(value, outline)
    below = np.interp(range_of(part.outcome, outline), figures, levels, left=0.0, right=1.0)
    return float(below[1] - below[0])


def nearest(p: _Floats, worlds: Worlds) -> _Floats:
    """Return the coherent neighbours (N, n) of forecasts on the parts of a set; nan: no forecast.

    Only of parts with a forecast.
    """
    found = p.copy()
    known, of = np.unique(~np.isnan(p), axis=0, return_inverse=True)
    for number, some in enumerate(known):
        if some.sum() > 1:
            at, table = np.ix_(of.ravel() == number, some), worlds.table
            if not some.all():
                table = np.unique(np.nan_to_num(table[:, some], nan=-1.0), axis=0)
                table = np.where(table < 0, np.nan, table)
            found[at] = incoherence(p[at], table, "brier").coherent
    return found


def _constraints(ties: Ties) -> Ties:
    """Return the ties that a forecast can contradict.

    Without independent groups, causes, branches that nothing else ties, and all that names a
    branch of a question that is not here: in which worlds it is annulled is then unknown.
    """
    loose = {
        one
        for one in ties.conditions
        if not ties.outlines.keys() >= {*_above(one, ties.conditions)}
    }
    groups = [
        one for one in ties.groups if one[0] != GroupKind.independent and loose.isdisjoint(one[1])
    ]
    links = [one for one in ties.links if one[2] != LinkKind.causes and loose.isdisjoint(one[:2])]
    tied = {one for _, members in groups for one in members}
    tied |= {one for *ends, _ in links for one in ends}
    left = {one: ties.conditions[one] for one in ties.conditions if one not in loose}
    while leaves := left.keys() - tied - {parent for parent, _ in left.values()}:
        for leaf in leaves:
            del left[leaf]
    return Ties(ties.outlines, groups, left, links)


def _bundles(ties: Ties) -> list[list[str]]:
    """Return the questions of each group, of each parent with its branches, and of each link.

    Each with those under whose outcomes they are asked: else a branch would never be annulled.
    """
    branches: dict[str, list[str]] = {}
    for child, (parent, _) in ties.conditions.items():
        branches.setdefault(parent, [parent]).append(child)
    bundles = [
        *([one for one in members if one in ties.outlines] for _, members in ties.groups),
        *branches.values(),
        *([one, other] for one, other, _ in ties.links),
    ]
    return [
        [*dict.fromkeys([*bundle, *(up for one in bundle for up in _above(one, ties.conditions))])]
        for bundle in bundles
    ]


def _above(question: str, conditions: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return the parent of a branch, the parent of that, and so on."""
    found: list[str] = []
    while question in conditions:
        question, _ = conditions[question]
        found.append(question)
    return found


def _apart(ties: Ties) -> Iterator[tuple[list[str], Ties]]:
    """Yield the questions that ties join, directly or over others, each time with those ties."""
    near: dict[str, set[str]] = {}
    for bundle in _bundles(ties):
        for one in bundle:
            near.setdefault(one, set()).update(bundle)
    order = {one: place for place, one in enumerate(ties.outlines)}
    number_of: dict[str, int] = {}
    together: list[list[str]] = []
    for first in sorted(near, key=order.__getitem__):
        if first in number_of:
            continue
        reached, ahead = {first}, [first]
        while ahead:
            new = near[ahead.pop()] - reached
            reached |= new
            ahead += new
        number_of |= dict.fromkeys(reached, len(together))
        together.append(sorted(reached, key=order.__getitem__))
    groups: list[list[tuple[GroupKind, Sequence[str]]]] = [[] for _ in together]
    for kind, members in ties.groups:
        for number in {number_of[one] for one in members if one in number_of}:
            groups[number].append((kind, members))
    links: list[list[tuple[str, str, LinkKind]]] = [[] for _ in together]
    for link in ties.links:
        links[number_of[link[0]]].append(link)
    for number, questions in enumerate(together):
        asked = {one: ties.conditions[one] for one in questions if one in ties.conditions}
        yield questions, Ties(ties.outlines, groups[number], asked, links[number])


def _worlds(questions: Sequence[str], ties: Ties) -> Worlds | None:
    """Return the worlds of some questions; None if there are too many."""
    own = frozenset(questions)
    conditions = {child: given for child, given in ties.conditions.items() if child in own}
    links = [link for link in ties.links if link[0] in own and link[1] in own]
    places: dict[str, list[int]] = {}
    parts: list[Part] = []
    table = np.empty((1, 0), dtype=np.int8)
    for block, rows in _blocks(questions, conditions, ties):
        if len(table) * len(rows) > _MOST_ROWS:
            return None
        for part in block:
            places.setdefault(part.question, []).append(len(parts))
            parts.append(part)
        table = np.hstack([np.repeat(table, len(rows), axis=0), np.tile(rows, (len(table), 1))])
        if conditions or links:
            table = _possible(table, parts, places, conditions, links, ties)
        if len(table) > MOST:
            return None
    return Worlds(tuple(parts), np.where(table == _ANNULLED, np.nan, table))


def _blocks(
    questions: Sequence[str], conditions: Mapping[str, tuple[str, str]], ties: Ties
) -> Iterator[tuple[list[Part], _Outcomes]]:
    """Yield the parts of each group and of each other question, with their outcomes; parents first.

    A question without a part that another depends on, such as a number, has none.
    """
    group_of = {one: number for number, (_, members) in enumerate(ties.groups) for one in members}
    together: dict[str | int, list[str]] = {}
    for one in questions:
        together.setdefault(group_of.get(one, one), []).append(one)

    def depth(one: str) -> int:
        return 1 + depth(conditions[one][0]) if one in conditions else 0

    for key, members in sorted(together.items(), key=lambda item: max(map(depth, item[1]))):
        if isinstance(key, int):
            kind, order = ties.groups[key]
            block = [Part(one, "yes") for one in order if one in members]
            yield block, _of_kind(kind, len(block), whole=len(block) == len(order))
            continue
        block = _parts(key, ties.outlines[key], conditions)
        if len(block) == 1:
            yield block, np.array([[0], [1]], dtype=np.int8)
        elif block:
            yield block, _of_kind(GroupKind.exhaustive, len(block), whole=True)


def _of_kind(kind: GroupKind, count: int, *, whole: bool) -> _Outcomes:
    """Return the worlds of the members of a group; of not all, all may be no."""
    if kind == GroupKind.nested:
        return np.tri(count + 1, count, -1, dtype=np.int8)[:, ::-1]
    one = np.eye(count, dtype=np.int8)
    if kind == GroupKind.exhaustive and whole:
        return one
    return np.vstack([one, np.zeros((1, count), dtype=np.int8)])


def _parts(
    question: str, outline: HasOutline, conditions: Mapping[str, tuple[str, str]]
) -> list[Part]:
    """Return yes, each option, or the ranges between the ends of those that conditions name."""
    if outline.type == QuestionType.binary:
        return [Part(question, "yes")]
    if outline.type == QuestionType.multiple_choice:
        return [Part(question, option) for option in outline.options or []]
    named = [outcome for parent, outcome in conditions.values() if parent == question]
    ends = {
        range_of(text, outline)[side]: text.split("..")[side] for text in named for side in (0, 1)
    }
    order = sorted(ends.items() | {(-np.inf, ""), (np.inf, "")})
    return (
        [Part(question, f"{low}..{high}") for (_, low), (_, high) in pairwise(order)]
        if named
        else []
    )


def _possible(
    table: _Outcomes,
    parts: Sequence[Part],
    places: Mapping[str, Sequence[int]],
    conditions: Mapping[str, tuple[str, str]],
    links: Sequence[tuple[str, str, LinkKind]],
    ties: Ties,
) -> _Outcomes:
    """Return the worlds that the conditions and links leave, with the annulled parts of each."""
    for child, (parent, outcome) in conditions.items():
        if child in places and parent in places:
            met = _met(table, parts, places[parent], ties.outlines[parent], outcome)
            table[:, places[child]] = np.where(met[:, None], table[:, places[child]], _ANNULLED)
    for one, other, kind in links:
        if one in places and other in places and len(places[one]) == len(places[other]) == 1:
            a, b = table[:, places[one][0]], table[:, places[other][0]]
            if kind == LinkKind.excludes:
                broken = (a == 1) & (b == 1)
            else:
                broken = (a == 1) & (b == 0)
                if kind == LinkKind.equivalent:
                    broken |= (a == 0) & (b == 1)
            table = table[~broken]
    return np.unique(table, axis=0)


def _met(
    table: _Outcomes,
    parts: Sequence[Part],
    places: Sequence[int],
    outline: HasOutline,
    outcome: str,
) -> npt.NDArray[np.bool_]:
    """Return in which worlds a question has an outcome that a condition names."""
    if outline.type == QuestionType.binary:
        return np.asarray(table[:, places[0]] == (outcome == "yes"))
    if outline.type == QuestionType.multiple_choice:
        inside = [at for at in places if parts[at].outcome == outcome]
    else:
        low, high = range_of(outcome, outline)
        ranges = [(at, range_of(parts[at].outcome, outline)) for at in places]
        inside = [at for at, (start, end) in ranges if low <= start and end <= high]
    return np.asarray(np.any(table[:, inside] == 1, axis=1))
