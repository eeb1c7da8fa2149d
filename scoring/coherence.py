"""The price of forecasts that contradict each other, and their coherent neighbour.

Some questions can have only certain outcomes together: their *worlds*. Forecasts that fit no
distribution over the worlds lose to the neighbour that is found here, whichever world comes true.
How much is certified: no other forecast is better by more in every world.

The program is that of Paleka et al. (2024), doi:10.48550/arXiv.2412.18544; the certificate follows
from its dual, by the propriety of the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, logsumexp, rel_entr, softmax

from scoring.arrays import Flags, Floats, Places
from scoring.errors import require
from scoring.junction_trees import JunctionTree, junction_tree, taken_apart, whole

Rule = Literal["log", "brier"]
# The gap that the solution tries to reach, and the one that it must.
AIM, BAR = 1e-14, 1e-6
TIGHT = 1e-10  # how much more can be won in a world of positive weight than in the worst
_MOST_STEPS, _PATIENCE = 100, 16  # steps in all, and without half of the gap
_SMALL, _LESS = 1e-8, 4  # a gap with which so many steps without half of it are enough
# To which share the products of weights and slacks go down in a step, by how far the last one could
# go; and how far of the way to the boundary a step goes.
_LEAST_CENTRE, _MOST_CENTRE, _STAY = 0.001, 0.8, 0.99
_HALVINGS = 100
_UNKNOWN = 2  # times the questions: so many worlds' weights are unknowns of a step
_RIDGE = 1e-15  # holds the weights of worlds back that make the same demand
# With more worlds than this times the questions, some are solved for first: to this gap at most, or
# to this share of the gap that the others leave.
_MANY, _ROUGH, _SHARE = 4, 1e-3, 1e-2
# Of a set of n forecasts, each has at least the variance of the first, divided by n; a question
# resolves with the second probability at least.
_LEAST_VARIANCE, _LEAST_SHARE, _ROUNDING = 1e-3, 1e-6, 1e-12


class Incoherence(NamedTuple):
    """The guaranteed losses of N sets of forecasts on n questions with m worlds.

    ``loss`` (N,): by how much the score of the ``coherent`` probabilities (N, n) is better, at
    least, whichever world comes true; 0 for coherent forecasts, infinite if every world was called
    impossible. ``weights`` (N, m): the distribution over the worlds with these probabilities.
    ``gap`` (N,): nothing is better in every world by more than ``loss`` and this.
    """

    loss: Floats
    coherent: Floats
    weights: Floats
    gap: Floats


class _Worlds(NamedTuple):
    """The questions that are yes and no in each world, (n, m); ``free``: those that can be both.

    Of the local worlds of a tree, each question has its outcomes in one clique alone.
    """

    yes: Floats
    no: Floats
    resolves: Floats
    free: Flags
    tree: JunctionTree


def incoherence(
    probabilities: npt.ArrayLike,
    worlds: Sequence[Sequence[int | None]] | Floats,
    rule: Rule = "log",
) -> Incoherence:
    """Return the guaranteed loss of sets of forecasts on the same questions.

    ``probabilities`` (N, n), or (n,) for one set, are of yes. ``worlds`` (m, n): the outcomes that
    are possible together, each 1, 0, or None for a question that is annulled there. ``rule``: the
    logarithmic score, in nats, or the Brier score (p − y)². Raises InputError, and ArithmeticError
    if a gap above 1e-6 is left.

    The loss is min over distributions w of Σ P_w(i resolves) D(P_w(i is yes | i resolves) ‖ p_i),
    where D is the divergence of the score. A question that resolves in no world of positive weight
    gets a probability with which the loss holds in the others, too, and one that never resolves
    keeps its own. By the logarithmic score, nothing can be said of worlds that p calls impossible.
    Paleka et al. (2024), doi:10.48550/arXiv.2412.18544.

    >>> found = incoherence([0.6, 0.6], [[1, 0], [0, 1]])  # one of two, and not both
    >>> found.coherent.round(6).tolist(), found.loss.round(6).tolist()
    ([[0.5, 0.5]], [0.040822])
    """
    p, yes, no = _given(probabilities, worlds)
    require("rule", rule, rule in ("log", "brier"), "is log or brier")
    many = yes.shape[1]
    found = Incoherence(
        np.full(len(p), np.inf), p.copy(), np.zeros((len(p), many)), np.zeros(len(p))
    )
    impossible = np.zeros((len(p), many), dtype=np.bool_)
    if rule == "log" and ((p == 0) | (p == 1)).any():
        impossible = ((p == 0) @ yes + (p == 1) @ no) > 0
    alike: dict[bytes, list[int]] = {}
    for number, excluded in enumerate(impossible):
        alike.setdefault(excluded.tobytes(), []).append(number)
    for same in alike.values():
        kept = np.flatnonzero(~impossible[same[0]])
        if len(kept):
            sets = np.array(same)
            own = (yes, no) if len(kept) == many else (yes[:, kept], no[:, kept])
            _solve(found, p[sets], sets, kept, _table(*own), rule)
    worst = float(found.gap.max(initial=0.0))
    if not worst <= BAR:
        raise ArithmeticError(f"The loss is known only to {worst:.2g}, and {BAR:g} is needed.")
    return found


def deviation(
    probabilities: npt.ArrayLike, worlds: Sequence[Sequence[int | None]] | Floats
) -> Floats:
    """Return by how much sets of forecasts are apart from coherent ones, (N,).

    Arguments as in ``incoherence``; raises InputError as there. In standard deviations of the
    outcomes: the least √Σ (q_i − p_i)² / v_i over coherent q, with v_i = p_i (1 − p_i) + 0.001 / n.
    Someone whose forecasts have independent noise with the standard deviations σ √v_i is apart by
    more than 2.6 σ about once in a hundred if one equation ties the questions. Unlike the loss, it
    counts a contradiction more where a forecast is near 0 or 1.

    With one equation of which each coefficient is 1 or −1 it is the “frequentist” violation of
    Paleka et al. (2024), doi:10.48550/arXiv.2412.18544; defined here for all worlds. A
    conditional counts by the probability of its condition, taken from the coherent neighbour.

    >>> deviation([0.6, 0.6], [[1, 0], [0, 1]]).round(4).tolist()  # 0.2 / √(0.48 + 0.001)
    [0.2884]
    """
    # Lazy: it is slow to import, and few commands need it.
    from scipy.optimize import nnls

    p, yes, no = _given(probabilities, worlds)
    resolves = yes + no
    spread = np.sqrt(p * (1 - p) + _LEAST_VARIANCE / p.shape[1])
    last = np.append(np.zeros(p.shape[1]), 1.0)
    found = np.zeros(len(p))
    for number, one in enumerate(p):
        share = np.ones(len(one))
        # Once more with the shares in which each question resolves, if some are ever annulled.
        for _ in range(1 + (resolves == 0).any()):
            apart = (yes - one[:, None] * resolves) / (spread[number] * share)[:, None]
            # The least of |apart @ w| with Σ w = 1 is had without that sum: if it is d, the least
            # of |apart @ w|² + (Σ w − 1)² is d² / (1 + d²), at w / (1 + d²).
            weights, left = nnls(np.vstack([apart, np.ones(apart.shape[1])]), last)
            share = np.maximum(resolves @ weights / weights.sum(), _LEAST_SHARE)
        found[number] = left / np.sqrt(1 - left**2)
    return np.where(found > _ROUNDING, found, 0.0)


def _given(
    probabilities: npt.ArrayLike, worlds: Sequence[Sequence[int | None]] | Floats
) -> tuple[Floats, Floats, Floats]:
    """Return the probabilities (N, n), and where each question is yes and no, (n, m)."""
    p = np.atleast_2d(np.asarray(probabilities, dtype=np.float64))
    table = np.array(worlds, dtype=float)  # None becomes nan
    known = p.ndim == 2 and bool(((p >= 0) & (p <= 1)).all())
    require("probabilities", p.shape, known, "needs probabilities from 0 to 1, one row a set")
    same = len(table) > 0 and table.ndim == 2 and table.shape[1] == p.shape[1]
    require("worlds", table.shape, same, "needs a world at least, each with one entry per question")
    table = np.ascontiguousarray(table.T)
    yes, no = table == 1, table == 0
    possible = bool((yes | no | np.isnan(table)).all())
    require("worlds", table.shape[::-1], possible, "needs 1, 0 or None in each place")
    return p, yes.astype(np.float64), no.astype(np.float64)


def _table(yes: Floats, no: Floats, tree: JunctionTree | None = None) -> _Worlds:
    free = np.asarray(yes.any(axis=1) & no.any(axis=1))
    return _Worlds(yes, no, yes + no, free, tree or whole(yes.shape[1]))


def _solve(
    found: Incoherence, p: Floats, sets: Places, kept: Places, worlds: _Worlds, rule: Rule
) -> None:
    """Write the solution of some sets, whose forecasts call the ``kept`` worlds possible."""
    certain = np.where(worlds.resolves.any(axis=1), worlds.yes.any(axis=1), p)
    weights = _independent(p, worlds)
    if (_value(p, weights, worlds, rule) <= AIM).all():
        q, rest = p.copy(), 1 - p
    else:
        few = worlds.yes.shape[1] <= _MANY * (p.shape[1] + 1)
        solved = _inside if few else _in_tree
        q, rest, weights = _of_group(p, certain, worlds, rule) or solved(p, certain, worlds, rule)
    gain = _gain(p, q, rest, worlds, rule)
    least = gain.min(axis=1)
    kinder = least > 0  # not so: the forecasts are as good as their neighbours, and stay
    gain[~kinder], least[~kinder], q[~kinder] = 0.0, 0.0, p[~kinder]
    worst = _only(weights, gain - least[:, None] <= TIGHT, worlds.tree)
    own = _value(p, worst, worlds, rule) - least
    gap = _value(p, weights, worlds, rule) - least
    same = np.asarray(own <= np.maximum(gap, TIGHT))
    found.loss[sets] = least
    # A probability that only rounds to 1 is not certain.
    found.coherent[sets] = np.where((q == 1) & (rest > 0), np.nextafter(1.0, 0.0), q)
    found.weights[np.ix_(sets, kept)] = np.where(same[:, None], worst, weights)
    found.gap[sets] = np.maximum(np.where(same, own, gap), 0.0)


def _of_group(
    p: Floats, certain: Floats, worlds: _Worlds, rule: Rule
) -> tuple[Floats, Floats, Floats] | None:
    """Return the same where (at most) one question is yes, or each implies the next; else None.

    For the logarithmic score all logits move by the same amount, so that the probabilities sum to
    1; or they become the isotonic regression of the logits. For the Brier score this is so without
    logits, but none below 0.
    """
    free = worlds.free
    n, m = free.sum(), worlds.yes.shape[1]
    # Of the others, each resolves everywhere or nowhere, and so counts alike in all worlds.
    if n < 2 or m not in (n, n + 1):
        return None
    if not ((worlds.resolves == worlds.resolves[:, :1]).all() and worlds.resolves[free].all()):
        return None
    yes = worlds.yes[free]
    by_sum = np.argsort(yes.sum(axis=0), kind="stable")
    order = np.argsort(yes.sum(axis=1), kind="stable")
    said, q, weights = p[:, free], certain.copy(), np.zeros((len(p), m))
    if (yes.sum(axis=1) == 1).all() and (yes.sum(axis=0) <= 1).all():
        own = _one_of(said, rule, none=m > n)
        weights[:, by_sum[m - n :]] = own[:, yes.argmax(axis=0)[by_sum[m - n :]]]
        weights[:, by_sum[: m - n]] = 1 - own.sum(axis=1, keepdims=True)
    elif m > n and (yes[order][:, by_sum] == np.tri(n, m, 0)[:, ::-1]).all():
        # Lazy: it is slow to import, and few commands need it.
        from scipy.optimize import isotonic_regression

        own = np.empty_like(said)
        logits = logit(said) if rule == "log" else said
        for number, one in enumerate(logits[:, order]):
            own[number, order] = isotonic_regression(one).x
        own = expit(own) if rule == "log" else own
        ends = np.pad(own[:, order], ((0, 0), (1, 1)), constant_values=((0, 0), (0, 1)))
        weights[:, by_sum] = np.diff(ends, axis=1)[:, ::-1]
    else:
        return None
    q[:, free] = own
    return q, 1 - q, weights.clip(0.0, 1.0)


def _one_of(p: Floats, rule: Rule, *, none: bool) -> Floats:
    """Return the neighbours of forecasts of which one comes true, or possibly ``none``."""
    if rule == "brier":
        # The projection on a simplex.
        down = -np.sort(-p, axis=1)
        shifts = (1 - np.cumsum(down, axis=1)) / np.arange(1, p.shape[1] + 1)
        last = (down + shifts > 0).sum(axis=1) - 1
        moved = np.maximum(p + np.take_along_axis(shifts, last[:, None], axis=1), 0.0)
    else:
        logits = logit(p)
        low, high = -logsumexp(logits, axis=1), -np.partition(logits, -2, axis=1)[:, -2]
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            over = expit(logits + middle[:, None]).sum(axis=1) > 1
            low, high = np.where(over, low, middle), np.where(over, middle, high)
        moved = expit(logits + low[:, None])
        moved /= moved.sum(axis=1, keepdims=True)
    return np.where(none & (p.sum(axis=1, keepdims=True) <= 1), p, moved)


def _independent(p: Floats, worlds: _Worlds) -> Floats:
    """Return the weights of the worlds if the questions depend on each other in nothing else.

    Forecasts of a tree of conditionals alone are coherent with them.
    """
    of_yes, of_no = (np.log(np.maximum(one, np.finfo(float).tiny)) for one in (p, 1 - p))
    return np.asarray(softmax(of_yes @ worlds.yes + of_no @ worlds.no, axis=1))


def _in_tree(
    p: Floats, certain: Floats, worlds: _Worlds, rule: Rule
) -> tuple[Floats, Floats, Floats]:
    """Return the same for many worlds, over the local worlds of a tree if they make one.

    Each question is won in one of its cliques, so that a world wins the sum over its local worlds.
    The least sum is the highest first level with which no local world is below 0
    (``JunctionTree.levels``): the same program, with more levels and fewer worlds. Distributions
    over the cliques' worlds that agree where they overlap are those of one over all worlds.
    """
    apart = taken_apart(worlds.yes > 0, worlds.no > 0)
    if apart is None:
        return _among_many(p, certain, worlds, rule)
    tables, questions, of = apart
    tree, rows = junction_tree(tables, questions)
    if tree.count() != worlds.yes.shape[1]:
        return _among_many(p, certain, worlds, rule)
    yes, no = np.zeros((2, p.shape[1], tree.ties.shape[1]))
    seen = set[int]()
    for clique, table, own, row in zip(tree.cliques, tables, questions, rows, strict=True):
        for at, one in enumerate(own):
            if one not in seen:
                yes[one, clique.own] = table[row, at] == 1
                no[one, clique.own] = table[row, at] == 0
        seen.update(own)
    q, rest, local = _inside(p, certain, _table(yes, no, tree), rule)
    shares = np.nan_to_num(tree.shares(local))
    weights = np.ones((len(p), worlds.yes.shape[1]))
    for clique, row, place in zip(tree.cliques, rows, of, strict=True):
        weights *= shares[:, clique.own][:, np.argsort(row)[place]]
    return q, rest, weights


def _among_many(
    p: Floats, certain: Floats, worlds: _Worlds, rule: Rule
) -> tuple[Floats, Floats, Floats]:
    """Return the same for many worlds, of which hardly more than questions bear weight.

    The best forecasts for a few worlds, in which each question can be all that it can be, are the
    best for all, unless less is won in others. The worst of those join the few.
    """
    q, rest, weights = np.empty_like(p), np.empty_like(p), np.zeros((len(p), worlds.yes.shape[1]))
    size = p.shape[1] + 1
    cover = np.append(worlds.yes.argmax(axis=1), worlds.no.argmax(axis=1))
    likely = np.argpartition(-_independent(p, worlds), size, axis=1)[:, :size]
    for one in range(len(p)):
        kept, goal = np.union1d(cover, likely[one]), _ROUGH
        while True:
            few = _table(worlds.yes[:, kept], worlds.no[:, kept])
            own = _inside(p[[one]], certain[[one]], few, rule, goal)
            gain = _gain(p[[one]], own[0], own[1], worlds, rule)[0]
            short = gain[kept].min() - gain
            worst = np.argpartition(-short, size)[:size]
            worst = worst[short[worst] > goal]
            if len(worst) == 0 and goal == AIM:
                break
            goal = max(AIM, min(goal, _SHARE * float(short[worst].max(initial=0.0))))
            kept = np.union1d(kept, worst)
        (q[one],), (rest[one],), (weights[one, kept],) = own
    return q, rest, weights


def _inside(
    p: Floats, certain: Floats, worlds: _Worlds, rule: Rule, goal: float = AIM
) -> tuple[Floats, Floats, Floats]:
    """Return probabilities, those of no, and weights for any worlds.

    The least advantage over the worlds is maximised over q, a concave program, by a primal-dual
    interior point method: Newton steps in q, the level and the slacks above it, and the weights,
    towards weight · slack = the same small number in each world.
    """
    q = np.where(worlds.free, 0.5, certain)
    rest = 1 - q  # by itself, for it is small where q is almost 1
    gain = _gain(p, q, rest, worlds, rule)
    weights = worlds.tree.joined(worlds.tree.shares(np.ones_like(gain)))
    levels = worlds.tree.levels(gain, 1.0)
    slack = gain + levels @ worlds.tree.ties
    centre = np.full(len(p), _MOST_CENTRE)
    best, gap, idle = (q.copy(), rest.copy(), weights.copy()), np.full(len(p), np.inf), 0
    for _ in range(_MOST_STEPS):
        aim = (centre * (weights * slack).mean(axis=1))[:, None]
        room = gain + levels @ worlds.tree.ties
        step, rise, fall, growth = _step(q, rest, weights, slack, aim, room, worlds, rule)
        way = _way(fall / slack, -np.abs(step) if rule == "log" else np.zeros_like(step))
        own = _way(growth / weights)
        step = way[:, None] * step * (q * rest if rule == "log" else 1.0)
        q, rest = q + step, rest - step
        levels, slack = levels + way[:, None] * rise, slack + way[:, None] * fall
        weights = weights + own[:, None] * growth
        centre = ((1 - np.minimum(own, way)) ** 2).clip(_LEAST_CENTRE, _MOST_CENTRE)
        gain = _gain(p, q, rest, worlds, rule)
        # A world in which more is won than in the worst has no weight in the end.
        pure = _only(weights, weights > slack, worlds.tree)
        least = worlds.tree.levels(gain)
        room = gain + least @ worlds.tree.ties
        loose = np.where(pure > 0, room, 0.0).max(axis=1) * (AIM / TIGHT)
        now = np.maximum(_value(p, pure, worlds, rule) - least[:, 0], loose)
        better = now < gap
        for kept, one in zip(best, (q, rest, pure), strict=True):
            kept[better] = one[better]
        idle = 0 if (now < gap / 2).any() else idle + 1
        gap = np.minimum(gap, now)
        if idle >= (_LESS if (gap <= _SMALL).all() else _PATIENCE) or (gap <= goal).all():
            break
    return best


def _only(weights: Floats, chosen: Flags, tree: JunctionTree) -> Floats:
    """Return the distributions with the weights of some worlds; of all where none is chosen."""
    some, every = tree.shares(np.where(chosen, weights, 0.0)), tree.shares(weights)
    return tree.joined(np.where(np.isnan(some), every, some))


def _gain(p: Floats, q: Floats, rest: Floats, worlds: _Worlds, rule: Rule) -> Floats:
    """Return by how much q scores better than p in each world, (N, m)."""
    if rule == "brier":
        return ((1 - p) ** 2 - rest**2) @ worlds.yes + (p**2 - q**2) @ worlds.no
    with np.errstate(divide="ignore", invalid="ignore"):
        of_yes, of_no = np.log(q) - np.log(p), np.log(rest) - np.log1p(-p)
    # Where p is certain q is so, too; and what is the case in no world counts nowhere.
    counts = (p > 0) & (p < 1)
    return np.asarray(
        np.where(counts & worlds.yes.any(axis=1), of_yes, 0.0) @ worlds.yes
        + np.where(counts & worlds.no.any(axis=1), of_no, 0.0) @ worlds.no
    )


def _value(p: Floats, weights: Floats, worlds: _Worlds, rule: Rule) -> Floats:
    """Return the value of the program, Σ P(i resolves) D(P(i | i resolves) ‖ p_i), (N,)."""
    some = weights @ worlds.resolves.T
    q = np.divide(weights @ worlds.yes.T, some, out=p.copy(), where=some > 0).clip(0.0, 1.0)
    apart = (q - p) ** 2 if rule == "brier" else rel_entr(q, p) + rel_entr(1 - q, 1 - p)
    return np.asarray((some * apart).sum(axis=1))


def _step(
    q: Floats,
    rest: Floats,
    weights: Floats,
    slack: Floats,
    aim: Floats,
    room: Floats,
    worlds: _Worlds,
    rule: Rule,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return a Newton step in q, in the levels, in the slacks and in the weights.

    That in q is of its logit if the score is logarithmic, so that all slopes are below 1; ``aim``:
    of weight · slack.
    """
    ties = worlds.tree.ties
    n, m = q.shape[1], weights.shape[1]
    size = n + len(ties)
    yes, no = weights @ worlds.yes.T, weights @ worlds.no.T
    slopes = (worlds.yes - q[:, :, None] * worlds.resolves) * worlds.free[:, None]
    curve = yes * rest**2 + no * q**2
    if rule == "brier":
        slopes, curve = 2 * slopes, 2 * (yes + no)
    slopes = np.append(slopes, np.broadcast_to(ties, (len(q), *ties.shape)), axis=1)
    # Where slacks are small, the new weights stay unknowns of the system: to put them in would lose
    # the small ones. Those of other worlds, which may be many, are put in.
    ratio, target = slack / weights, aim / weights - room + slack
    many = min(m, _UNKNOWN * size)
    kept = np.argpartition(ratio, many - 1, axis=1)[:, :many]
    put_in = 1 / ratio
    np.put_along_axis(put_in, kept, 0.0, axis=1)
    own, bend = np.take_along_axis(slopes, kept[:, None], axis=2), slopes * put_in[:, None]
    near = np.take_along_axis(ratio, kept, axis=1)
    system = np.zeros((len(q), size + many, size + many))
    if many < m:
        system[:, :size, :size] = bend @ slopes.transpose(0, 2, 1)
    system[:, :size, size:], system[:, size:, :size] = -own, own.transpose(0, 2, 1)
    at, of = np.arange(n), np.arange(size, size + many)
    system[:, at, at] += np.where(worlds.free, curve, 1.0)
    system[:, of, of] = near + _RIDGE
    right = np.zeros((len(q), size + many))
    right[:, :size] = (bend @ target[:, :, None])[:, :, 0]
    right[:, n] += 1.0
    right[:, size:] = np.take_along_axis(target + _RIDGE * weights, kept, axis=1)
    diagonal = np.diagonal(system[:, :size, :size], axis1=1, axis2=2)
    scale = np.sqrt(np.append(np.where(diagonal > 0, diagonal, 1.0), np.maximum(near, 1.0), axis=1))
    system /= scale[:, :, None] * scale[:, None, :]
    found = np.linalg.solve(system, (right / scale)[:, :, None])[:, :, 0] / scale
    step = found[:, :size]
    lift = (step[:, None, :] @ slopes)[:, 0, :]
    grown = put_in * (target - lift)
    np.put_along_axis(grown, kept, found[:, size:], axis=1)
    return step[:, :n], step[:, n:], lift + room - slack, grown - weights


def _way(*steps: Floats) -> Floats:
    """Return how much of a step, in shares of values that stay positive, is taken."""
    least = np.min([step.min(axis=1) for step in steps], axis=0)
    return np.asarray(np.minimum(1.0, _STAY / np.maximum(-least, 1e-300)))
