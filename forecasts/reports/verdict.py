"""The verdict on a record, beyond chance, in a sentence.

It rests on the tests of level and slope of the forecasts when made (``scoring.when_made``). It is
withheld below 30 questions or families, where luck and error look alike. When the tests reject, the
fault is the one whose test is further from 0: forecasts too high or too low throughout, or too
extreme or not extreme enough. The figures of the sentence are taken with the weights of the test.

The outcomes of different families are taken as independent given the forecasts; an accusation says
how much correlation between families open at the same time it bears.

A forecast that gave the outcome a probability of 0 needs no test: no calibrated forecaster makes
one. The sentence then also gives the verdict on the rest.
"""

from __future__ import annotations

import numpy as np

import scoring
from forecasts.reports.numbers import chance, count, survives
from forecasts.reports.report import Verdict
from forecasts.reports.when_made import Floats, Forecasts, WhenMade
from forecasts.updates.values import format_probability
from scoring.shared_shocks import Spans

FEWEST = 30  # questions, and families of linked questions
SIGNIFICANCE = 0.05
# The least probability of a favourite that shows a fault, the clearest first, and the least weight
# of forecasts with one.
_CALLS = (0.9, 0.8, 0.7, 0.6, 0.5)
_CALL_WEIGHT = 0.05


def verdict(made: WhenMade, spans: Spans) -> Verdict:
    """Return the verdict on a group's forecasts; ``spans``: the times of all families."""
    tests = made.tests
    if tests is None:
        return _too_few(0, 0)
    if not len(tests.failed):
        return _found(made.forecasts, tests, spans)
    failed = len(np.unique(made.forecasts.question[tests.failed]))
    wrong = (
        f"on {count(failed, 'question')} a forecast called the outcome impossible, which chance "
        "cannot explain."
    )
    many = _size(made.forecasts)
    if min(many) < FEWEST:
        return Verdict("too_few", f"{_too_few(*many).sentence} But {wrong}")
    rest = _too_few(0, 0) if made.rest is None else _found(*made.rest, spans)
    sentence = f"Overconfident: {wrong} Without these: {rest.sentence}"
    return Verdict("overconfident", sentence, rest=rest.kind, tipping=rest.tipping)


def _size(forecasts: Forecasts) -> tuple[int, int]:
    """Return the number of questions and of families."""
    return forecasts.rows["question"].nunique(), forecasts.rows["family"].nunique()


def _too_few(questions: int, families: int) -> Verdict:
    many = "no question"
    if questions:
        many = f"{count(questions, 'question')} in {count(families, 'family')}"
    return Verdict(
        "too_few",
        f"Too few to tell: {many} scored; below {FEWEST} questions or families, luck and error "
        "look alike.",
    )


def _found(forecasts: Forecasts, tests: scoring.WhenMade, spans: Spans) -> Verdict:
    questions, families = _size(forecasts)
    if min(questions, families) < FEWEST:
        return _too_few(questions, families)
    if np.isnan(tests.p_value):
        certain = ((forecasts.p == 0) | (forecasts.p == 1)).all()
        told = "was 0% or 100%, and came true" if certain else "was even between all options"
        return Verdict("not_estimable", f"No verdict: every forecast {told}.")
    luck = chance(tests.p_value, families)
    if tests.p_value >= SIGNIFICANCE:
        return Verdict(
            "calibrated",
            "Calibrated, as far as the record shows: a calibrated forecaster would be at least "
            f"this far off in {luck}.",
        )
    every = np.unique(forecasts.rows["family"])
    tipping = tests.tipping(spans.opened[every], spans.closed[every])
    level, slope = (float(np.nan_to_num(test.statistic)) for test in (tests.level, tests.slope))
    if abs(level) > abs(slope):
        high = level < 0
        return Verdict(
            "too_high" if high else "too_low",
            f"Too {'high' if high else 'low'}: {_level(forecasts, high=high)}; chance alone would "
            f"do this in {luck}. {survives(tipping)}",
            tipping=tipping,
        )
    over = slope < 0
    return Verdict(
        "overconfident" if over else "underconfident",
        f"{'Overconfident' if over else 'Underconfident'}: {_slope(forecasts, over=over)}; chance "
        f"alone would do this in {luck}. {survives(tipping)}",
        tipping=tipping,
    )


def _level(forecasts: Forecasts, *, high: bool) -> str:
    """Return how far the level is off: what was forecast, and what happened."""
    counted = forecasts.level.any(axis=1)
    weight = forecasts.weight[counted]
    forecast, came = (
        float(np.average((values * forecasts.level).sum(axis=1)[counted], weights=weight))
        for values in (forecasts.p, forecasts.y)
    )
    if (forecasts.level[counted][:, 2:] > 0).any():
        return f"outcomes were {'lower' if high else 'higher'} on their scales than forecast"
    # As many figures as it takes to tell the two apart.
    for digits in range(2, 6):
        mean, true = (_percent(share, digits) for share in (forecast, came))
        if mean != true:
            break
    return f"the mean forecast was {mean} when made, and {true} came true"


def _slope(forecasts: Forecasts, *, over: bool) -> str:
    """Return the evidence of the fault: how often likely outcomes came true, the clearest first."""
    weight = forecasts.weight
    favourite = forecasts.p.argmax(axis=1)
    at = np.arange(len(weight)), favourite
    called, came = forecasts.p[at], forecasts.y[at]
    for least in _CALLS:
        there = called >= least
        if weight[there].sum() < _CALL_WEIGHT * weight.sum():
            continue
        given, happened = (_mean(values[there], weight[there]) for values in (called, came))
        if (given > happened) == over and _percent(given) != _percent(happened):
            return (
                f"{_called(forecasts, least)}, on average {_percent(given)}, came true "
                f"{_percent(happened)} of the time"
            )
    if over and len(weight) > forecasts.rows["question"].nunique():
        return "forecasts on the same questions disagree more than calibrated ones do"
    return f"outcomes were {'less' if over else 'more'} predictable than the forecasts claim"


def _called(forecasts: Forecasts, least: float) -> str:
    """Return the name of the outcomes with at least this probability.

    Reliability diagrams show "yes" alone, so it says that low forecasts of "yes" are among them.
    """
    several = forecasts.offered[:, 2:].any()
    low = "" if several else f" (also “no”, by forecasts of {_percent(1 - least)} or less)"
    return f"outcomes given {_percent(least)} or more{low}"


def _mean(values: Floats, weight: Floats) -> float:
    return float(np.average(values, weights=weight))


def _percent(p: float, digits: int = 2) -> str:
    return format_probability(round(p, digits) if 0.01 <= p <= 0.99 else p, max(1, digits - 2))
