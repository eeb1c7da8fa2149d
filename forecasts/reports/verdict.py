"""The verdict on a record, beyond chance, in a sentence.

It rests on the tests of level and slope of the forecasts when made (``scoring.when_made``). It is
withheld below 30 questions or families, where luck and error look alike. When the tests reject, the
fault is the one whose test is further from 0: forecasts too high or too low throughout, or too
extreme or not extreme enough. The figures of the sentence are taken with the weights of the test.
For the slope they are of the range that shows the fault most clearly. The odds are of all
forecasts, and the sentence says so.

The outcomes of different families are taken as independent given the forecasts; an accusation says
how much correlation between families open at the same time it bears.

While questions of the cohort wait for their outcome, there is a verdict only if it would be the
same with any outcomes of theirs (``scoring.completions``): a "no" is often recorded later.

A forecast that gave the outcome a probability of 0 needs no test: no calibrated forecaster makes
one. The sentence then also gives the verdict on the rest.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from forecasts.common.text import count
from forecasts.documents.numbers import number, percent, percents
from forecasts.reports.report import Kind, Recalibration, Verdict
from forecasts.reports.when_made import Forecasts, WhenMade
from scoring import calibration_when_made
from scoring.completions import Bounds
from scoring.shared_shocks import Spans

FEWEST = 30  # questions, and families of linked questions
SIGNIFICANCE = 0.05
# A fault is shown on the favourites between two of these probabilities, the narrowest that show it,
# if the forecasts there have at least this weight.
_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_RANGES = sorted(combinations(_EDGES, 2), key=lambda ends: ends[1] - ends[0])
_LEAST_WEIGHT = 0.05
_TINY = 1e-12
WHATEVER = "this finding holds with any outcomes"


def verdict(made: WhenMade, spans: Spans) -> Verdict:
    """Return the verdict on a group's forecasts; ``spans``: the times of all families."""
    found = _verdict(made, spans)
    return found if made.bounds is None else replace(found, waiting=made.bounds.waiting)


def _verdict(made: WhenMade, spans: Spans) -> Verdict:
    tests = made.tests
    if tests is None:
        return _too_few(0, 0)
    if not len(tests.failed):
        return _found(made.forecasts, tests, made.bounds, made.line, spans)
    failed = len(np.unique(made.forecasts.question[tests.failed]))
    wrong = (
        f"on {count(failed, 'question')} a forecast called the outcome impossible, which chance "
        "cannot explain."
    )
    many = _size(made.forecasts)
    if min(many) < FEWEST:
        return Verdict("too_few", f"{_too_few(*many).sentence} But {wrong}")
    rest = _too_few(0, 0) if made.rest is None else _found(*made.rest, made.line, spans)
    sentence = f"Overconfident: {wrong} Without these: {rest.sentence}"
    return Verdict("overconfident", sentence, rest=rest.kind, tipping=rest.tipping)


def _size(forecasts: Forecasts) -> tuple[int, int]:
    """Return the number of questions and of families."""
    return forecasts.rows["question"].nunique(), forecasts.rows["family"].nunique()


def _too_few(questions: int, families: int) -> Verdict:
    many = f"{count(questions, 'question')} in {count(families, 'family')}"
    return Verdict(
        "too_few",
        f"Too few to tell: {many if questions else 'no question'} scored; below {FEWEST} questions "
        "or families, luck and error look alike.",
    )


def _found(
    forecasts: Forecasts,
    tests: calibration_when_made.WhenMade,
    bounds: Bounds | None,
    line: Recalibration,
    spans: Spans,
) -> Verdict:
    questions, families = _size(forecasts)
    if min(questions, families) < FEWEST:
        return _too_few(questions, families)
    if np.isnan(tests.p_value):
        certain = ((forecasts.p == 0) | (forecasts.p == 1)).all()
        told = "was 0% or 100%, and came true" if certain else "was even between all options"
        return Verdict("not_estimable", f"No verdict: every forecast {told}.")
    if bounds is not None and not bounds.settled:
        return Verdict("waiting", f"No verdict: {no_outcome(bounds.waiting)}, and could change it.")
    luck = chance(tests.p_value, families)
    holds = "" if bounds is None else f" {no_outcome(bounds.waiting)}; {WHATEVER}."
    if tests.p_value >= SIGNIFICANCE:
        return Verdict(
            "calibrated",
            "Calibrated, as far as the record shows: a calibrated forecaster would be at least "
            f"this far off in {luck}.{holds}",
        )
    every = np.unique(forecasts.rows["family"])
    tipping = tests.tipping(spans.opened[every], spans.closed[every])
    level, slope = (float(np.nan_to_num(test.statistic)) for test in (tests.level, tests.slope))
    kind: Kind
    if abs(level) > abs(slope):
        kind = "too_high" if level < 0 else "too_low"
        fault = f"{_level(forecasts, high=level < 0)}; chance alone would do this"
    else:
        kind = "overconfident" if slope < 0 else "underconfident"
        odds = f"{_over_all(line, over=slope < 0)}, chance alone would put a calibrated forecaster"
        fault = f"{_slope(forecasts, over=slope < 0)}; {odds} this far off"
    named = kind.replace("_", " ").capitalize()
    said = f"{named}: {fault} in {luck}. {survives(tipping)}{holds}"
    return Verdict(kind, said, tipping=tipping)


def no_outcome(questions: int, called: str = "question") -> str:
    """Return that some questions have no outcome yet.

    >>> no_outcome(12), no_outcome(1)
    ('12 questions due by now have no outcome yet', '1 question due by now has no outcome yet')
    """
    has = "has" if questions == 1 else "have"
    return f"{count(questions, called)} due by now {has} no outcome yet"


def _level(forecasts: Forecasts, *, high: bool) -> str:
    """Return how far the level is off: what was forecast, and what happened."""
    counted = forecasts.level.any(axis=1)
    if (forecasts.level[counted][:, 2:] > 0).any():
        return f"outcomes were {'lower' if high else 'higher'} on their scales than forecast"
    weight = forecasts.weight[counted]
    means = (
        np.average((values * forecasts.level).sum(axis=1)[counted], weights=weight)
        for values in (forecasts.p, forecasts.y)
    )
    forecast, came = _percents(*means)
    return f"the mean forecast was {forecast} when made, and {came} came true"


def _over_all(line: Recalibration, *, over: bool) -> str:
    """Return the subject of the odds, with the slope of the line unless it points elsewhere."""
    if line.slope is None or (line.slope < 1) != over:
        return "over all forecasts"
    return f"over all forecasts (recalibration slope {number(line.slope, 2)}, where 1 is right)"


def _slope(forecasts: Forecasts, *, over: bool) -> str:
    """Return where the fault is clearest: how often the likely outcomes there came true."""
    weight = forecasts.weight
    at = np.arange(len(weight)), forecasts.p.argmax(axis=1)
    called, came = forecasts.p[at], forecasts.y[at]
    clearest, found = 0.0, ""
    for least, most in _RANGES:
        there = (called >= least) & ((called < most) | (most == 1))
        size = weight[there].sum()
        if size < _LEAST_WEIGHT * weight.sum():
            continue
        own = weight[there]
        given, happened = (np.average(values[there], weights=own) for values in (called, came))
        by_chance = np.sqrt((weight**2 * called * (1 - called))[there].sum())
        clear = (given - happened if over else happened - given) * size / max(by_chance, _TINY)
        if clear > clearest + _TINY:
            shown, true = _percents(given, happened)
            clearest, where = clear, percents((least, most))
            found = f"outcomes given {where}, on average {shown}, came true {true} of the time"
    if found:
        return found
    if over and len(weight) > forecasts.rows["question"].nunique():
        return "forecasts on the same questions disagree more than calibrated ones do"
    return f"outcomes were {'less' if over else 'more'} predictable than the forecasts claim"


def _percents(one: float, other: float) -> tuple[str, str]:
    """Return two shares with enough decimals to tell them apart."""
    digits = 1 if abs(one - other) >= 0.001 else 3
    return percent(one, digits), percent(other, digits)


def chance(p_value: float, families: int) -> str:
    """Return a p-value as a frequency, with its number of observations.

    >>> chance(0.42, 212)
    '42 of 100 such records (212 families of questions)'
    >>> chance(0.0026, 212)
    '1 of 380 such records (212 families of questions)'
    >>> chance(1e-9, 1)
    'fewer than 1 of 10,000 such records (1 family of questions)'
    """
    return f"{often(p_value)} such records ({count(families, 'family')} of questions)"


def often(p_value: float) -> str:
    """Return a p-value as a frequency: ``42 of 100``, ``1 of 380``."""
    if p_value >= 0.05:
        return f"{p_value * 100:.0f} of 100"
    return (
        "fewer than 1 of 10,000" if p_value < 1e-4 else f"1 of {float(f'{1 / p_value:.2g}'):,.0f}"
    )


def survives(tipping: float | None) -> str:
    """Return how much correlation of questions a claim bears, as a sentence.

    >>> survives(0.031)
    'This claim is in doubt if outcomes of questions open together have a correlation over 0.031.'
    """
    if tipping is None:
        return "This claim holds with any correlation of outcomes of questions open together."
    if tipping < 0.001:
        return (
            "This claim is in doubt if outcomes of questions open together are correlated at all."
        )
    return (
        "This claim is in doubt if outcomes of questions open together have a correlation over "
        f"{tipping:.2g}."
    )
