"""The guaranteed loss of forecasts that contradict each other, and its certificate."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.optimize import linprog

from scoring import InputError, deviation, incoherence
from scoring.coherence import Rule

Table = list[list[int | None]]
RULES: tuple[Rule, ...] = ("log", "brier")
AND: Table = [[1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0]]
CONDITIONAL: Table = [[1, 1, 1], [1, 0, 0], [0, None, 0]]  # A, B given A, both
BRANCHES: Table = [[1, 1, 1, None], [1, 0, 0, None], [0, 1, None, 1], [0, 0, None, 0]]
NESTED: Table = [[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]]
EXCLUSIVE: Table = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
TABLES = [AND, CONDITIONAL, BRANCHES, NESTED, EXCLUSIVE, EXCLUSIVE[:3]]


def lost(p: float, y: int, rule: Rule) -> float:
    """Return the score of a forecast, of which less is better."""
    if rule == "brier":
        return (p - y) ** 2
    chance = p if y else 1 - p
    return -math.log(chance) if chance > 0 else math.inf


def divergence(q: float, p: float, rule: Rule) -> float:
    """Return by how much p scores worse than q if q is right."""
    return sum(
        chance * (lost(p, y, rule) - lost(q, y, rule))
        for y, chance in ((1, q), (0, 1 - q))
        if chance > 0
    )


def by_planes(p: list[float], worlds: Table, rule: Rule) -> tuple[float, float]:
    """Return bounds of the least divergence, by cutting planes: slow, and another way to it.

    The value of a distribution is convex and homogeneous, so that the gain of its probabilities in
    each world is a plane below it.
    """
    m = len(worlds)
    at = np.full(m, 1 / m)
    planes: list[list[float]] = []
    least = math.inf
    low = -math.inf
    for _ in range(100):
        value, plane = 0.0, [0.0] * m
        for number, mine in enumerate(p):
            outcomes = [world[number] for world in worlds]
            some = sum(w for w, y in zip(at, outcomes, strict=True) if y is not None)
            yes = sum(w for w, y in zip(at, outcomes, strict=True) if y)
            # Not at the ends, where the plane is upright.
            q = min(max(yes / some, 1e-13), 1 - 1e-13) if some > 0 else mine
            value += some * divergence(q, mine, rule)
            for place, y in enumerate(outcomes):
                if y is not None:
                    plane[place] += lost(mine, y, rule) - lost(q, y, rule)
        least = min(least, value)
        planes.append([*plane, -1.0])
        found = linprog(
            [0.0] * m + [1.0],
            A_ub=planes,
            b_ub=[0.0] * len(planes),
            A_eq=[[1.0] * m + [0.0]],
            b_eq=[1.0],
            bounds=[(0, 1)] * m + [(None, None)],
        )
        assert found.fun is not None
        assert found.x is not None
        low = found.fun
        if least - low < 1e-6:
            break
        at = 0.5 * at + 0.5 * found.x[:m]  # half of the way: the planes are steep at the ends
    return low, least


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("worlds", TABLES)
def test_the_loss_is_that_of_a_slow_reference(worlds: Table, rule: Rule) -> None:
    random = np.random.default_rng(35)
    for _ in range(2):
        p = random.uniform(0.02, 0.98, len(worlds[0])).tolist()
        low, high = by_planes(p, worlds, rule)
        [loss], [gap] = incoherence(p, worlds, rule).loss, incoherence(p, worlds, rule).gap
        assert gap <= 1e-9
        assert low - 1e-6 <= loss <= high + 1e-6
        assert high - low < 1e-4


@pytest.mark.parametrize(
    ("p", "worlds", "loss", "coherent"),
    [
        # Of one of two: half of what is too much each, and the logarithm's geometric mean.
        ([0.6, 0.6], [[1, 0], [0, 1]], 2 * math.log(0.5 / math.sqrt(0.24)), [0.5, 0.5]),
        # Twice the same question: the mean of the logits.
        (
            [0.8, 0.5],
            [[1, 1], [0, 0]],
            -2 * math.log(math.sqrt(0.4) + math.sqrt(0.1)),
            [2 / 3, 2 / 3],
        ),
        ([0.3, 0.5, 0.2], AND, 0.0, [0.3, 0.5, 0.2]),
        # Never resolves: its own.
        ([0.3, 0.9], [[1, None], [0, None]], 0.0, [0.3, 0.9]),
    ],
)
def test_some_losses_are_known(
    p: list[float], worlds: Table, loss: float, coherent: list[float]
) -> None:
    found = incoherence(p, worlds)
    assert found.loss.tolist() == pytest.approx([loss], abs=1e-12)
    assert found.coherent[0].tolist() == pytest.approx(coherent, abs=1e-6)


def test_certain_forecasts_lose_exactly_or_infinitely() -> None:
    same: Table = [[1, 1], [0, 0]]
    found = incoherence([[1.0, 0.0], [1.0, 0.5], [0.0, 0.0]], same)
    assert found.loss.tolist() == pytest.approx([math.inf, math.log(2), 0.0])
    assert found.coherent[1:].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert incoherence([1.0, 0.0], same, "brier").loss.tolist() == pytest.approx([0.5])


@pytest.mark.parametrize("rule", RULES)
def test_sets_together_are_as_each_alone(rule: Rule) -> None:
    p = np.random.default_rng(1).choice([0.0, 0.2, 0.7, 1.0], size=(30, 4))
    together = incoherence(p, BRANCHES, rule)
    alone = [incoherence(one, BRANCHES, rule).loss[0] for one in p]
    assert together.loss.tolist() == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_large_groups(rule: Rule) -> None:
    n = 200
    p = np.random.default_rng(2).uniform(0.001, 0.1, n)
    options: Table = [[int(one == other) for other in range(n)] for one in range(n)]
    deadlines: Table = [[int(one <= other) for other in range(n)] for one in range(n + 1)]
    assert incoherence(p, options, rule).gap.max() < 1e-9
    found = incoherence(p, deadlines, rule)
    assert found.gap.max() < 1e-9
    assert (np.diff(found.coherent[0]) >= -1e-12).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("worlds", [NESTED, EXCLUSIVE, EXCLUSIVE[:3]])
def test_a_group_in_any_order_is_as_among_worlds_of_any_kind(worlds: Table, rule: Rule) -> None:
    """An independent question removes the structure, and changes nothing else."""
    random = np.random.default_rng(3)
    columns, rows = random.permutation(3), random.permutation(len(worlds))
    group: Table = [[worlds[row][column] for column in columns] for row in rows]
    p = np.append(random.uniform(0, 1, (20, 3)), [[0, 0.3, 0.9], [0.4, 1, 0.2]], axis=0)
    alone = incoherence(p, group, rule)
    beside: Table = [[*world, free] for world in group for free in (0, 1)]
    among = incoherence(np.append(p, np.full((22, 1), 0.5), axis=1), beside, rule)
    assert alone.loss.tolist() == pytest.approx(among.loss.tolist(), abs=1e-10)
    assert alone.coherent == pytest.approx(among.coherent[:, :3], abs=1e-6)
    assert alone.gap.max() < 1e-12


def both_branches(pairs: int) -> Table:
    """Return the worlds of a question, and of as many others: outright, if so, and if not so."""
    return [
        [so, *own, *(y if so else None for y in own), *(None if so else y for y in own)]
        for so in (0, 1)
        for own in itertools.product((0, 1), repeat=pairs)
    ]


@pytest.mark.parametrize("rule", RULES)
def test_a_tree_of_conditionals_contradicts_only_what_it_implies(rule: Rule) -> None:
    worlds = both_branches(6)
    p = np.random.default_rng(4).uniform(0.05, 0.95, 19)
    p[1:7] = p[0] * p[7:13] + (1 - p[0]) * p[13:]
    assert incoherence(p, worlds, rule).loss.tolist() == pytest.approx([0.0], abs=1e-14)
    p[1] = p[1] / 2
    found = incoherence(p, worlds, rule)
    [of_four] = incoherence(p[[0, 1, 7, 13]], both_branches(1), rule).loss
    assert 0.001 < of_four < found.loss[0] < 1.1 * of_four  # the others bear a part of the move
    assert found.gap.max() < 1e-12
    tree = [world[:1] + world[7:] for world in worlds]
    alone = incoherence(p[[0, *range(7, 19)]], tree, rule)
    assert alone.loss.tolist() == [0.0]
    assert alone.coherent.tolist() == [p[[0, *range(7, 19)]].tolist()]


def in_a_tree(parents: list[int]) -> Table:
    """Return the worlds of questions: the first, and each with a parent before it.

    Each outright, and those with a parent if it is so, and if it is not so.
    """
    return [
        [
            *own,
            *(
                own[child] if own[parent] == so else None
                for child, parent in enumerate(parents, 1)
                for so in (1, 0)
            ),
        ]
        for own in itertools.product((0, 1), repeat=len(parents) + 1)
    ]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("parents", [[0] * 6, list(range(6)), [0, 0, 1, 1, 2, 2]])
def test_a_tree_is_solved_by_its_cliques_as_by_all_its_worlds(
    parents: list[int], rule: Rule
) -> None:
    """Worlds that are given twice hide the tree, and change nothing else."""
    worlds = in_a_tree(parents)
    p = np.random.default_rng(5).uniform(0.02, 0.98, (2, 19))
    p[1, :3] = [0.0, 1.0, 1e-6]
    found, slow = incoherence(p, worlds, rule), incoherence(p, worlds + worlds, rule)
    assert found.loss.tolist() == pytest.approx(slow.loss.tolist(), abs=1e-9)
    assert found.coherent[0] == pytest.approx(slow.coherent[0], abs=1e-5)
    assert found.gap.max() < 1e-9
    assert found.weights.sum(axis=1) == pytest.approx(1)


def test_twelve_conditionals_in_a_tree_are_certified() -> None:
    worlds = in_a_tree([number // 2 for number in range(12)])
    p = np.random.default_rng(6).uniform(0.001, 0.999, 37)
    for rule in RULES:
        found = incoherence(p, worlds, rule)
        assert found.gap.max() < 1e-9
        assert found.loss[0] > 0


@st.composite
def sets(draw: st.DrawFn) -> tuple[list[float], Table]:
    n = draw(st.integers(1, 5))
    rows = st.lists(st.sampled_from([0, 1, None]), min_size=n, max_size=n)
    most = draw(st.sampled_from([9, 60]))
    worlds: Table = draw(st.lists(rows, min_size=1, max_size=most, unique_by=tuple))
    some = st.one_of(
        st.floats(0, 1), st.sampled_from([0.001, 0.5, 0.999, 1e-9]), st.floats(0.01, 0.99)
    )
    return draw(st.lists(some, min_size=n, max_size=n)), worlds


@pytest.mark.parametrize("rule", RULES)
@example(drawn=([0.0, 0.001, 0.0, 0.0, 0.999], [[0] * 5, [0, 1, 0, 0, 0], [0, None, 0, 0, 1]]))
@example(
    drawn=(
        [0.9999999, 0.97, 1e-9, 0.25, 0.999],
        [[None, None, 1, 1, 0], [None] * 4 + [1], [1, 0, None, 1, 1], [0, *[None] * 3, 1]],
    )
)
@given(drawn=sets())
def test_the_neighbour_is_better_by_the_loss_in_every_world(
    rule: Rule, drawn: tuple[list[float], Table]
) -> None:
    p, worlds = drawn
    found = incoherence(p, worlds, rule)
    [loss], [gap], weights = found.loss, found.gap, found.weights[0]
    assume(math.isfinite(loss))
    assert gap <= 1e-6
    assert weights.sum() == pytest.approx(1)
    # What 1 − p loses to rounding where p is almost 1.
    slip = 1e-9 + math.fsum(1e-15 / (1 - one) for one in found.coherent[0].tolist() if one < 1)
    for world, weight in zip(worlds, weights, strict=True):
        pairs = [
            (lost(mine, y, rule), lost(other, y, rule))
            for mine, other, y in zip(p, found.coherent[0].tolist(), world, strict=True)
            if y is not None
        ]
        if any(math.isinf(mine) for mine, _ in pairs):
            assert weight == 0
            continue
        won = math.fsum(mine - other for mine, other in pairs)
        assert won >= loss - slip
        if weight > 0 and gap <= 1e-10:
            assert won == pytest.approx(loss, abs=slip)


@pytest.mark.parametrize(
    ("given_", "named"),
    [
        (([1.2], [[1]]), "probabilities"),
        (([math.nan], [[1]]), "probabilities"),
        (([0.5], [[1, 0]]), "worlds"),
        (([0.5], []), "worlds"),
        (([0.5], [[2]]), "worlds"),
        (([0.5], [[1]], "spherical"), "rule"),
    ],
)
def test_bad_input_is_named(given_: tuple[Any, ...], named: str) -> None:
    with pytest.raises(InputError, match=named):
        incoherence(*given_)


@pytest.mark.parametrize(
    ("p", "worlds", "expected"),
    [
        # The difference of what is equal, over the root of the variances and 0.001.
        ([0.7, 0.6], [[1, 0], [0, 1]], 0.3 / math.sqrt(0.21 + 0.24 + 0.001)),
        ([0.001, 0.001], [[1, 0], [0, 1]], 0.998 / math.sqrt(2 * 0.000999 + 0.001)),
        ([0.8, 0.5], [[1, 1], [0, 0]], 0.3 / math.sqrt(0.16 + 0.25 + 0.001)),
        ([0.5, 0.2], [[1, 1], [0, 1], [0, 0]], 0.3 / math.sqrt(0.25 + 0.16 + 0.001)),
        ([0.2, 0.5], [[1, 1], [0, 1], [0, 0]], 0.0),
        ([0.6, 0.7, 0.1], AND, 0.2 / math.sqrt(0.24 + 0.21 + 0.09 + 0.001)),
        ([0.5, 0.5, 0.25], CONDITIONAL, 0.0),
    ],
)
def test_the_deviation_of_one_equation_is_the_published_one(
    p: list[float], worlds: Table, expected: float
) -> None:
    assert deviation(p, worlds) == pytest.approx([expected], abs=1e-9)


def test_the_deviation_of_a_conditional_is_that_of_its_product() -> None:
    """To the first order: the variance of P(A) P(B | A) − P(A and B), by its derivatives."""
    a, b, both = 0.5, 0.6, 0.31
    variance = b**2 * a * (1 - a) + a**2 * b * (1 - b) + both * (1 - both)
    [found] = deviation([a, b, both], CONDITIONAL)
    assert found == pytest.approx((both - a * b) / math.sqrt(variance), rel=0.01)


@pytest.mark.parametrize("worlds", [AND, NESTED, EXCLUSIVE, EXCLUSIVE[:3]])
def test_the_deviation_is_the_least_distance_to_coherent_forecasts(worlds: Table) -> None:
    """Against many coherent forecasts, of which none is nearer, and some nearly as near."""
    random = np.random.default_rng(35)
    table = np.array(worlds, dtype=float)
    p = random.uniform(0.02, 0.98, (4, 3))
    spread = np.sqrt(p * (1 - p) + 0.001 / 3)
    weights = random.dirichlet(np.full(len(table), 0.5), 40_000)
    away = (weights @ table)[:, None] - p
    nearest = np.sqrt((away**2 / spread**2).sum(axis=2).min(axis=0))
    found = deviation(p, worlds)
    assert (found <= nearest + 1e-9).all()
    assert found == pytest.approx(nearest, abs=0.05)
    [one] = deviation(p[0], worlds)
    assert one == found[0]


def test_noise_alone_deviates_as_often_as_it_should() -> None:
    random = np.random.default_rng(35)
    p = np.array([0.3, 0.45, 0.25])
    noisy = p + 0.05 * np.sqrt(p * (1 - p) + 0.001 / 3) * random.standard_normal((2000, 3))
    assert (deviation(noisy, EXCLUSIVE[:3]) > 2.576 * 0.05).mean() == pytest.approx(0.01, abs=0.007)


@pytest.mark.parametrize(("p", "worlds"), [([0.5, 1.2], [[1, 0]]), ([0.5], [[1, 0]])])
def test_a_deviation_needs_probabilities_and_worlds(p: list[float], worlds: Table) -> None:
    with pytest.raises(InputError):
        deviation(p, worlds)
