"""Difficulty-adjusted scores: groups that answered different questions, on a common scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from scoring.arrays import Codes, Floats, Places
from scoring.errors import InputError, Problem, require
from scoring.means import LEAST, LEVEL, Families, families_of

Value = Callable[[Codes], Floats]

COLUMNS = ("group", "question_id", "score")
# Rows of products, and groups, that are made at once.
_AT_ONCE, _GROUPS = 1 << 16, 512


def difficulty_adjusted(scores: pd.DataFrame, families: Families | None = None) -> pd.DataFrame:
    """Return each group's mean score, adjusted for the difficulty of its questions.

    ``scores`` has one row per group and question: ``group``, ``question_id``, ``score``. The model
    is score = group effect + question effect + error, by least squares. A question that one group
    alone answered says nothing about its difficulty, and is not used. Effects are comparable only
    between groups that shared questions connect, directly or through others: each such set is a
    ``component``, numbered from 0 by size. Within it, ``adjusted`` is the group's expected score if
    every group had answered all of the component's questions.

    Columns: ``group``, ``component``, ``questions`` (those used), ``raw`` (the mean of their
    scores), ``adjusted``, ``lower``, ``upper``: the 95% interval of the adjusted score, given the
    difficulties of the questions. Sorted by component and adjusted score. Groups that share no
    question are left out. ``families`` maps a question id to its family, the unit of the interval;
    it is NaN below two of effectively equal size.

    Assumptions: a question is harder for all by the same amount; which group answers which question
    does not depend on how well it does there; groups that forecast a question later than others had
    no advantage from that. Errors of different families are independent.

    With U_f the sum of the residuals of a family per group, and A⁺ the pseudoinverse of the normal
    equations of the groups, the covariance is H/(H−1) A⁺ Σ U_f U_fᵀ A⁺, with H the effective number
    of the group's families, and Student's t on H − 1 degrees of freedom.

    Abowd, Kramarz & Margolis (1999), doi:10.1111/1468-0262.00020, for both effects and connected
    groups; Liang & Zeger (1986), doi:10.1093/biomet/73.1.13, for the covariance. Raises InputError.

    >>> scores = pd.DataFrame({"group": ["a", "a", "b", "b", "c", "c"],
    ...     "question_id": [1, 2, 2, 3, 1, 3], "score": [0.1, 0.3, 0.2, 0.4, 0.2, 0.5]})
    >>> difficulty_adjusted(scores)[["group", "raw", "adjusted"]].round(3)
      group   raw  adjusted
    0     b  0.30     0.217
    1     a  0.20     0.283
    2     c  0.35     0.350
    """
    missing = [name for name in COLUMNS if name not in scores]
    if missing:
        raise InputError([Problem("scores", name, None, None, "the column is required")
                          for name in missing])  # fmt: skip
    finite = np.isfinite(scores["score"].to_numpy(dtype=np.float64)).all()
    require("score", None, finite, "must be finite")
    # A question has one row for each of its groups.
    question, ids = _codes(scores["question_id"])
    several = _totals(question, len(ids)) > 1
    if not several.all():
        scores = scores[several[question]]
        question, ids = _codes(scores["question_id"])
    family = families_of(pd.Series(ids), families).astype(np.int32)
    group, names = _codes(scores["group"], sort=True)
    score = scores["score"].to_numpy(dtype=np.float64)
    table = _adjusted(len(names), score, group, question, family)
    table.insert(0, "group", names)
    return table.sort_values(["component", "adjusted"], ignore_index=True)


def _codes(column: pd.Series, *, sort: bool = False) -> tuple[Codes, pd.Index]:
    """Return the number of each value, in few bytes, and the values."""
    code, values = pd.factorize(column, sort=sort)
    return code.astype(np.min_scalar_type(len(values))), pd.Index(values)


def _adjusted(
    groups: int, score: Floats, group: Codes, question: Codes, family: Codes
) -> pd.DataFrame:
    """Return the columns of each group; ``family`` is that of each question."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.linalg import inv
    from scipy.special import stdtrit

    asked = len(family)
    many = _totals(question, asked)
    own = _totals(group, groups)
    columns: dict[str, Floats] = {
        name: np.full(groups, math.nan) for name in ("raw", "adjusted", "lower", "upper")
    }
    component = np.zeros(groups, dtype=np.intp)
    if len(score):
        root = np.sqrt(1 / many)
        order = _by_unit(question)
        normal = _products(lambda rows: root[question[rows]], group, question, order, groups)
        component, size = _components(normal)
        np.negative(normal, out=normal)
        normal[np.diag_indices(groups)] += own
        # The normal equations of a component add up to 0: its mean is added, and subtracted again.
        _add_means(normal, component, size)
        inverse = inv(normal.T, overwrite_a=True)  # symmetric, and LAPACK goes by columns
        del normal
        _add_means(inverse, component, -size)
        mean = _totals(question, asked, lambda rows: score[rows]) / many
        effect = inverse @ _totals(group, groups, lambda rows: score[rows] - mean[question[rows]])
        level = _totals(question, asked, lambda rows: score[rows] - effect[group[rows]]) / many
        columns["raw"] = _totals(group, groups, lambda rows: score[rows]) / own
        # The mean difficulty of the component's questions.
        of_question = np.zeros(asked, dtype=np.intp)
        for rows in _blocks(len(score)):
            of_question[question[rows]] = component[group[rows]]
        difficulty = np.bincount(of_question, level) / np.bincount(of_question)
        columns["adjusted"] = effect + difficulty[component]
        if family.max() + 1 == asked and (family == np.arange(asked)).all():
            cluster = question
        else:
            cluster = family[question]
            order = _by_unit(cluster)
        held = sum(
            sums.power(2).sum(axis=1)
            for sums in _sums(lambda rows: np.ones(len(rows)), group, cluster, order, groups)
        )
        effective = own**2 / held

        def residual(rows: Codes) -> Floats:
            return np.asarray(score[rows] - effect[group[rows]] - level[question[rows]])

        # The diagonal of A⁺ Σ U_f U_fᵀ A⁺.
        between = _products(residual, group, cluster, order, groups)
        variance = np.empty(groups)
        for start in range(0, groups, _GROUPS):
            some = slice(start, start + _GROUPS)
            variance[some] = ((inverse[some] @ between) * inverse[some]).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.sqrt(effective / (effective - 1) * variance.clip(min=0.0))
        error[effective < LEAST] = math.nan
        far = stdtrit(np.maximum(effective, LEAST) - 1, (1 + LEVEL) / 2) * error
        columns["lower"], columns["upper"] = columns["adjusted"] - far, columns["adjusted"] + far
    return pd.DataFrame({"component": component, "questions": own.astype(np.int64)} | columns)


def _components(linked: Floats) -> tuple[Places, Places]:
    """Return the component of each group, and the groups of each, the largest first.

    Those of scipy take a copy of the table.
    """
    component = np.full(len(linked), -1)
    found = 0
    while (left := np.flatnonzero(component < 0)).size:
        reached = left[:1]
        while reached.size:
            component[reached] = found
            near = np.zeros(len(linked), dtype=np.bool_)
            for group in reached:
                near |= linked[group] != 0
            reached = np.flatnonzero(near & (component < 0))
        found += 1
    size = np.bincount(component)
    sized = np.argsort(-size, kind="stable")
    return np.argsort(sized)[component], size[sized]


def _blocks(rows: int) -> Iterator[slice]:
    for start in range(0, rows, _AT_ONCE):
        yield slice(start, start + _AT_ONCE)


def _totals(of: Codes, units: int, value: Callable[[slice], Floats] | None = None) -> Floats:
    """Return the sum of each unit's values, or the number of its rows."""
    total = np.zeros(units)
    for rows in _blocks(len(of)):
        found = np.bincount(of[rows], None if value is None else value(rows))
        total[: len(found)] += found
    return total


def _add_means(table: Floats, component: Places, size: Places) -> None:
    """Add 1 / size to the entries of each component."""
    for start in range(0, len(table), _GROUPS):
        some = slice(start, start + _GROUPS)
        table[some] += np.equal.outer(component[some], component) / size[component[some], None]


def _by_unit(of: Codes) -> Codes:
    """Return the rows in the order of their units."""
    return np.argsort(of, kind="stable").astype(np.int32)


def _products(value: Value, group: Codes, of: Codes, order: Codes, groups: int) -> Floats:
    """Return Σ v vᵀ over the units ``of``, with v the sum of a unit's values by group.

    ``value`` returns those of some rows; ``order`` from ``_by_unit``.
    """
    total = np.zeros((groups, groups))
    for sums in _sums(value, group, of, order, groups):
        found = (sums @ sums.T).tocoo()
        total[found.row, found.col] += found.data
    return total


def _sums(value: Value, group: Codes, of: Codes, order: Codes, groups: int) -> Iterator[Any]:
    """Yield the sums of values by group and unit, as sparse arrays of some units each."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.sparse import coo_array

    many = _totals(of, int(of.max()) + 1).astype(np.intp)
    first = np.cumsum(many) - many
    cuts = np.unique(first[of[order[::_AT_ONCE]]])
    for start, end in pairwise([*cuts, len(order)]):
        rows = order[start:end]
        unit = of[rows]
        place = (unit - unit[0]).astype(np.int32)
        shape = (groups, int(place[-1]) + 1)
        yield coo_array((value(rows), (group[rows], place)), shape=shape).tocsr()
