"""The calibration of a group's forecasts when made (see ``scoring.when_made``).

The k-th forecast of a member on a question has weight 1/k here, known when it is made. Neither the
time it lasted nor later forecasts matter. At a lead, the forecast current then is the only one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.reports.estimates import known
from forecasts.reports.report import Estimate, Luck, Recalibration, ZTest

Floats = npt.NDArray[np.float64]
# 97.5% of a standard normal lie below it.
_FAR = 1.959963984540054


@dataclass(frozen=True)
class Forecasts:
    """Forecasts in order of question and time.

    ``rows``, one per forecast: group, question (a position), path (one member's forecasts on it),
    place (its row in the matrices), weight (1/k). ``p``, ``y``, ``level`` have one column per
    option, [no, yes] for binary questions: probabilities, outcome, and what an option counts
    towards the level (nothing if the options have no order).
    """

    rows: pd.DataFrame
    p: Floats
    y: Floats
    level: Floats

    def of(self, rows: pd.DataFrame) -> Forecasts:
        """Return the forecasts of some rows."""
        at = rows["place"].to_numpy()
        placed = rows.assign(place=np.arange(len(rows)))
        return Forecasts(placed, self.p[at], self.y[at], self.level[at])


def forecasts_made(
    questions: pd.DataFrame, live: pd.DataFrame, group: npt.NDArray[np.object_]
) -> Forecasts:
    """Return every forecast of every group; ``live`` is from ``member_scores.live_segments``.

    ``questions`` are those that count, ``group`` the group of each member.
    """
    order = np.lexsort((live["start_s"], live["question"]))
    live = live.iloc[order]
    place, member = live["question"].to_numpy(), live["forecaster"].to_numpy(dtype=np.intp)
    path = place.astype(np.int64) * (int(member.max(initial=0)) + 1) + member
    rank = pd.Series(path).groupby(path).cumcount().to_numpy() + 1
    yes, outcome = live["p"].to_numpy(), live["outcome"].to_numpy()
    binary = ~np.isnan(yes)
    options = [name for name in live.columns if name[:1] == "p" and name[1:].isdigit()]
    p = np.zeros((len(live), max(2, len(options))))
    p[:, : len(options)] = np.nan_to_num(live[options].to_numpy())
    p[binary, 0], p[binary, 1], p[binary, 2:] = 1 - yes[binary], yes[binary], 0.0
    last = np.maximum([len(o) - 1 if o else 1 for o in questions["options"]], 1)[place]
    # An option added after the forecast was made counts as the last option if it is the outcome.
    happened = np.where(binary, 1, outcome).astype(np.intp)
    if options:
        lacking = np.isnan(live[options].to_numpy()[np.arange(len(live)), happened])
        happened = np.where(~binary & lacking, last, happened)
    y = np.zeros_like(p)
    y[np.arange(len(live)), happened] = np.where(binary, outcome, 1.0)
    y[binary, 0] = 1 - outcome[binary]
    ordered = binary | (questions["ordered"].to_numpy() == True)[place]  # noqa: E712 blank is no
    level = np.where(ordered[:, None], np.arange(p.shape[1]) / last[:, None], 0.0)
    rows = pd.DataFrame(
        {
            "group": group[member],
            "question": place,
            "path": path,
            "place": np.arange(len(live)),
            "weight": 1 / rank,
        }
    )
    return Forecasts(rows, p, y, level)


@dataclass(frozen=True)
class WhenMade:
    """The calibration of a group's forecasts when made: the tests, the line, the scores.

    ``reaction`` are the tests of its updates. ``rest`` are the tests without the forecasts that
    gave the outcome a probability of 0, if there are any.
    """

    forecasts: Forecasts
    tests: scoring.WhenMade | None
    rest: scoring.WhenMade | None
    level: ZTest
    sharpness: ZTest
    line: Recalibration
    luck: Luck
    reaction: scoring.Reaction | None = None


def when_made(made: Forecasts, family: npt.NDArray[np.integer]) -> WhenMade:
    """Return the calibration of a group's forecasts; ``family``: the cluster of every question."""
    nothing = ZTest(None, None)
    if made.rows.empty:
        line = Recalibration(None, None, None, False, "no question has been scored")
        luck = Luck(None, None, Estimate(None, None), None)
        return WhenMade(made, None, None, nothing, nothing, line, luck)
    tests = _tests(made, family)
    failed = np.isin(np.arange(len(made.rows)), tests.failed)
    rest = None
    if len(tests.failed) and not failed.all():
        rest = _tests(made.of(made.rows[~failed]), family)
    return WhenMade(
        made,
        tests,
        rest,
        _known(tests.level),
        _known(tests.sharpness),
        _line(made, family, tests),
        _luck(made, tests),
        scoring.reaction(*_inputs(made, family)),
    )


def _tests(made: Forecasts, family: npt.NDArray[np.integer]) -> scoring.WhenMade:
    return scoring.when_made(*_inputs(made, family), made.level)


def _inputs(
    made: Forecasts, family: npt.NDArray[np.integer]
) -> tuple[Floats, Floats, pd.Series, npt.NDArray[np.intp], npt.NDArray[np.integer]]:
    """Return p, y, path, question and family of the forecasts, as the tests take them."""
    question = made.rows["question"].to_numpy()
    return made.p, made.y, made.rows["path"], question, family[question]


def _known(test: scoring.Test) -> ZTest:
    return ZTest(known(test.statistic), known(test.p_value))


def _line(
    made: Forecasts, family: npt.NDArray[np.integer], tests: scoring.WhenMade
) -> Recalibration:
    """Return the recalibration line, which describes, with the p-value of level and slope."""
    made_claims = claims(made)
    between = (made_claims.p > 0) & (made_claims.p < 1)
    p_value = known(tests.p_value)
    if not between.any():
        return Recalibration(None, None, p_value, False, "all forecasts are 0% or 100%")
    p, y, weight = (of[between] for of in (made_claims.p, made_claims.y, made_claims.weight))
    line = scoring.recalibration(p, y, weight, family[made_claims.question[between]])
    return Recalibration(
        known(line.intercept), known(line.slope), p_value, line.estimable, line.reason
    )


@dataclass(frozen=True)
class Claims:
    """Yes/no claims in order of question and time.

    A binary forecast is one claim; one with several options is a claim per option, each with half
    the weight. ``below``: the probability of the options before it. ``scale`` turns a mean over
    claims into one over forecasts.
    """

    p: Floats
    y: Floats
    weight: Floats
    question: npt.NDArray[np.intp]
    below: Floats
    scale: float


def claims(made: Forecasts) -> Claims:
    """Return the claims of a group's forecasts."""
    weight, question = (made.rows[name].to_numpy() for name in ("weight", "question"))
    if made.p.shape[1] == 2 and (made.level[:, 1] == 1).all():
        return Claims(made.p[:, 1], made.y[:, 1], weight, question, np.zeros(len(weight)), 1.0)
    shown = made.p > 0
    shown |= made.y > 0
    several = shown[:, 2:].any(axis=1) | (made.level[:, 1] != 1)
    shown[~several, 0] = False
    row, option = np.nonzero(shown)
    before = np.cumsum(made.p, axis=1) - made.p
    before[~several] = 0.0
    own = weight[row] * np.where(several, 0.5, 1.0)[row]
    at = row, option
    scale = float(own.sum() / weight.sum()) if len(weight) else 1.0
    return Claims(made.p[at], made.y[at], own, question[row], before[at], scale)


def _luck(made: Forecasts, tests: scoring.WhenMade) -> Luck:
    """Return the expected and the actual Brier score when made, weighted by 1/k.

    A fractional outcome y takes y (1 − y) off what p (1 − p) expects. The interval has the
    deviation of a calibrated forecaster; where chance is skewed, its width is changed to contain 0
    exactly if the test does not reject.
    """
    weight = made.rows["weight"].to_numpy()
    variance = made.p * (1 - made.p) - made.y * (1 - made.y)
    expected = float(np.average(variance.sum(axis=1) / 2, weights=weight))
    realised = float(np.average(((made.p - made.y) ** 2).sum(axis=1) / 2, weights=weight))
    difference = realised - expected
    z, p_value = tests.sharpness.statistic, tests.sharpness.p_value
    interval = None
    if not np.isnan(p_value):
        half = _FAR * tests.deviation / float(weight.sum())
        if p_value >= 0.05:
            half = max(half, abs(difference))
        else:
            half = min(half, _FAR * abs(difference / z))
        interval = (difference - half, difference + half)
    return Luck(expected, realised, Estimate(difference, interval), known(p_value))
