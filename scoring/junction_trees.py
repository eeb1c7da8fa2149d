"""Worlds of many questions as a tree of cliques, each with the worlds of a few questions.

A world of all questions is one of each clique, such that neighbours agree on the questions that
they share. So the least of a sum over all worlds, and a distribution over them, come from messages
along the tree, and thousands of worlds need not be looked at one by one. Koller and Friedman
(2009), Probabilistic Graphical Models, chapter 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scoring.arrays import Flags, Floats, Ints, Places

_SAMPLE = 300  # worlds of a table in which the cliques are looked for
_FEW = 3  # neighbours of a question among which no dependence need be removed
_MOST = 8  # questions of a clique that is looked for in a table of worlds


class Clique(NamedTuple):
    """The place of a clique in the tree: which of the local worlds, in the order of all, it has.

    They are sorted by their ``state``, the outcomes of the questions that the parent has, too;
    ``first``: the first of each state. ``above``: the state of each of the ``parent``'s worlds.
    ``levels``: the places of the states among those of all cliques.
    """

    own: slice
    first: Places
    state: Places
    parent: slice
    above: Places
    levels: slice


@dataclass(frozen=True)
class JunctionTree:
    """The cliques, parents first, and ``ties`` (k, J): the states (k) of the local worlds (J).

    −1 where a clique's worlds have the state, and 1 where the parent's have it; the first clique
    has one state. A level at each state raises the parent's worlds by as much as it lowers the
    clique's, so that the sum over a world of all questions falls by the first level alone.
    """

    cliques: tuple[Clique, ...]
    ties: Floats
    firsts: Places  # the first local world of each state
    state: Places  # that of each local world

    def count(self) -> float:
        """Return the number of worlds of all questions."""
        many = np.ones(self.ties.shape[1])
        for one in reversed(self.cliques):
            many[one.parent] *= np.add.reduceat(many[one.own], one.first)[one.above]
        return float(many[self.cliques[0].own].sum())

    def levels(self, values: Floats, margin: float = 0.0) -> Floats:
        """Return the levels (N, k) with which no local world of ``values`` (N, J) is below 0.

        The first is the highest possible: the least sum over a world of all questions. With
        ``margin``, no local world is below that.
        """
        values, found = values.copy(), np.empty((len(values), len(self.ties)))
        for one in reversed(self.cliques):
            least = np.minimum.reduceat(values[:, one.own], one.first, axis=1) - margin
            found[:, one.levels] = least
            values[:, one.parent] += least[:, one.above]
        return found

    def shares(self, weights: Floats) -> Floats:
        """Return the weights of the local worlds, divided by the sum in the same state, (N, J).

        nan for a state without weight.
        """
        with np.errstate(invalid="ignore"):
            return np.asarray(
                weights / np.add.reduceat(weights, self.firsts, axis=1)[:, self.state]
            )

    def joined(self, shares: Floats) -> Floats:
        """Return the distribution (N, J) over the worlds with these shares, clique by clique."""
        found = shares.copy()
        for one in self.cliques[1:]:
            states = found[:, one.parent] @ self.ties[one.levels, one.parent].T
            found[:, one.own] *= states[:, one.state]
        return found


def whole(count: int) -> JunctionTree:
    """Return the tree of one clique, with so many worlds."""
    none = np.zeros(0, np.intp)
    every = np.zeros(count, np.intp)
    one = Clique(slice(0, count), np.zeros(1, np.intp), every, slice(0, 0), none, slice(0, 1))
    return JunctionTree((one,), np.full((1, count), -1.0), one.first, every)


def junction_tree(
    tables: Sequence[Ints], questions: Sequence[Sequence[int]]
) -> tuple[JunctionTree, list[Places]]:
    """Return the tree of cliques, and which of the rows of each table are its worlds, in order.

    ``tables``: 1 for yes, 0 for no and −1 for annulled, with a column for each of the clique's
    ``questions``. Those that a clique shares with all before it, one of them has; else ValueError.
    Rows that are part of no world of all questions are left out.
    """
    parents, above, state = [0], [np.zeros(0, np.intp)], [np.zeros(len(tables[0]), np.intp)]
    places = [{one: at for at, one in enumerate(own)} for own in questions]
    seen = set(questions[0])
    for number, own in enumerate(places[1:], 1):
        shared = [one for one in own if one in seen]
        seen |= own.keys()
        parent = next((at for at in range(number) if places[at].keys() >= set(shared)), None)
        if parent is None:
            raise ValueError(f"no clique before {number} has all of {shared}")
        both = [tables[at][:, [places[at][one] for one in shared]] for at in (parent, number)]
        number_of: dict[bytes, int] = {}
        of = [
            np.array([number_of.setdefault(row.tobytes(), len(number_of)) for row in table])
            for table in both
        ]
        parents.append(parent)
        above.append(of[0])
        state.append(of[1])
    kept = [np.ones(len(table), np.bool_) for table in tables]
    for number in range(len(tables) - 1, 0, -1):
        kept[parents[number]] &= _among(above[number], state[number][kept[number]])
    for number in range(1, len(tables)):
        kept[number] &= _among(state[number], above[number][kept[parents[number]]])
    rows = [
        np.flatnonzero(some)[np.argsort(of[some], kind="stable")]
        for some, of in zip(kept, state, strict=True)
    ]
    ends = np.cumsum([0, *map(len, rows)])
    cliques, ties, level = list[Clique](), list[Floats](), 0
    for number, row in enumerate(rows):
        parent, mine = parents[number], state[number][row]
        first = np.flatnonzero(np.append(True, mine[1:] != mine[:-1]))
        to = above[number][rows[parent]] if number else above[number]
        one = Clique(
            slice(ends[number], ends[number + 1]),
            first,
            mine[first].searchsorted(mine),
            slice(ends[parent], ends[parent + 1]) if number else slice(0, 0),
            mine[first].searchsorted(to),
            slice(level, level := level + len(first)),
        )
        at = np.arange(len(first))[:, None]
        tie = np.zeros((len(first), ends[-1]))
        tie[:, one.parent] = one.above == at
        tie[:, one.own] -= one.state == at
        cliques.append(one)
        ties.append(tie)
    firsts = np.concatenate([one.own.start + one.first for one in cliques])
    states = np.concatenate([one.levels.start + one.state for one in cliques])
    return JunctionTree(tuple(cliques), np.vstack(ties), firsts, states), rows


def _among(some: Places, others: Places) -> Flags:
    """Return which of some small numbers are among the others."""
    found = np.zeros(1 + max(some.max(initial=0), others.max(initial=0)), np.bool_)
    found[others] = True
    return found[some]


def _cliques(near: Flags) -> list[tuple[list[int], list[int]]]:
    """Return the cliques of a graph (n, n), made chordal by minimum degree, in a tree's order.

    Each as the questions that it shares with one before it, and another question.
    """
    near = near & ~np.eye(len(near), dtype=np.bool_)
    degree = near.sum(axis=1)
    found = []
    for _ in range(len(near)):
        one = int(degree.argmin())
        shared = np.flatnonzero(near[one])
        found.append((shared.tolist(), [one]))
        near[np.ix_(shared, shared)] = True
        near[shared, shared] = False
        near[one] = near[:, one] = False
        degree[shared] = near[shared].sum(axis=1)
        degree[one] = len(near) + 1
    return found[::-1]


def taken_apart(yes: Flags, no: Flags) -> tuple[list[Ints], list[list[int]], list[Places]] | None:
    """Return the tables, the questions and each world's row of cliques that make these worlds.

    ``yes`` and ``no`` (n, m): of each question in each world, all of them different. That the
    cliques make no other worlds is known by their number. None if they do, or are too large.
    """
    outcomes = 1 + yes.astype(np.int64) - ~(yes | no)
    some = np.random.default_rng(0).permutation(yes.shape[1])[:_SAMPLE]
    sample = outcomes[:, some]
    together: list[list[int]] = []
    sizes: list[int] = []
    for shared, own in _cliques(_near(sample)):
        if len(shared) >= _MOST:
            return None
        alone = len(_distinct(sample, shared + own)[0])
        for place, questions in enumerate(together if shared else ()):
            if len(questions) < _MOST and set(shared) <= set(questions):
                both = len(_distinct(sample, questions + own)[0])
                if both <= max(alone, sizes[place]):
                    questions += own
                    sizes[place] = both
                    break
        else:
            together.append(shared + own)
            sizes.append(alone)
    each = [_distinct(outcomes, questions) for questions in together]
    tables = [
        outcomes[questions][:, worlds].T - 1
        for questions, (worlds, _) in zip(together, each, strict=True)
    ]
    return tables, together, [row for _, row in each]


def _near(outcomes: Ints) -> Flags:
    """Return which questions depend on each other, also if the outcome of another is known (n, n).

    They do so if a pair of their outcomes is missing in the worlds.
    """

    def missing(some: Ints) -> Flags:
        each = (some[None] == np.arange(3)[:, None, None]).astype(np.float32)
        flat = each.reshape(3 * len(some), some.shape[1])
        together = (flat @ flat.T > 0).reshape(*each.shape[:2], *each.shape[:2])
        occurs = each.any(axis=2)
        return np.asarray((occurs[:, :, None, None] & occurs & ~together).any(axis=(0, 2)))

    near = missing(outcomes)
    np.fill_diagonal(near, False)
    many = [len(set(one)) for one in outcomes.tolist()]
    for one in np.lexsort((-near.sum(axis=1), many)):
        others = np.flatnonzero(near[one])
        if len(others) > _FEW:
            left = np.zeros((len(others), len(others)), np.bool_)
            for outcome in range(3):
                left |= missing(outcomes[:, outcomes[one] == outcome][others])
            near[np.ix_(others, others)] &= left
    return near


def _distinct(outcomes: Ints, questions: Sequence[int]) -> tuple[Places, Places]:
    """Return a world for each of the outcomes that some questions have, and which each has."""
    code = outcomes[questions[0]]
    for one in questions[1:]:
        code = 3 * code + outcomes[one]
    found = np.full(3 ** len(questions), -1)
    found[code] = np.arange(len(code))
    kept = np.flatnonzero(found >= 0)
    rank = np.empty(len(found), np.intp)
    rank[kept] = np.arange(len(kept))
    return found[kept], rank[code]
