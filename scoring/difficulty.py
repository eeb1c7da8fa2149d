"""Difficulty-adjusted scores: groups that answered different questions, on a common scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats, Places
from scoring.errors import InputError, Problem, require
from scoring.means import LEAST, LEVEL, Families, families_of

Numbers = npt.NDArray[np.integer]

COLUMNS = ("group", "question_id", "score")
# Rows of scores, and groups, that are worked on at once.
_ROWS, _GROUPS = 1 << 16, 512


class Block(NamedTuple):
    """Scores on all questions of some families: group, question and family are numbers from 0."""

    group: Numbers
    question: Numbers
    family: Numbers
    score: Floats


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
    question, ids = pd.factorize(scores["question_id"])
    family = families_of(pd.Series(ids), families)[question]
    group, names = pd.factorize(scores["group"], sort=True)
    block = Block(group, question, family, scores["score"].to_numpy(dtype=np.float64))
    return adjusted_in_blocks(pd.Index(names), lambda: [block])


def adjusted_in_blocks(names: pd.Index, blocks: Callable[[], Iterable[Block]]) -> pd.DataFrame:
    """Return ``difficulty_adjusted`` of scores that come in blocks.

    Memory holds one block and about four tables of groups by groups. ``names``: of the groups.
    ``blocks`` is called twice and returns all scores each time.
    """
    table = _adjusted(len(names), lambda: (some for block in blocks() for some in _parts(block)))
    table.insert(0, "group", names)
    table = table[table["questions"] > 0]
    return table.sort_values(["component", "adjusted"], ignore_index=True)


def _parts(block: Block) -> Iterator[Block]:
    """Yield the block in parts of whole families, with questions and families numbered from 0.

    Questions that only one group answered are left out.
    """
    order = np.argsort(block.family, kind="stable")
    family = block.family[order]
    start = 0
    while start < len(order):
        end = np.searchsorted(family, family[min(start + _ROWS, len(order)) - 1], side="right")
        rows = order[start:end]
        start = int(end)
        # A question has one row for each of its groups.
        question = np.unique(block.question[rows], return_inverse=True)[1]
        several = (np.bincount(question) > 1)[question]
        rows, question = rows[several], question[several]
        if len(rows):
            yield Block(
                block.group[rows],
                np.unique(question, return_inverse=True)[1],
                np.unique(block.family[rows], return_inverse=True)[1],
                block.score[rows],
            )


def _adjusted(groups: int, parts: Callable[[], Iterator[Block]]) -> pd.DataFrame:
    """Return the columns of each group."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.linalg import inv
    from scipy.special import stdtrit

    own, raw, right, held = np.zeros((4, groups))
    table = np.zeros((groups, groups))
    for group, question, family, score in parts():
        many = np.bincount(question)
        own += np.bincount(group, minlength=groups)
        raw += np.bincount(group, score, groups)
        mean = np.bincount(question, score) / many
        right += np.bincount(group, score - mean[question], groups)
        _add_products(table, np.sqrt(1 / many)[question], group, question, sign=-1)
        held += _sums(np.ones(len(group)), group, family, groups).power(2).sum(axis=1)
    component, size = _components(table)
    # The normal equations of a component add up to 0: its mean is added, and subtracted again.
    table[np.diag_indices(groups)] += own
    _add_means(table, component, size)
    inverse = inv(table.T, overwrite_a=True)  # symmetric, and LAPACK goes by columns
    del table
    _add_means(inverse, component, -size)
    effect = inverse @ right
    # The mean difficulty of the component's questions, and the covariance of the right-hand side.
    level_sum, questions = np.zeros((2, len(size)))
    table = np.zeros((groups, groups))
    for group, question, family, score in parts():
        many = np.bincount(question)
        level = np.bincount(question, score - effect[group]) / many
        of_question = np.zeros(len(many), dtype=np.intp)
        of_question[question] = component[group]
        level_sum += np.bincount(of_question, level, len(size))
        questions += np.bincount(of_question, minlength=len(size))
        _add_products(table, score - effect[group] - level[question], group, family)
    # The diagonal of A⁺ Σ U_f U_fᵀ A⁺.
    variance = np.empty(groups)
    for start in range(0, groups, _GROUPS):
        some = slice(start, start + _GROUPS)
        variance[some] = ((inverse[some] @ table) * inverse[some]).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = own**2 / held
        error = np.sqrt(effective / (effective - 1) * variance.clip(min=0.0))
        adjusted = effect + (level_sum / questions)[component]
        raw /= own
    error[~(effective >= LEAST)] = math.nan
    far = stdtrit(np.fmax(effective, LEAST) - 1, (1 + LEVEL) / 2) * error
    return pd.DataFrame(
        {
            "component": component,
            "questions": own.astype(np.int64),
            "raw": raw,
            "adjusted": adjusted,
            "lower": adjusted - far,
            "upper": adjusted + far,
        }
    )


def _components(linked: Floats) -> tuple[Places, Places]:
    """Return the component of each group, and the size of each component, largest first."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    component = connected_components(csr_array(linked != 0), directed=False)[1]
    size = np.bincount(component)
    sized = np.argsort(-size, kind="stable")
    return np.argsort(sized)[component], size[sized]


def _add_means(table: Floats, component: Places, size: Places) -> None:
    """Add 1 / size to the entries of each component."""
    for start in range(0, len(table), _GROUPS):
        some = slice(start, start + _GROUPS)
        table[some] += np.equal.outer(component[some], component) / size[component[some], None]


def _add_products(
    table: Floats, value: Floats, group: Numbers, unit: Numbers, *, sign: int = 1
) -> None:
    """Add Σ v vᵀ over the units, with v the sum of a unit's values by group."""
    sums = _sums(value, group, unit, len(table))
    found = (sums @ sums.T).tocoo()
    table[found.row, found.col] += sign * found.data


def _sums(value: Floats, group: Numbers, unit: Numbers, groups: int) -> Any:
    """Return the sums of values by group and unit, as a sparse array."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.sparse import coo_array

    return coo_array((value, (group, unit)), shape=(groups, int(unit.max()) + 1)).tocsr()
