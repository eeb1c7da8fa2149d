"""The verdict on a record, beyond chance, in a sentence.

A verdict is a plain sentence, a line on luck, and its basis, for a reader who asks how it is known.
It rests on the tests of level and slope of the forecasts when made (``scoring.when_made``). It is
withheld below 30 questions or families, where luck and error look alike. When the tests reject, the
fault is the one whose test is further from 0: forecasts too high or too low throughout, or too
extreme or not extreme enough. The latter is tested of the forecasts from 3% to 97%, too: trivial
questions beside them would hide it. If only these show it, the sentence says so. The figures of the
sentence are taken with the weights of the test. For the slope they are of the range that shows the
fault most clearly. The luck is of all forecasts, and the basis says so.

The outcomes of different families are taken as independent given the forecasts; an accusation says
how much correlation between families open at the same time it bears.

While questions of the cohort wait for their outcome, there is a verdict only if it would be the
same with any outcomes of theirs (``scoring.completions``): a "no" is often recorded later.

A forecast that gave the outcome a probability of 0 needs no test: no calibrated forecaster makes
one. The basis then gives the verdict on the rest. Someone who rounds to 10% means anything up to 5%
with it: if no more failed than that explains, a sentence says so, and the verdict is on the rest.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from forecasts.common.text import count
from forecasts.documents.numbers import number, percent, percents
from forecasts.reports.report import Kind, Recalibration, Verdict
from forecasts.reports.when_made import Forecasts, WhenMade
from scoring import calibration_when_made
from scoring.completions import Bounds
from scoring.shared_shocks import Spans

# The subject of each sentence; ``wording.of`` puts a name or "you" in its place.
SUBJECT = "These forecasts"
FEWEST = 30  # questions, and families of linked questions
SIGNIFICANCE = 0.05
# A fault is shown on the favourites between two of these probabilities, so near that one figure
# stands for them, and further apart only if none of these shows it; if the forecasts there have at
# least this weight.
_EDGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
_RANGES = sorted(combinations(_EDGES, 2), key=lambda ends: ends[1] - ends[0])
_NEAR = 0.201
_LEAST_WEIGHT = 0.05
_TINY = 1e-12
WHATEVER = "this finding holds with any outcomes"


def verdict(made: WhenMade, spans: Spans) -> Verdict:
    """Return the verdict on a group's forecasts; ``spans``: the times of all families."""
    found = _verdict(made, spans)
    if made.undated:
        said = found.sentence.replace("scored", "tested")  # these are scored
        said += f" Not tested, on {count(made.undated, 'question')}: forecasts without the time at "
        found = replace(found, sentence=f"{said}which they were made.")
    return found if made.bounds is None else replace(found, waiting=made.bounds.waiting)


def _verdict(made: WhenMade, spans: Spans) -> Verdict:
    tests = made.tests
    if tests is None:
        return _too_few(0, 0)
    if not len(tests.failed):
        found = _found(made.forecasts, tests, made.bounds, made.line, spans)
        certain, wrong = tests.excused
        if not wrong:
            return found
        say = percent(max(1 - wrong / certain, 0.5))
        said = f"{wrong:,} of {count(certain, 'certain forecast')} failed: say about {say}."
        return replace(found, sentence=f"{found.sentence} {said}")
    failed = len(np.unique(made.forecasts.question[tests.failed]))
    impossible = f"On {count(failed, 'question')} they called the outcome impossible."
    many = _size(made.forecasts)
    if min(many) < FEWEST:
        few = _too_few(*many)
        return replace(few, sentence=f"{few.sentence} {impossible}")
    rest = _too_few(0, 0) if made.rest is None else _found(*made.rest, made.line, spans)
    return Verdict(
        "overconfident",
        f"{SUBJECT} are overconfident. {impossible}",
        luck="Luck cannot explain that: a right forecast never rules out the outcome.",
        basis=f"Without the questions on which that happened: {in_full(rest)}",
        said=rest.said,
        happened=rest.happened,
        rest=rest.kind,
        tipping=rest.tipping,
    )


def in_full(found: Verdict) -> str:
    """Return a verdict with its luck and its basis, as sentences."""
    return " ".join(filter(None, (found.sentence, found.luck, found.basis)))


def _size(forecasts: Forecasts) -> tuple[int, int]:
    """Return the number of questions and of families."""
    return forecasts.rows["question"].nunique(), forecasts.rows["family"].nunique()


def _too_few(questions: int, families: int) -> Verdict:
    have = f"{count(questions, 'question')} scored" if questions else "no question scored"
    if families < questions:
        have += f" in {count(families, 'family')}"
    return Verdict(
        "too_few",
        f"Too few to tell: {have}, and a verdict needs {FEWEST} of each."
        if families < questions
        else f"Too few to tell: {have}, and a verdict needs {FEWEST}.",
        luck="With so few, luck can look like a fault, or hide one.",
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
        told = "was 0% or 100%" if certain else "was even between all options"
        if certain and not tests.excused[1]:
            told += ", and came true"
        return Verdict("not_estimable", f"No verdict: every forecast {told}.")
    if bounds is not None and not bounds.settled:
        return Verdict("waiting", f"No verdict: {no_outcome(bounds.waiting)}, and could change it.")
    holds = "" if bounds is None else f" {no_outcome(bounds.waiting)}; {WHATEVER}."
    pieces = f"It counts {count(families, 'family')} of questions as separate evidence."
    if tests.p_value >= SIGNIFICANCE:
        many = count(questions, "question")
        return Verdict(
            "calibrated",
            f"No fault found: {SUBJECT.lower()} fit the outcomes, as far as {many} can show.",
            luck=f"Without a fault, {often(tests.p_value)} records would look at least this bad. "
            f"Only below {SIGNIFICANCE * 100:.0f} of 100 does it count as a fault.{holds}",
            basis=f"This is a test of all forecasts when made. {pieces}",
        )
    every = np.unique(forecasts.rows["family"])
    tipping = tests.tipping(spans.opened[every], spans.closed[every])
    level, slope, inner = (
        float(np.nan_to_num(test.statistic)) for test in (tests.level, tests.slope, tests.middle)
    )
    kind: Kind
    who = f"{SUBJECT} are"
    if abs(level) > max(abs(slope), abs(inner)):
        kind = "too_high" if level < 0 else "too_low"
        shown = _level(forecasts, high=level < 0)
        where = "This is a test of the level of all forecasts when made."
    else:
        only = calibration_when_made.p_of(level, slope, slope, 1.0) >= SIGNIFICANCE
        over = (inner if abs(inner) > abs(slope) else slope) < 0
        kind = "overconfident" if over else "underconfident"
        shown = _slope(forecasts, over=over, upto=calibration_when_made.MIDDLE if only else 1.0)
        where = f"This is a test of all forecasts when made{_line(line, over=over)}."
        if only:
            who = f"Between 3% and 97%, {who[0].lower()}{who[1:]}"
            where = (
                "This is a test of forecasts from 3% to 97%: all together would not show the "
                "fault. The luck allows for both tests."
            )
    return Verdict(
        kind,
        f"{who} {kind.replace('_', ' ')}. {shown.sentence}",
        luck=f"Luck alone would look like this in {often(tests.p_value)} records.{holds}",
        basis=" ".join(filter(None, (shown.where, where, pieces, survives(tipping)))),
        tipping=tipping,
        said=shown.said,
        happened=shown.happened,
    )


def no_outcome(questions: int, called: str = "question") -> str:
    """Return that some questions have no outcome yet.

    >>> no_outcome(12), no_outcome(1)
    ('12 questions due by now have no outcome yet', '1 question due by now has no outcome yet')
    """
    has = "has" if questions == 1 else "have"
    return f"{count(questions, called)} due by now {has} no outcome yet"


class _Shown(NamedTuple):
    """The figures that show a fault: the mean forecast, the share that came true, and where."""

    sentence: str
    where: str = ""
    said: float | None = None
    happened: float | None = None


def _level(forecasts: Forecasts, *, high: bool) -> _Shown:
    """Return how far the level is off: what was forecast, and what happened."""
    counted = forecasts.level.any(axis=1)
    if (forecasts.level[counted][:, 2:] > 0).any():
        return _Shown(f"Outcomes were {'lower' if high else 'higher'} on their scales.")
    weight = forecasts.weight[counted]
    means = (
        float(np.average((values * forecasts.level).sum(axis=1)[counted], weights=weight))
        for values in (forecasts.p, forecasts.y)
    )
    said, happened = means
    shown, true = apart(said, happened)
    sentence = f"On average they say {shown}, and it happens {true} of the time."
    return _Shown(sentence, said=said, happened=happened)


def _line(line: Recalibration, *, over: bool) -> str:
    """Return the slope of the line, unless it points elsewhere."""
    if line.slope is None or (line.slope < 1) != over:
        return ""
    return f" (recalibration slope {number(line.slope, 2)}, where 1 is right)"


def _slope(forecasts: Forecasts, *, over: bool, upto: float) -> _Shown:
    """Return where the fault is clearest up to a probability: how often likely outcomes came."""
    weight = forecasts.weight
    at = np.arange(len(weight)), forecasts.p.argmax(axis=1)
    called, came = forecasts.p[at], forecasts.y[at]
    clearest, found = 0.0, None
    for least, most in _RANGES:
        if most > upto:
            continue
        if found and most - least > _NEAR:
            break
        there = (called >= least) & ((called < most) | (most == 1))
        size = weight[there].sum()
        if size < _LEAST_WEIGHT * weight.sum():
            continue
        own = weight[there]
        said, happened = (float(np.average(of[there], weights=own)) for of in (called, came))
        by_chance = np.sqrt((weight**2 * called * (1 - called))[there].sum())
        clear = (said - happened if over else happened - said) * size / max(by_chance, _TINY)
        if clear > clearest + _TINY:
            clearest = clear
            shown, true = apart(said, happened)
            found = _Shown(
                f"When they say {shown}, it happens {true} of the time.",
                f"The figures are of outcomes given {percents((least, most))}, where the fault is "
                "clearest (3% for “yes” is 97% for “no”).",
                said,
                happened,
            )
    if found:
        return found
    if over and len(weight) > forecasts.rows["question"].nunique():
        return _Shown("On the same questions they disagree more than right ones would.")
    return _Shown(f"Outcomes were {'less' if over else 'more'} predictable than they claim.")


def apart(one: float, other: float) -> tuple[str, str]:
    """Return two shares with as few decimals as tell them apart, three at most.

    >>> apart(0.972, 0.891), apart(0.972, 0.968), apart(0.01005, 0.00975)
    (('97%', '89%'), ('97.2%', '96.8%'), ('1.00%', '0.97%'))
    """
    shown = ((percent(one, digits), percent(other, digits)) for digits in (0, 1, 2))
    return next(
        (pair for pair in shown if pair[0] != pair[1]), (percent(one, 3), percent(other, 3))
    )


def chance(p_value: float, families: int) -> str:
    """Return a p-value as a frequency, with its number of observations.

    >>> chance(0.0026, 212)
    '1 of 380 such records (212 families of questions)'
    """
    return f"{often(p_value)} such records ({count(families, 'family')} of questions)"


def often(p_value: float) -> str:
    """Return a p-value as a frequency: ``42 of 100``, ``1 of 380``.

    >>> often(0.42), often(0.0026), often(1e-9)
    ('42 of 100', '1 of 380', 'fewer than 1 of 10,000')
    """
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
