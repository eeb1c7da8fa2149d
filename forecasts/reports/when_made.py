"""The calibration of a group's forecasts when made (see ``scoring.when_made``).

The k-th forecast of a member on a question has weight 1/k here, known when it is made. Neither the
time it lasted nor later forecasts matter, with one exception: a forecast that is replaced or
withdrawn within an hour does not count. Otherwise a few made a second before would take the weight
of the forecast that follows. Nor does one that the close ended within the hour, if it would have
been replaced by then.

A forecast whose time is not that of its making does not count either: one of a sheet without dates,
or imported with one instant for all. It may be the last of several, made with news of the outcome.

At a lead, the forecasts count that were made between it and the next lead before the close that was
scheduled then (``groups.lead_window``). Those current at the lead would not do: a question that is
still open then had no early outcome, so they know something of the outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports import report
from forecasts.reports.cohort import families
from forecasts.reports.estimates import known
from forecasts.reports.groups import lead_window, of_members
from forecasts.reports.member_scores import option_columns
from forecasts.reports.report import Estimate, Luck, Recalibration, ZTest
from forecasts.reports.schedules import scheduled_close_when_made
from scoring import calibration_when_made, inference
from scoring.arrays import Flags, Floats, Places
from scoring.calibration_when_made import step_of
from scoring.completions import Bounds, completions, reaction_settled
from scoring.movement import Reaction
from scoring.ordering import in_order
from scoring.rare_events import LeastWidths, least_widths

# A forecast counts once it has been current for so long, or until the question closed.
LASTS_S = 3600.0
DAY_S = 86_400
_ROUNDING_S = 5e-7  # times are whole microseconds


@dataclass(frozen=True)
class Forecasts:
    """Forecasts in order of question and time.

    ``rows``, one per forecast: group, question and member (positions), family (of the question),
    path (one member's forecasts on it), place (its row in the matrices). ``p``, ``y``, ``level``
    have one column per option, [no, yes] for binary questions: probabilities, outcome, and what an
    option counts towards the level (nothing if the options have no order). ``offered`` marks the
    options that the question had.
    """

    rows: pd.DataFrame
    p: Floats
    y: Floats
    level: Floats
    offered: Flags

    @cached_property
    def ordered(self) -> calibration_when_made.Forecasts:
        """The forecasts as the tests take them; there must be one."""
        path, question, family = (self.rows[name] for name in ("path", "question", "family"))
        return scoring.in_order_of_time(
            p=self.p,
            y=self.y,
            path=path,
            question=question,
            family=family,
            level=self.level,
            step=self.step,
        )

    @property
    def step(self) -> Floats:
        """The grid on which the member speaks who made each, 0 for none."""
        found = np.zeros(len(self.rows))
        shown = self.offered & (np.arange(self.p.shape[1]) > 0)
        member = self.rows["member"].to_numpy()
        order = np.argsort(member, kind="stable")
        for at in np.split(order, np.flatnonzero(np.diff(member[order])) + 1):
            found[at] = step_of(self.p[at][shown[at]])
        return found

    @property
    def question(self) -> Places:
        """The question of each."""
        return self.rows["question"].to_numpy()

    @property
    def weight(self) -> Floats:
        """The weight of each, 1/k."""
        return np.zeros(0) if self.rows.empty else 1 / self.ordered.rank

    def of(self, rows: pd.DataFrame) -> Forecasts:
        """Return the forecasts of some rows."""
        at = rows["place"].to_numpy()
        placed = rows.assign(place=np.arange(len(rows)))
        return Forecasts(placed, self.p[at], self.y[at], self.level[at], self.offered[at])

    def followed_by(self, others: Forecasts) -> Forecasts:
        """Return these forecasts and then others, on other questions."""
        most = max(self.p.shape[1], others.p.shape[1])

        def both(name: str) -> npt.NDArray[Any]:
            wide = [
                np.pad(part, ((0, 0), (0, most - part.shape[1])))
                for part in (getattr(self, name), getattr(others, name))
            ]
            return np.concatenate(wide)

        path = others.rows["path"] + self.rows["path"].max() + 1
        rows = pd.concat([self.rows, others.rows.assign(path=path)], ignore_index=True)
        return Forecasts(
            rows.assign(place=np.arange(len(rows))), *map(both, ("p", "y", "level", "offered"))
        )


def forecasts_made(
    questions: pd.DataFrame, live: pd.DataFrame, group: pd.Series, lead: float | None = None
) -> Forecasts:
    """Return the forecasts of every group that count when made, of all or of those at a lead.

    The arguments are those of ``forecasts_of``.
    """
    place = live["question"].to_numpy()
    scheduled = questions["scheduled_close_time"]
    closes = questions["actual_close_time"].fillna(scheduled).clip(upper=scheduled)
    open_s = (closes - questions["open_time"]).dt.total_seconds().to_numpy()[place]
    start, end = live["start_s"].to_numpy(), live["end_s"].to_numpy()
    counts = (end - start >= LASTS_S) | _closed(live, end > open_s - _ROUNDING_S)
    counts &= ~live["undated"].to_numpy(dtype=np.bool_)
    if lead is not None:
        asked = live[["made_at"]].assign(question_id=questions["question_id"].to_numpy()[place])
        before = scheduled_close_when_made(questions, asked) - live["made_at"]
        least, below = lead_window(lead)
        days = before.dt.total_seconds() / DAY_S
        counts &= ((days >= least) & (days < below)).to_numpy()
    return forecasts_of(questions, live[counts], group)


def _closed(live: pd.DataFrame, at_close: Flags) -> Flags:
    """Return the forecasts that the close ended and that would have gone on for an hour.

    So says the path: of its forecasts that lasted longer, at least half lasted an hour. Someone who
    updates every half hour would else be tested on the last forecasts before a "yes".
    """
    lasted = (live["end_s"] - live["start_s"]).to_numpy()
    path = live.groupby(["question", "forecaster"], sort=False).ngroup().to_numpy()
    order = np.argsort(path, kind="stable")
    first, last = (np.searchsorted(path[order], path, side) for side in ("left", "right"))
    found = at_close.copy()
    for row in np.flatnonzero(at_close & (lasted < LASTS_S) & (last - first > 1)):
        own = lasted[order[first[row] : last[row]]]
        longer = own[own > lasted[row]]
        found[row] = not len(longer) or np.mean(longer >= LASTS_S) >= 0.5
    return found


def forecasts_of(questions: pd.DataFrame, live: pd.DataFrame, group: pd.Series) -> Forecasts:
    """Return the forecasts of every group that are in ``live``.

    ``live`` is from ``member_scores.live_segments``, ``questions`` are those that count, ``group``
    is the group of each member (``Entries``).
    """
    started = np.rint(live["start_s"].to_numpy() * 1e6).astype(np.int64)
    live = live.iloc[in_order(live["question"].to_numpy(), started)[0]]
    place, member = live["question"].to_numpy(), live["forecaster"].to_numpy(dtype=np.intp)
    p, y, last = option_columns(questions, live)
    binary = ~np.isnan(live["p"].to_numpy())
    ordered = binary | (questions["ordered"].to_numpy() == True)[place]  # noqa: E712 blank is no
    option = np.arange(p.shape[1])
    there = ordered[:, None] & (option <= last[:, None])
    level = np.where(there, option / last[:, None], 0.0)
    rows = pd.DataFrame(
        {
            "group": of_members(group, member),
            "question": place,
            "family": families(questions)[place],
            "member": member,
            "path": place.astype(np.int64) * (int(member.max(initial=0)) + 1) + member,
            "place": np.arange(len(live)),
        }
    )
    return Forecasts(rows, np.nan_to_num(p), y, level, ~np.isnan(p) | (y > 0))


class Tested(NamedTuple):
    """Forecasts, the tests of their calibration, and their bounds if outcomes are missing."""

    forecasts: Forecasts
    tests: calibration_when_made.WhenMade
    bounds: Bounds | None


class WhenMade(NamedTuple):
    """The calibration of a group's forecasts when made: the tests, the line, the scores.

    ``least`` are the least widths of the intervals of its scores, and ``reaction`` the tests of its
    updates. ``rest`` are the forecasts without those that gave the outcome a probability of 0, if
    there are such, and their tests. ``bounds`` are those of the tests, over the outcomes of
    questions that wait; None if none does. ``reaction_settled``: whether ``reaction`` finds the
    same with any outcomes of theirs. ``undated``: the questions with a forecast that has no time of
    its making.
    """

    forecasts: Forecasts
    tests: calibration_when_made.WhenMade | None = None
    rest: Tested | None = None
    level: ZTest = ZTest()
    sharpness: ZTest = ZTest()
    line: Recalibration = Recalibration()
    luck: Luck = Luck()
    least: LeastWidths = LeastWidths((0.0, 0.0), (0.0, 0.0))
    reaction: Reaction | None = None
    bounds: Bounds | None = None
    reaction_settled: bool = True
    undated: int = 0

    @property
    def unsettled(self) -> int:
        """The questions that wait, if their outcomes could change the finding on updates."""
        return 0 if self.reaction_settled or self.bounds is None else self.bounds.waiting

    @property
    def tested(self) -> report.Sample:
        """The number of the forecasts, their questions and families."""
        rows = self.forecasts.rows
        return report.Sample(
            rows["question"].nunique(), rows["family"].nunique(), len(rows), self.undated
        )


def least(made: Forecasts) -> LeastWidths:
    """Return the least widths of the intervals of the scores of forecasts."""
    nothing = (0.0, 0.0)
    return LeastWidths(nothing, nothing) if made.rows.empty else least_widths(made.ordered)


def when_made(made: Forecasts, waiting: Forecasts | None = None, undated: int = 0) -> WhenMade:
    """Return the calibration of a group's forecasts; ``waiting``: those without outcome yet.

    ``undated``: the questions with a forecast that is left out, as it has no time of its making.
    """
    if made.rows.empty:
        return WhenMade(made, undated=undated)
    tests = scoring.when_made(made.ordered)
    failed = np.isin(np.arange(len(made.rows)), tests.failed)
    rest = None
    if len(tests.failed) and not failed.all():
        others = made.of(made.rows[~failed])
        rest = Tested(others, scoring.when_made(others.ordered), _bounds(others, waiting))
    line = _line(made)
    return WhenMade(
        made,
        tests,
        rest,
        _known(tests.level),
        _known(tests.sharpness),
        _described(line, tests),
        _luck(made, tests),
        least_widths(made.ordered, tests.null),
        scoring.reaction(made.ordered, line),
        _bounds(made, waiting),
        _reaction_settled(made, waiting, line),
        undated,
    )


def _with_waiting(
    made: Forecasts, waiting: Forecasts
) -> tuple[calibration_when_made.Forecasts, Flags]:
    """Return all forecasts in order, and which options may come of those that wait."""
    every = made.followed_by(waiting)
    waits = np.arange(len(every.rows)) >= len(made.rows)
    return every.ordered, every.offered & waits[:, None]


def _bounds(made: Forecasts, waiting: Forecasts | None) -> Bounds | None:
    """Return the bounds of the tests over the outcomes of the forecasts that wait for one."""
    if waiting is None or waiting.rows.empty:
        return None
    return completions(*_with_waiting(made, waiting))


def _reaction_settled(
    made: Forecasts, waiting: Forecasts | None, line: inference.Recalibration | None
) -> bool:
    if waiting is None or waiting.rows.empty or line is None:
        return True
    return reaction_settled(*_with_waiting(made, waiting), line)


def _known(test: inference.Test) -> ZTest:
    return ZTest(known(test.statistic), known(test.p_value))


def _line(made: Forecasts) -> inference.Recalibration | None:
    """Return the recalibration line of the forecasts between 0 and 1; None if there are none."""
    found = claims(made)
    between = (found.p > 0) & (found.p < 1)
    if not between.any():
        return None
    return scoring.recalibration(
        p=found.p[between],
        y=found.y[between],
        weight=found.weight[between],
        question=found.family[between],
    )


def _described(
    line: inference.Recalibration | None, tests: calibration_when_made.WhenMade
) -> Recalibration:
    """Return the line, which describes, with the p-value of level and slope."""
    p_value = known(tests.p_value)
    if line is None:
        return Recalibration(None, None, p_value, False, "all forecasts are 0% or 100%")
    return Recalibration(
        known(line.intercept), known(line.slope), p_value, line.estimable, line.reason
    )


@dataclass(frozen=True)
class Claims:
    """Yes/no claims in order of question and time.

    A binary forecast is one claim; one with several options is a claim per option, each with half
    the weight. ``family`` is that of the question, ``below`` the probability of the options before
    the claimed one. ``scale`` turns a mean over claims into one over forecasts.
    """

    p: Floats
    y: Floats
    weight: Floats
    question: Places
    family: Places
    below: Floats
    scale: float

    @cached_property
    def ranked(self) -> Claims:
        """The claims in order of the forecast, for measures that need no other: sorted once."""
        order = np.argsort(self.p)
        columns = ("p", "y", "weight", "question", "family", "below")
        return replace(self, **{name: getattr(self, name)[order] for name in columns})


def claims(made: Forecasts) -> Claims:
    """Return the claims of a group's forecasts."""
    weight, question, family = made.weight, made.question, made.rows["family"].to_numpy()
    if made.p.shape[1] == 2 and (made.offered[:, 1] & (made.level[:, 1] == 1)).all():
        nothing = np.zeros(len(weight))
        return Claims(made.p[:, 1], made.y[:, 1], weight, question, family, nothing, 1.0)
    shown = made.offered.copy()
    several = shown[:, 2:].any(axis=1) | (made.level[:, 1] != 1)
    shown[~several, 0] = False
    row, option = np.nonzero(shown)
    before = np.cumsum(made.p, axis=1) - made.p
    before[~several] = 0.0
    own = weight[row] * np.where(several, 0.5, 1.0)[row]
    at = row, option
    scale = float(own.sum() / weight.sum()) if len(weight) else 1.0
    return Claims(made.p[at], made.y[at], own, question[row], family[row], before[at], scale)


def _luck(made: Forecasts, tests: calibration_when_made.WhenMade) -> Luck:
    """Return the expected and the actual Brier score when made, weighted by 1/k.

    A fractional outcome y takes y (1 − y) off what p (1 − p) expects. The interval has the
    differences with which the test would not reject.
    """
    weight = made.weight
    variance = made.p * (1 - made.p) - made.y * (1 - made.y)
    expected = float(np.average(variance.sum(axis=1) / 2, weights=weight))
    realised = float(np.average(((made.p - made.y) ** 2).sum(axis=1) / 2, weights=weight))
    difference = realised - expected
    low, high = (end / float(weight.sum()) for end in tests.null.range())
    interval = None if np.isnan(low) else (difference - high, difference - low)
    p_value = known(tests.sharpness.p_value)
    return Luck(expected, realised, Estimate(difference, interval), p_value)
