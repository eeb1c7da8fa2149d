"""Comparison of groups: significant differences, and the ranks they imply.

Takes the table of `scoring.paired`: one difference per pair of groups and question. Two groups are
compared only on questions that both answered at the same time, never through a third group: shared
questions with a third say nothing about the difficulty of the others.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Floats
from scoring.completions import largest_claim
from scoring.errors import Problems, require
from scoring.means import (
    LEAST,
    SIGNIFICANCE,
    Families,
    MeanAndError,
    detectable_difference,
    families_of,
    interval_and_test,
    mean_and_error,
)
from scoring.rare_events import least_error
from scoring.shared_shocks import SURVIVES, Spans, periods, spans_of, tipping_correlation

FEWEST = 30
# A family with more than this share of the questions is named, and the rest compared without it.
DOMINANT = 0.2
PERIODS = 10  # the least, effectively, for the test by time
NEVER_TOGETHER = "they were never live on one question at the same time"

THESE = "these members"
ALIKE = "people like them"


@dataclass(frozen=True)
class Dominant:
    """A family that holds more than a fifth of a pair's questions, and the result without it.

    ``difference``, ``interval`` and ``p_value`` are those of the pair on its other questions, the
    last two with the same allowance for the number of pairs.
    """

    family: str
    share: float
    difference: float
    interval: tuple[float, float] | None
    p_value: float | None


@dataclass(frozen=True)
class Pair:
    """Two groups compared on their shared questions.

    ``difference`` is the mean of a's Brier score minus b's (0–1 scale): negative if a did better.
    ``error`` is its standard error with ``degrees`` of freedom, ``p_value`` the two-sided test of
    no difference, and ``p_adjusted`` Holm's adjustment over all comparable pairs, which decides.
    ``level`` is the level that Holm's method leaves the pair at its step, and ``interval`` the
    confidence interval with 1 − level: 95% or more, and without 0 exactly if the adjusted p-value
    is below 0.05. ``detectable`` is the true difference that this many questions would detect with
    probability 0.8, at the level Holm's method leaves each pair. Values that cannot be computed
    are None. ``shared_time`` is the mean share of a question's scheduled time that the two shared.

    ``effective_families`` is (Σ n)² / Σ n² over the questions n of each family; ``degrees`` are one
    fewer. ``dominant`` is the largest family if it holds more than a fifth of the questions.
    ``tipping`` is given for a pair with a better group: the smallest correlation between the
    outcomes of families open at the same time with which the adjusted p-value would be above 0.005,
    which leaves at most one in ten false claims with one above the truth; None if none does.
    ``p_by_time`` is a second test, clustered by ``periods``, since families that share news mostly
    share one; None below 10 effective periods. See `shared_shocks`. ``rare``: so few events decide
    that the error is the least that they leave (`least_error`).

    ``waiting``: the shared questions without an outcome yet. If any pair has some, ``p_waiting`` is
    the largest adjusted p-value over all of their completions (1 if the difference may turn), and a
    group is better only if that is below 0.05 too. See `completions`.

    ``comparable`` says whether a verdict is given. If not, ``reason`` says why; with too few
    questions the numbers are present nevertheless.
    """

    a: str
    b: str
    shared_questions: int = 0
    families: int = 0
    effective_families: float = 0.0
    difference: float | None = None
    error: float | None = None
    degrees: float = 0
    interval: tuple[float, float] | None = None
    level: float = SIGNIFICANCE
    p_value: float | None = None
    p_adjusted: float | None = None
    detectable: float | None = None
    shared_time: float | None = None
    comparable: bool = False
    reason: str = ""
    dominant: Dominant | None = None
    tipping: float | None = None
    periods: int | None = None
    p_by_time: float | None = None
    rare: bool = False
    waiting: int = 0
    p_waiting: float | None = None

    @property
    def better(self) -> str | None:
        """The group that did significantly better, None if neither did."""
        if self.p_adjusted is None or not self.difference:
            return None
        if max(self.p_adjusted, self.p_waiting or 0.0) >= SIGNIFICANCE:
            return None
        return self.a if self.difference < 0 else self.b

    @property
    def more_questions(self) -> int | None:
        """The further shared questions with which this difference, if true, would show.

        In 8 of 10 such records, since its error falls with the root of their number (`detectable`).
        None with a better group, and if the pair is not comparable or does not differ at all.
        """
        if not self.comparable or self.better is not None or not self.detectable:
            return None
        if not self.difference:
            return None
        times = (self.detectable / self.difference) ** 2 - 1
        return max(1, math.ceil(self.shared_questions * times))


@dataclass(frozen=True)
class Ranked:
    """A group and its interval of possible ranks; 1 is best.

    ``rank_low`` is 1 + the number of groups that did significantly better, ``rank_high`` the number
    of groups minus those that did significantly worse. Groups that cannot be told apart share
    ranks.
    """

    name: str
    rank_low: int
    rank_high: int


@dataclass(frozen=True)
class Comparison:
    """All pairs of groups compared, and the groups' ranks, in the order given.

    ``of`` is the population of the claims: "these members", or "people like them".
    """

    pairs: tuple[Pair, ...]
    groups: tuple[Ranked, ...]
    of: str


def compare(
    scores: pd.DataFrame,
    groups: Mapping[str, Collection[Hashable]],
    families: Families | None = None,
    people: pd.DataFrame | None = None,
    questions: pd.DataFrame | None = None,
    waiting: pd.DataFrame | None = None,
) -> Comparison:
    """Return the pairwise comparison of groups, adjusted for multiplicity, and their ranks.

    ``scores`` is the table of `paired`: a, b, question_id, difference, with a and b in either
    order, and if given ``shared``, and the moments between equals, for the least error. ``groups``
    maps each group's name to its members; two groups with a common member are not comparable.
    ``families`` maps a question to its family (blank or missing: its own); errors are clustered by
    family, with Student's t on one degree of freedom fewer than effective families. A pair with
    fewer than 30 shared questions or 30 families is not comparable. Outcomes of different families
    are taken as independent given the forecasts; ``questions``, a table of question_id, open_time
    and scheduled_close_time, adds how much of that a claim needs (``Pair.tipping``), and the test
    by time.

    With ``people``, the table of `paired_people`, the claims extend to people like the members:
    errors are clustered by family and by forecaster, and the degrees of freedom are those of the
    smallest of families and the two groups. Differences are then harder to detect.

    ``waiting``: rows like those of ``scores`` for questions without an outcome yet, with the ends
    ``low`` and ``high`` of their difference. A claim must then hold for every completion of these
    outcomes. With ``people``, the error of a completion grows by forecaster as the known one does.

    Exchanging a and b changes the sign of the numbers and nothing else. The probability of any
    false finding among all pairs is at most 0.05 (Holm 1979, doi:10.2307/4615733). Two-way
    clustering: Cameron, Gelbach & Miller (2011), doi:10.1198/jbes.2010.07136.

    Raises InputError if the table lacks a column, repeats a question for a pair, or has a
    difference outside −1..1, and for fewer than two groups.

    >>> scores = pd.DataFrame({"a": "blues", "b": "reds", "question_id": range(40),
    ...                        "difference": [0.02, 0.05] * 20})
    >>> found = compare(scores, {"reds": ["ana"], "blues": ["ben"]})
    >>> [round(found.pairs[0].difference, 3), found.pairs[0].better]
    [-0.035, 'reds']
    >>> [(group.name, group.rank_low, group.rank_high) for group in found.groups]
    [('reds', 1, 1), ('blues', 2, 2)]
    """
    require("groups", list(groups), len(groups) >= 2, "needs at least two groups to compare")
    _check(scores)
    missing = scores.iloc[:0] if waiting is None else waiting
    table = pd.concat([scores, missing], ignore_index=True) if len(missing) else scores
    table = table.assign(family=families_of(table["question_id"], families))
    parts, awaited = (
        dict(iter(rows.groupby(["a", "b"], sort=False)))
        for rows in (table.iloc[: len(scores)], table.iloc[len(scores) :])
    )
    persons = None if people is None else dict(iter(people.groupby(["a", "b"], sort=False)))
    pairs = [_pair(a, b, parts, groups, persons) for a, b in combinations(groups, 2)]
    pairs = [_with_waiting(pair, parts, awaited) for pair in pairs]
    adjusted = [_dominated(pair, parts, families) for pair in _judged(pairs)]
    if questions is not None and any(pair.comparable for pair in adjusted):
        spans = spans_of(questions, families)
        adjusted = [_by_time(_tipped(pair, parts, spans), parts, spans) for pair in adjusted]
    of = THESE if people is None else ALIKE
    return Comparison(tuple(adjusted), _ranks(list(groups), adjusted), of)


def withheld(found: Comparison, reasons: Mapping[tuple[str, str], str]) -> Comparison:
    """Return the comparison without the claims on these pairs: they are not comparable.

    The other pairs keep their adjusted p-values: to drop pairs by their findings would be a choice
    that knows the outcome.
    """
    pairs = [
        replace(
            pair, comparable=False, reason=reasons[pair.a, pair.b], p_adjusted=None, tipping=None,
            periods=None, p_by_time=None, dominant=None,
        )
        if (pair.a, pair.b) in reasons
        else pair
        for pair in found.pairs
    ]  # fmt: skip
    return Comparison(tuple(pairs), _ranks([one.name for one in found.groups], pairs), found.of)


def _ranks(names: Sequence[str], pairs: Sequence[Pair]) -> tuple[Ranked, ...]:
    return tuple(
        Ranked(
            name,
            1 + sum(name in (p.a, p.b) and p.better not in (None, name) for p in pairs),
            len(names) - sum(p.better == name for p in pairs),
        )
        for name in names
    )


def holm(p_values: npt.ArrayLike) -> Floats:
    """Return Holm's adjusted p-values: rejecting below 0.05 keeps the familywise error at 5%.

    The i-th smallest of m p-values is multiplied by m − i + 1 and raised to at least the one before
    it. Holm (1979), doi:10.2307/4615733.

    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    grown = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    return np.asarray(np.minimum(grown, 1.0)[np.argsort(order)])


def _check(scores: pd.DataFrame) -> None:
    problems = Problems()
    for name in ("a", "b", "question_id", "difference"):
        if name not in scores.columns:
            problems.add("scores", name, None, None, "the column is required")
    problems.raise_any()
    difference = scores["difference"].to_numpy(dtype=np.float64)
    rule = "a difference of Brier scores must lie within -1..1"
    bad = ~(np.abs(difference) <= 1)
    problems.add_where("scores", "difference", bad, scores["difference"], rule)
    ends = pd.factorize(pd.concat([scores["a"], scores["b"]]))[0].reshape(2, -1)
    question = pd.factorize(scores["question_id"])[0]
    # (b, a) is the same pair as (a, b).
    same = pd.DataFrame({"low": ends.min(axis=0), "high": ends.max(axis=0), "of": question})
    repeated = same.duplicated().to_numpy()
    rule = "a pair has one difference per question"
    problems.add_where("scores", "question_id", repeated, scores["question_id"], rule)
    problems.raise_any()


def _pair(
    a: str,
    b: str,
    parts: Mapping[Any, pd.DataFrame],
    groups: Mapping[str, Collection[Hashable]],
    people: Mapping[Any, pd.DataFrame] | None,
) -> Pair:
    both = sorted(str(person) for person in set(groups[a]) & set(groups[b]))
    if both:
        others = f" and {len(both) - 1} more count" if len(both) > 1 else " counts"
        return Pair(a, b, reason=f"{both[0]}{others} in both")
    key, sign = _key(a, b, parts)
    if key not in parts:
        return Pair(a, b, reason=NEVER_TOGETHER)
    rows = parts[key]
    mean = _mean(rows, rows["family"])
    error, degrees = mean.error, mean.effective - 1
    if people is not None:
        error, degrees = _two_way(rows, mean, people[key])
    pair = Pair(
        a,
        b,
        shared_questions=len(rows),
        families=mean.clusters,
        effective_families=mean.effective,
        difference=sign * mean.value,
        error=None if math.isnan(error) else error,
        degrees=degrees,
        shared_time=float(rows["shared"].mean()) if "shared" in rows else None,
        reason=_too_few(len(rows), mean),
        rare=least_error(rows) > 0,
    )
    if pair.error is None:
        alone = "people like them cannot be told of from one member a side"
        return replace(pair, reason=pair.reason or alone)
    interval, p_value = interval_and_test(sign * mean.value, error, degrees)
    return replace(pair, interval=interval, p_value=p_value, comparable=not pair.reason)


def _mean(rows: pd.DataFrame, cluster: npt.ArrayLike) -> MeanAndError:
    found = mean_and_error(rows["difference"].to_numpy(dtype=np.float64), cluster)
    return found._replace(error=max(found.error, least_error(rows)))


def _with_waiting(
    pair: Pair, parts: Mapping[Any, pd.DataFrame], waiting: Mapping[Any, pd.DataFrame]
) -> Pair:
    """Return the pair with its largest p-value over the missing outcomes, not adjusted yet."""
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import stdtr

    missing = waiting.get(_key(pair.a, pair.b, waiting)[0])
    if missing is None:
        return pair
    pair = replace(pair, waiting=len(missing))
    if not pair.comparable or not pair.difference or pair.error is None:
        return pair
    key, sign = _key(pair.a, pair.b, parts)
    known = parts[key]
    rows = pd.concat([known.assign(low=known["difference"], high=known["difference"]), missing])
    ends = rows["low"].to_numpy(), rows["high"].to_numpy()
    low, high = ends if sign * pair.difference < 0 else (-ends[1], -ends[0])
    claim = largest_claim(low, high, rows["family"], least_error(rows))
    own = _mean(known, known["family"]).error
    wider = pair.error / own if own else 1.0
    return replace(pair, p_waiting=2 * float(stdtr(pair.degrees, min(claim / wider, 0.0))))


def _key(a: str, b: str, parts: Mapping[Any, Any]) -> tuple[tuple[str, str], float]:
    """Return the pair as the table has it, and the sign of its differences as a minus b."""
    return ((a, b), 1.0) if (a, b) in parts else ((b, a), -1.0)


def _dominated(pair: Pair, parts: Mapping[Any, pd.DataFrame], families: Families | None) -> Pair:
    """Return the pair with the family that has more than a fifth of its questions, if one has."""
    if not pair.comparable:
        return pair
    key, sign = _key(pair.a, pair.b, parts)
    rows = parts[key]
    own, size = np.unique(rows["family"], return_counts=True)
    share = float(size.max()) / len(rows)
    if share <= DOMINANT or len(size) < 2:
        return pair
    largest = rows["family"] == own[size.argmax()]
    question = rows.loc[largest, "question_id"].iloc[0]
    name = question if families is None else families.get(question, question)
    rest = rows[~largest]
    mean = _mean(rest, rest["family"])
    found = Dominant(str(name), share, sign * mean.value, None, None)
    if not math.isnan(mean.error):
        of = (found.difference, mean.error, mean.effective - 1)
        interval, p_value = interval_and_test(*of, pair.level)
        p_adjusted = min(1.0, p_value * SIGNIFICANCE / pair.level)
        found = replace(found, interval=interval, p_value=p_adjusted)
    return replace(pair, dominant=found)


def _tipped(pair: Pair, parts: Mapping[Any, pd.DataFrame], spans: Spans) -> Pair:
    """Return the pair with its tipping correlation, if it has a better group."""
    if pair.better is None or not pair.error or not pair.p_value:
        return pair
    # Lazy: scipy is slow to import, and few commands need it.
    from scipy.special import stdtrit

    assert pair.difference is not None
    rows = parts[_key(pair.a, pair.b, parts)[0]]
    mean = _mean(rows, rows["family"])
    most = abs(pair.difference) / float(stdtrit(pair.degrees, 1 - SURVIVES * pair.level / 2))
    more = max(most**2 - pair.error**2, 0.0)
    needed = more / mean.error**2 if mean.error else math.inf
    return replace(pair, tipping=tipping_correlation(rows["question_id"], spans, needed))


def _by_time(pair: Pair, parts: Mapping[Any, pd.DataFrame], spans: Spans) -> Pair:
    """Return the pair with the test clustered by time, if there are enough periods."""
    if not pair.comparable:
        return pair
    rows = parts[_key(pair.a, pair.b, parts)[0]]
    mean = _mean(rows, periods(rows["question_id"], spans))
    if mean.effective < PERIODS or math.isnan(mean.error):
        return pair
    p_value = interval_and_test(mean.value, mean.error, mean.effective - 1)[1]
    return replace(pair, periods=mean.clusters, p_by_time=p_value)


def _too_few(questions: int, mean: MeanAndError) -> str:
    if questions < FEWEST:
        shared = f"{questions} question{'' if questions == 1 else 's'}"
        return f"too few to tell: they share {shared}, fewer than {FEWEST}"
    told = f"too few to tell: the {questions} questions that they share are"
    if mean.clusters < FEWEST:
        families = f"{mean.clusters} famil{'y' if mean.clusters == 1 else 'ies'}"
        return f"{told} of {families}, fewer than {FEWEST}"
    if mean.effective < LEAST:
        return f"{told} nearly all of one family"
    return ""


def _two_way(rows: pd.DataFrame, mean: MeanAndError, people: pd.DataFrame) -> tuple[float, float]:
    """Return the standard error clustered by family and by forecaster, and degrees of freedom.

    A forecaster contributes deviation + part · (difference − mean) to a question; the contributions
    to a question sum to difference − mean. The variance is the one by family, plus the one by
    forecaster, minus the one by both. With few people the last two are imprecise, so the result is
    at least the first.
    """
    found = people.merge(rows[["question_id", "difference", "family"]], on="question_id")
    added = found["deviation"] + found["part"] * (found["difference"] - mean.value)
    added /= len(rows)
    by_person = added.groupby([found["side"], found["forecaster"]]).sum()
    by_both = added.groupby([found["family"], found["forecaster"]]).sum()
    members = by_person.groupby(level=0).transform("size")
    least = int(members.min())
    if least < 2:
        return math.nan, 0
    of_people = float((members / (members - 1) * by_person**2).sum())
    variance = mean.error**2 + of_people - float((by_both**2).sum())
    return math.sqrt(max(variance, mean.error**2)), min(mean.effective, least) - 1


def _judged(pairs: list[Pair]) -> list[Pair]:
    """Return the pairs with Holm's p-values and intervals, and their detectable differences."""
    compared = [pair.p_value for pair in pairs if pair.comparable and pair.p_value is not None]
    adjusted = holm(compared)
    # Holm's p-values rise with each of those that they adjust.
    largest = [max(p.p_value or 0.0, p.p_waiting or 0.0) for p in pairs if p.comparable]
    most = iter(holm(largest).tolist() if any(pair.waiting for pair in pairs) else ())
    # Holm's steps: the smallest p-value is compared with 0.05 / m, the next with 0.05 / (m − 1).
    # Pairs that are not rejected share the step at which the method stops.
    place = np.argsort(np.argsort(compared, kind="stable"))
    step = np.minimum(place, np.sum(adjusted < SIGNIFICANCE))
    levels = iter((SIGNIFICANCE / np.maximum(len(compared) - step, 1)).tolist())
    p_values = iter(adjusted.tolist())
    each = SIGNIFICANCE / max(len(compared), 1)
    found = []
    for pair in pairs:
        if pair.error is None or pair.difference is None:
            found.append(pair)
            continue
        one = replace(pair, detectable=detectable_difference(pair.error, pair.degrees, each))
        if pair.comparable:
            level = next(levels)
            interval, _ = interval_and_test(pair.difference, pair.error, pair.degrees, level)
            one = replace(
                one,
                p_adjusted=next(p_values),
                p_waiting=next(most, None),
                level=level,
                interval=interval,
            )
        found.append(one)
    return found
