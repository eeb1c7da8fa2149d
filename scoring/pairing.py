"""Score differences between two groups, question by question, while both are live.

Groups that answered different questions, or the same ones at different times, had different tasks,
and their plain averages do not compare skill. Two groups are therefore compared on each question
over the time that both are live, instant by instant:

    D = ∫ (S_a − S_b) dt / (scheduled close − open)

with S the mean Brier score (0..1) of a group's live members. The denominator is fixed in advance,
as in every ranking: dividing by the shared time would give an early "yes" more weight than a "no".
D lies in −1..1 and is negative if group a did better. At a lead time, D is S_a − S_b at that
instant, if both groups are live. Whether they are, and whether the question is still open, is known
at the time, so the selection favours neither.

All groups share one event sweep per question, with a running integral each. A pair then needs only
the times at which the other group starts and stops being live.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from functools import cached_property, partial
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.arrays import Codes, Flags, Floats, Places
from scoring.errors import require
from scoring.event_sweep import Sweep
from scoring.input_frames import Block, Ledger, Questions, read_frames
from scoring.means import Families
from scoring.murphy_curves import checked_thresholds, difference_curve, elementary_sums
from scoring.parallel import map_threads
from scoring.paths import segments
from scoring.rules import RULES
from scoring.scores import forecasts_and_outcomes
from scoring.timings import Timed, timing

Groups = Mapping[Hashable, str] | pd.Series
# Question, forecaster, and the values of each, one column per value.
Found = tuple[Codes, Codes, Floats]

BRIER = RULES["brier"]
# Differences below this are rounding: the groups always agree.
ROUNDING = 1e-12


def paired(
    questions: pd.DataFrame, forecasts: pd.DataFrame, groups: Groups, lead: float | None = None
) -> pd.DataFrame:
    """Return the difference of every two groups on every question they were live on together.

    Columns: ``a`` and ``b``, the groups in alphabetical order; ``question_id``; ``difference``, a's
    mean Brier score minus b's as defined by the module (negative: a did better); ``shared``, the
    share of the question's scheduled time during which both were live, above 0; ``variance`` and
    ``third``, the variance and the third central moment that the difference has between equals:
    those of an outcome whose probabilities are halfway between the two, so that neither is better
    (`least_error`). Sorted by a, b, question_id.

    ``lead``: only the forecasts live so many days before the scheduled close; ``shared`` is then 1.
    ``groups`` maps each forecaster to a group; forecasts of others are ignored. A forecaster who
    belongs to a group for part of the time is passed as a separate forecaster of that group, with
    withdrawals outside it. The frames, and which questions have scores, are described at `score`;
    numeric and date questions have no rows. Raises InputError.

    Comparing forecasters by the differences of their losses on the same occasions: Diebold &
    Mariano (1995), doi:10.1080/07350015.1995.10524599. The average over shared time, divided by
    scheduled time, is a definition of this package.

    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": ["ana", "ben"],
    ...     "probability": [0.9, 0.6], "made_at": ["2026-01-01T00:00:00Z", "2026-01-06T00:00:00Z"]})
    >>> found = paired(questions, forecasts, {"ana": "reds", "ben": "blues"})
    >>> found[["a", "b", "question_id", "difference", "shared"]].round(6)
           a     b question_id  difference  shared
    0  blues  reds           q       0.075     0.5
    """
    return _over_pairs(questions, forecasts, groups, lead, people=False)


def paired_people(
    questions: pd.DataFrame, forecasts: pd.DataFrame, groups: Groups, lead: float | None = None
) -> pd.DataFrame:
    """Return each forecaster's contribution to the differences that `paired` returns.

    Columns: ``a``, ``b``, ``question_id``, ``forecaster``; ``side``, their group; ``deviation``,
    the change of the difference due to scoring differently from their group; ``part``, their share
    of the time of both groups, which sums to 1 over the forecasters of a row of `paired` (to ½ over
    one side). So deviation + part · difference sums to the difference over the forecasters. Sorted
    by a, b, question_id, forecaster.

    Arguments as in `paired`. Raises InputError. Sums of these contributions by forecaster and by
    family are the input of two-way clustering: Cameron, Gelbach & Miller (2011),
    doi:10.1198/jbes.2010.07136.

    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": ["ana", "ben"],
    ...     "probability": [0.9, 0.6], "made_at": ["2026-01-01T00:00:00Z", "2026-01-06T00:00:00Z"]})
    >>> people = paired_people(questions, forecasts, {"ana": "reds", "ben": "blues"})
    >>> people[["a", "b", "forecaster", "side", "part"]]
           a     b forecaster   side  part
    0  blues  reds        ana   reds   0.5
    1  blues  reds        ben  blues   0.5
    """
    return _over_pairs(questions, forecasts, groups, lead, people=True)


def murphy_differences(
    questions: pd.DataFrame,
    forecasts: pd.DataFrame,
    groups: Groups,
    families: Families | None = None,
    lead: float | None = None,
    thresholds: npt.ArrayLike | None = None,
) -> dict[tuple[str, str], pd.DataFrame]:
    """Return the difference of the Murphy curves of every two groups, by the names of the two.

    As `paired`, with the elementary score at each threshold (`murphy_curve`) in the place of the
    Brier score: the area under the difference is the mean difference of the pair. The bands hold
    all curves together. Each option of a
    question with several is a claim with half the weight. The columns are those of
    `difference_curve`: below 0 throughout, a is better for every decision. Pairs without a shared
    question are left out.

    ``families`` maps a question id to its family; the other arguments are those of `paired` and
    `murphy_curve`. Raises InputError.

    Ehm, Gneiting, Jordan & Krüger (2016), doi:10.1111/rssb.12154.

    >>> questions = pd.DataFrame({"question_id": ["q"], "open_time": ["2026-01-01T00:00:00Z"],
    ...     "scheduled_close_time": ["2026-01-11T00:00:00Z"], "resolution": ["yes"]})
    >>> forecasts = pd.DataFrame({"question_id": "q", "forecaster": ["ana", "ben"],
    ...     "probability": [0.9, 0.6], "made_at": ["2026-01-01T00:00:00Z", "2026-01-06T00:00:00Z"]})
    >>> found = murphy_differences(questions, forecasts, {"ana": "reds", "ben": "blues"},
    ...     thresholds=[0.5, 0.7, 0.95])
    >>> found["blues", "reds"][["threshold", "difference"]].round(6)
       threshold  difference
    0       0.50         0.0
    1       0.70         0.3
    2       0.95         0.0
    """
    rising = np.unique(checked_thresholds(thresholds))
    found = elementary_differences(questions, forecasts, groups, lead, rising)
    return {
        names: difference_curve(difference, asked, families, rising, len(found))
        for names, (asked, difference) in found.items()
    }


def elementary_differences(
    questions: pd.DataFrame,
    forecasts: pd.DataFrame,
    groups: Groups,
    lead: float | None,
    rising: Floats,
) -> dict[tuple[str, str], tuple[pd.Series, Floats]]:
    """Return the shared questions of every two groups and their differences at each threshold.

    `difference_curve` takes them; the results for parts of the questions can be joined.
    Arguments as in `murphy_differences`; the thresholds rise.
    """
    ledger = read_frames(questions, forecasts)
    known, _, every = _split(ledger, groups, lead)
    found: dict[tuple[int, int], list[tuple[Codes, Floats]]] = {}
    pairs = list(combinations(range(len(known)), 2))
    for sides in every:
        some = map_threads(partial(sides.elementary, rising=rising), pairs)
        for pair, of_pair in zip(pairs, some, strict=True):
            found.setdefault(pair, []).append(of_pair)
    shared = {}
    for (a, b), parts in found.items():
        question, difference = (np.concatenate(part) for part in zip(*parts, strict=True))
        if len(question):
            asked = pd.Series(ledger.questions.ids.take(question))
            shared[known[a], known[b]] = asked, difference
    return shared


def _split(
    ledger: Ledger, groups: Groups, lead: float | None
) -> tuple[npt.NDArray[np.object_], Codes, Iterator[_Sides]]:
    """Return the groups' names, the group of each forecaster (-1: none), the groups by batch."""
    given = groups if isinstance(groups, pd.Series) else pd.Series(dict(groups), dtype=object)
    twice = given.index[given.index.duplicated()]
    rule = "a forecaster may be in one group only; give each membership its own id"
    require("groups", next(iter(twice), None), given.index.is_unique, rule)
    code, known = pd.factorize(given.to_numpy(dtype=object), sort=True)
    require("groups", list(known), len(known) >= 2, "must name at least two groups")
    group = np.append(code, -1)[given.index.get_indexer(ledger.forecasters)].astype(np.int32)
    clock = timing("scheduled_average" if lead is None else f"lead({lead:.6f})")

    def batches() -> Iterator[_Sides]:
        for block in ledger.blocks:
            for rows in block.batches() if block.p.ndim < 3 else ():
                batch = block.part(rows)
                live = segments(batch, ledger.questions, scored=True).live
                grouped = live.only(live.per_segment(group[live.forecaster] >= 0))
                timed = clock(grouped, ledger.questions)
                if len(timed.paths):
                    yield _Sides(batch, timed, ledger.questions, group, len(known))

    return known, group, batches()


def _over_pairs(
    questions: pd.DataFrame,
    forecasts: pd.DataFrame,
    groups: Groups,
    lead: float | None,
    *,
    people: bool,
) -> pd.DataFrame:
    ledger = read_frames(questions, forecasts)
    known, group, every = _split(ledger, groups, lead)
    last = ("deviation", "part") if people else ("difference", "shared", "variance", "third")
    nobody = np.zeros(0, dtype=np.int32)
    pairs = np.array(list(combinations(range(len(known)), 2)), dtype=np.intp)
    numbers, parts = [np.zeros(0, dtype=np.intp)], [(nobody, nobody, np.zeros((0, len(last))))]
    for sides in every:
        for number, (a, b) in enumerate(pairs.tolist()):
            parts.append(sides.people(a, b) if people else sides.difference(a, b))
            numbers.append(np.full(len(parts[-1][0]), number))
    pair = np.concatenate(numbers)
    question, forecaster, values = map(np.concatenate, zip(*parts, strict=True))
    order = np.lexsort((forecaster, question, pair))
    a, b = pairs[pair[order]].T
    names = pd.Index(known)
    columns: dict[str, Any] = {"a": names.take(a), "b": names.take(b)}
    columns["question_id"] = ledger.questions.ids.take(question[order])
    if people:
        who = forecaster[order]
        columns["forecaster"] = ledger.forecasters.take(who)
        columns["side"] = names.take(np.where(group[who] == a, a, b))
    columns |= dict(zip(last, values[order].T, strict=True))
    return pd.DataFrame(columns)


class _Sides:
    """The groups of one batch on a single sweep over the events of its questions."""

    def __init__(
        self, block: Block, timed: Timed, questions: Questions, group: Codes, groups: int
    ) -> None:
        self.live = live = timed.paths
        self.p, self.y = forecasts_and_outcomes(BRIER, block, live, questions)
        self.score = BRIER.kernel(self.p, self.y)
        self.group = group[live.forecaster]
        segment_group = live.per_segment(self.group)
        self.sweep = sweep = Sweep(live)
        scheduled = live.per_segment(timed.divisor)[sweep.first]
        self.questions = live.per_segment(live.question)[sweep.first]
        # As a share of the question's scheduled time; an instant is the whole of its clock.
        self.width = sweep.width / scheduled[sweep.question]
        self.scheduled = scheduled
        self.inside = [segment_group == number for number in range(groups)]
        self.many = np.stack([sweep.count(here) for here in self.inside]).astype(np.float64)
        self.mean = self._mean(self.score)
        self.spells = [self._spells(row > 0) for row in self.many]
        self.earned = self._upto(self.mean)
        self.time = self._upto((self.many > 0).astype(np.float64))

    def _mean(self, value: Floats) -> Floats:
        """Return each group's mean of a value of the segments, 0 while nobody is live."""
        sums = np.stack([self.sweep.sum(np.where(here, value, 0.0)) for here in self.inside])
        return np.divide(sums, self.many, out=np.zeros_like(sums), where=self.many > 0)

    @cached_property
    def said(self) -> list[Floats]:
        """The integrals of each group's mean probability of "yes", or of each option."""
        p = np.nan_to_num(self.p)
        return [self._upto(self._mean(of)) for of in (p[None] if p.ndim == 1 else p.T)]

    def _spells(self, live: Flags) -> tuple[Places, Places]:
        """Return the events at which a group starts and stops being live.

        No group is live after a question's last event, so no spell continues into the next one.
        """
        change = np.diff(live.astype(np.int8), prepend=0)
        return np.flatnonzero(change > 0), np.flatnonzero(change < 0)

    def _upto(self, rate: Floats) -> Floats:
        """Return the integral of each group's rate from the question's first event to each one."""
        area = rate * self.width
        # Each question subtracts what it added, so that no rounding error carries over.
        area[:, self.sweep.close] = -np.add.reduceat(area, self.sweep.begin, axis=1)
        before = np.zeros_like(area)
        np.cumsum(area[:, :-1], axis=1, out=before[:, 1:])
        return np.asarray(before)

    def _over(self, integral: Floats, spells: tuple[Places, Places]) -> Floats:
        """Return the integral over the spells, one number per question."""
        start, end = spells
        spell_question = self.sweep.question[start]
        total = np.bincount(spell_question, integral[end] - integral[start], len(self.questions))
        return total.astype(np.float64, copy=False)

    def difference(self, a: int, b: int) -> Found:
        """Return the questions shared by a and b (twice), and the columns of `paired`."""
        shared = self._over(self.time[a], self.spells[b])
        difference = self._over(self.earned[a], self.spells[b])
        difference -= self._over(self.earned[b], self.spells[a])
        difference[np.abs(difference) < ROUNDING] = 0.0
        both = shared > ROUNDING
        question, moments = self.questions[both], self._between_equals(a, b, shared)
        return question, question, np.stack([difference, shared, *moments], axis=1)[both]

    def _between_equals(self, a: int, b: int, shared: Floats) -> tuple[Floats, Floats]:
        """Return variance and third moment of each question's difference between equals."""
        first, second = (
            np.stack([self._over(of[side], self.spells[other]) for of in self.said])
            for side, other in ((a, b), (b, a))
        )
        if self.p.ndim == 1:
            first, second = (np.stack([shared - yes, yes]) for yes in (first[0], second[0]))
        outcome = (first + second) / (2 * np.maximum(shared, ROUNDING))
        # But for a constant, the difference at each outcome.
        away = second - first
        away -= (outcome * away).sum(axis=0)
        variance, third = ((outcome * away**power).sum(axis=0) for power in (2, 3))
        return np.maximum(variance, 0.0), third

    def elementary(self, pair: tuple[int, int], rising: Floats) -> tuple[Codes, Floats]:
        """Return the questions shared by a and b, and the differences at rising thresholds."""
        a, b = pair
        many = np.diff(self.sweep.first, append=len(self.score))
        weight, group = np.zeros(len(self.score)), self.live.per_segment(self.group)
        for side, sign in ((a, 1.0), (b, -1.0)):
            here = group == side
            weight[here] = sign * self._shared(side, a, b)[here]
        question = np.repeat(np.arange(len(many)), many)
        p, y = np.nan_to_num(self.p), self.y
        if p.ndim == 2:  # each option is a claim
            question, weight = question.repeat(p.shape[1]), (weight / 2).repeat(p.shape[1])
        claims = weight != 0
        of = (p.ravel()[claims], y.ravel()[claims], weight[claims], question[claims])
        sums = elementary_sums(*of, len(many), rising)
        both = self._over(self.time[a], self.spells[b]) > ROUNDING
        return self.questions[both], sums[both]

    def _shared(self, side: int, a: int, b: int, value: Floats | float = 1.0) -> Floats:
        """Return the part of each segment in the mean of a side over the time shared by a and b.

        As a share of the question's scheduled time; ``value``, of each event, multiplies it.
        """
        both = (self.many[a] > 0) & (self.many[b] > 0)
        each = np.divide(value, self.many[side], out=np.zeros(len(both)), where=both)
        scheduled = np.repeat(self.scheduled, np.diff(self.sweep.first, append=len(self.score)))
        return np.asarray(self.sweep.integral(each) / scheduled)

    def people(self, a: int, b: int) -> Found:
        """Return question, forecaster, deviation and part of everyone live in the shared time."""
        live = self.live
        deviation, part = np.zeros(len(self.group)), np.zeros(len(self.group))
        for side, sign in ((a, 1.0), (b, -1.0)):
            share = self._shared(side, a, b)
            moved = sign * (self.score * share - self._shared(side, a, b, self.mean[side]))
            here = self.group == side
            deviation[here] = np.add.reduceat(moved, live.first)[here]
            part[here] = np.add.reduceat(share, live.first)[here] / 2
        question = np.searchsorted(self.questions, live.question)
        shared = self._over(self.time[a], self.spells[b])[question]
        seen = (part > 0) & (shared > ROUNDING)
        values = np.stack([deviation[seen], part[seen] / shared[seen]], axis=1)
        return live.question[seen], live.forecaster[seen], values
