"""Comparison of groups: intervals, p-values, multiplicity and ranks."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from scoring import InputError, compare
from scoring.comparison import ALIKE, THESE, holm, withheld
from scoring.means import detectable_difference
from tests.examples import examples


def table(
    differences: np.ndarray, a: str = "reds", b: str = "blues", first: int = 0
) -> pd.DataFrame:
    questions = np.arange(first, first + len(differences))
    return pd.DataFrame({"a": a, "b": b, "question_id": questions, "difference": differences})


def noise(count: int, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(mean, 0.1, count), -1, 1)


TWO = {"reds": ["ana"], "blues": ["ben"]}


def test_the_interval_is_that_of_a_regression_on_a_constant_clustered_by_family() -> None:
    from statsmodels.regression.linear_model import OLS  # so that collecting does not load it

    d = noise(100, 0.02)
    family = np.random.default_rng(1).integers(0, 40, 100)
    families = {question: f"f{number}" for question, number in enumerate(family)}
    [pair] = compare(table(d), TWO, families).pairs
    fit = OLS(d, np.ones(100)).fit(cov_type="cluster", cov_kwds={"groups": family}, use_t=True)
    assert pair.families == len(set(family))
    assert pair.difference == pytest.approx(fit.params[0])
    # Families of unequal size count as fewer.
    size = np.bincount(family)
    plain, effective = np.count_nonzero(size), 100**2 / (size @ size)
    error = fit.bse[0] * math.sqrt(effective / (effective - 1) * (plain - 1) / plain)
    assert pair.effective_families == pytest.approx(effective)
    assert pair.error == pytest.approx(error)
    reach = stats.t.ppf(0.975, effective - 1) * error
    assert_allclose(pair.interval, (d.mean() - reach, d.mean() + reach))
    assert pair.p_value == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, effective - 1))


def test_a_comparison_turned_round_is_the_same_with_the_signs_changed() -> None:
    rows = table(noise(60, 0.05))
    [there] = compare(rows, TWO).pairs
    [back] = compare(rows, {"blues": ["ben"], "reds": ["ana"]}).pairs
    assert there.difference == -back.difference
    assert there.interval == tuple(-end for end in reversed(back.interval or ()))
    assert (there.p_value, there.error, there.better) == (back.p_value, back.error, back.better)
    assert (there.a, there.b) == (back.b, back.a)


def test_the_better_group_is_the_one_with_less_brier() -> None:
    for mean, better in ((0.05, "blues"), (-0.05, "reds")):
        [pair] = compare(table(noise(60, mean)), TWO).pairs
        assert (np.sign(pair.difference), pair.better) == (np.sign(mean), better)


@pytest.mark.parametrize(("count", "families"), [(29, 29), (40, 29), (1, 1)])
def test_below_thirty_questions_or_families_there_is_no_verdict(count: int, families: int) -> None:
    rows = table(noise(count, 0.5))
    found = compare(rows, TWO, {question: question % families for question in range(count)})
    [pair] = found.pairs
    assert pair.difference > 0
    assert (pair.comparable, pair.p_adjusted, pair.better) == (False, None, None)
    assert "too few to tell" in pair.reason
    assert [(g.rank_low, g.rank_high) for g in found.groups] == [(1, 2), (1, 2)]


def test_one_family_has_no_interval() -> None:
    [pair] = compare(table(noise(40)), TWO, dict.fromkeys(range(40), "all")).pairs
    assert isinstance(pair.difference, float)
    assert (pair.interval, pair.p_value, pair.detectable) == (None, None, None)
    # 330 questions, nearly all of one family.
    family = pd.Series(np.append(np.zeros(300), np.arange(1, 31)), index=range(330))
    [pair] = compare(table(noise(330)), TWO, family).pairs
    assert (pair.families, pair.comparable, pair.interval) == (31, False, None)
    assert "they share are nearly all of one family" in pair.reason


def test_a_question_without_a_family_is_one_by_itself() -> None:
    rows = table(noise(40))
    alone = compare(rows, TWO).pairs[0]
    families: dict[int, str | None] = {0: "", 1: None, 2: "only one"}
    assert compare(rows, TWO, families).pairs[0] == alone


def test_groups_that_share_somebody_are_refused_without_numbers() -> None:
    found = compare(table(noise(60, 0.3)), {"reds": ["ana", "cleo"], "blues": ["ben", "cleo"]})
    [pair] = found.pairs
    assert pair.reason == "cleo counts in both"
    assert (pair.difference, pair.better, pair.comparable) == (None, None, False)


def test_groups_that_never_met_are_not_compared_through_a_third() -> None:
    rows = pd.concat([table(noise(60, 0.3), "a", "b"), table(noise(60, 0.3, 1), "b", "c", 60)])
    found = compare(rows, {name: [name] for name in "abc"})
    far = next(pair for pair in found.pairs if (pair.a, pair.b) == ("a", "c"))
    assert far.difference is None
    assert "never live on one question" in far.reason
    # b beats a, c beats b, and there is no claim about a and c.
    assert [(g.rank_low, g.rank_high) for g in found.groups] == [(2, 3), (2, 2), (1, 2)]


def test_only_pairs_with_a_verdict_count_among_those_that_are_adjusted() -> None:
    rows = pd.concat([table(noise(60, 0.03), "a", "b"), table(noise(5, 0.9, 1), "a", "c")])
    found = compare(rows, {name: [name] for name in "abc"})
    assert found.pairs[0].p_adjusted == found.pairs[0].p_value


def test_holms_procedure_on_a_textbook_example() -> None:
    # Four p-values, smallest times 4, next times 3, and so on, non-decreasing.
    assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([0.7, 0.6]).tolist() == [1, 1]


def test_the_detectable_difference_is_found_four_times_in_five() -> None:
    for degrees in (29, 100, 1000):
        size = detectable_difference(1.0, degrees)
        limit = stats.t.ppf(0.975, degrees)
        found = stats.nct.sf(limit, degrees, size) + stats.nct.cdf(-limit, degrees, size)
        assert found == pytest.approx(0.8, abs=0.01)


def test_among_more_pairs_it_takes_more_to_be_found() -> None:
    every = enumerate(itertools.combinations("abc", 2))
    rows = pd.concat([table(noise(60, seed=seed), *pair) for seed, pair in every])
    alone, among = (compare(rows, {one: [one] for one in of}).pairs[0] for of in ("ab", "abc"))
    assert alone.error == among.error
    assert among.detectable > alone.detectable


def people_table(members: int, questions: int, spread: float, seed: int) -> tuple[Any, ...]:
    """Two teams of members whose skill varies by ``spread``, always live."""
    random = np.random.default_rng(seed)
    names = [f"{side}{number}" for side in "ab" for number in range(members)]
    skill = random.normal(0, spread, 2 * members)
    score = 0.3 + skill + random.normal(0, 0.1, (questions, 2 * members))
    mine, other = score[:, :members], score[:, members:]
    difference = mine.mean(axis=1) - other.mean(axis=1)
    rows = table(difference, "a", "b")
    deviation = np.hstack([mine - mine.mean(axis=1)[:, None], other.mean(axis=1)[:, None] - other])
    people = table((deviation / members).ravel(), "a", "b").rename(
        columns={"difference": "deviation"}
    )
    people["question_id"] //= 2 * members
    people["forecaster"] = names * questions
    people["side"], people["part"] = people["forecaster"].str[0], 1 / (2 * members)
    return rows, people, {side: [n for n in names if n[0] == side] for side in "ab"}, score


def test_the_error_of_people_like_them_is_the_two_way_sandwich_written_out() -> None:
    rows, people, groups, score = people_table(4, 40, 0.05, seed=1)
    families = {question: question // 2 * 2 for question in range(38)}
    [pair] = compare(rows, groups, families, people).pairs
    mean = rows["difference"].mean()
    added: dict[tuple[int, str], float] = {}
    for row in people.itertuples():
        d = rows["difference"][row.question_id]
        added[row.question_id, row.forecaster] = (row.deviation + row.part * (d - mean)) / 40

    def total(key: Any) -> dict[Any, float]:
        sums: dict[Any, float] = {}
        for (question, who), value in added.items():
            sums[key(question, who)] = sums.get(key(question, who), 0.0) + value
        return sums

    family = total(lambda question, _: families.get(question, question))
    person = total(lambda _, who: who)
    cell = total(lambda question, who: (families.get(question, question), who))
    # Nineteen families of two questions, and two of one.
    many = 40**2 / (19 * 4 + 2)
    variance = (
        many / (many - 1) * sum(v**2 for v in family.values())
        + 4 / 3 * sum(v**2 for v in person.values())
        - sum(v**2 for v in cell.values())
    )
    assert pair.error == pytest.approx(math.sqrt(variance))
    assert pair.degrees == 3
    # If all are always live, it is close to the textbook error of two means.
    means = score.mean(axis=0)
    textbook = math.sqrt(np.var(means[:4], ddof=1) / 4 + np.var(means[4:], ddof=1) / 4)
    assert pair.error == pytest.approx(textbook, rel=0.2)


def test_nothing_is_said_of_people_like_a_single_member() -> None:
    rows, people, groups, _ = people_table(1, 40, 0.05, 1)
    [pair] = compare(rows, groups, people=people).pairs
    assert isinstance(pair.difference, float)
    assert (pair.interval, pair.comparable) == (None, False)
    assert "people like them" in pair.reason


@pytest.mark.parametrize(
    ("rows", "groups", "match"),
    [
        (table(noise(3)), {"reds": []}, "at least two groups"),
        (table(noise(3)).drop(columns="b"), TWO, "scores b — the column is required"),
        (table(np.array([0.1, math.nan])), TWO, "difference, row 1.*must lie within -1..1"),
        (table(np.array([0.1, -1.2])), TWO, "difference, row 1"),
        (pd.concat([table(noise(2)), table(noise(1), "blues", "reds")]), TWO, "one difference"),
    ],
)
def test_an_invalid_table_is_refused_by_column(
    rows: pd.DataFrame, groups: dict[str, list[str]], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        compare(rows.reset_index(drop=True), groups)


@pytest.mark.slow
def test_claims_about_people_like_them_are_labelled_and_never_surer() -> None:
    for seed in range(8):
        rows, people, groups, _ = people_table(3, 40, 0.02 * (seed % 2), seed)
        these, alike = compare(rows, groups), compare(rows, groups, people=people)
        assert (these.of, alike.of) == (THESE, ALIKE)
        assert alike.pairs[0].difference == these.pairs[0].difference
        assert alike.pairs[0].error >= these.pairs[0].error
        assert alike.pairs[0].p_value > these.pairs[0].p_value


@settings(max_examples=examples(40))
@given(st.integers(0, 10_000), st.floats(0, 0.1))
def test_an_interval_is_without_zero_exactly_if_holms_method_decides(seed: int, off: float) -> None:
    random = np.random.default_rng(seed)
    scores = random.normal(0, 0.1, (40, 4)) + np.linspace(0, off, 4)
    rows = [
        table(np.clip(scores[:, a] - scores[:, b], -1, 1), str(a), str(b))
        for a in range(4)
        for b in range(a + 1, 4)
    ]
    found = compare(pd.concat(rows, ignore_index=True), {str(n): [n] for n in range(4)})
    for pair in found.pairs:
        low, high = pair.interval
        assert (pair.better is None) == (low <= 0 <= high)
        assert 0.05 / 6 - 1e-12 <= pair.level <= 0.05


def test_what_is_withheld_is_no_claim_and_leaves_no_rank() -> None:
    found = compare(table(np.tile([0.02, 0.05], 20)), TWO)
    [before] = found.pairs
    without = withheld(found, {(before.a, before.b): "why"})
    [pair] = without.pairs
    assert (before.better, pair.better, pair.comparable, pair.reason) == (
        "blues",
        None,
        False,
        "why",
    )
    assert pair.interval == before.interval
    assert [(one.rank_low, one.rank_high) for one in without.groups] == [(1, 2), (1, 2)]


def test_the_further_questions_are_those_with_which_the_difference_would_be_detectable() -> None:
    random = np.random.default_rng(3)
    d = random.normal(0, 0.1, 60)
    [pair] = compare(table(d - d.mean() + 0.02), TWO).pairs
    assert pair.better is None
    shrunk = pair.detectable * math.sqrt(60 / (60 + pair.more_questions))
    assert shrunk == pytest.approx(0.02, rel=0.01)
    [none] = compare(table([0.1, -0.1] * 20), TWO).pairs
    assert none.more_questions is None
    assert none.difference == 0
