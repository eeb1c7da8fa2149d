"""The measures of a record as data: scores, calibration, discrimination (``report.Group``).

The fields are, name for name, keys of the JSON format. None means that there is nothing to compute
the number from.
"""

from __future__ import annotations

from dataclasses import dataclass

from forecasts.documents.numbers import Interval


@dataclass(frozen=True)
class Estimate:
    """A mean over questions and its 95% interval (None below two effective families)."""

    mean: float | None
    interval: Interval | None


@dataclass(frozen=True)
class LogScore(Estimate):
    """The mean over the questions with a finite log score, and the number of infinite ones."""

    infinite: int


@dataclass(frozen=True)
class Skill(Estimate):
    """The advantage over the other forecasters at the same times, × 100; positive is better.

    ``questions``: those that someone else forecast too.
    """

    questions: int


@dataclass(frozen=True)
class Adjusted(Estimate):
    """The Brier score (0–1) adjusted for difficulty: expected if all had forecast all questions.

    ``questions``: those with a score of another group too, on which it rests. ``component``
    numbers the sets of groups that shared questions connect, from 0 by size: scores of different
    sets cannot be compared.
    """

    questions: int
    component: int


@dataclass(frozen=True)
class Decomposition:
    """The parts of the mean Brier score (0–1) of forecasts when made.

    ``score`` = miscalibration − discrimination + uncertainty, up to rounding. The k-th forecast on
    a question has weight 1/k, so ``score`` differs from ``brier``, which is by time.
    """

    score: float | None
    miscalibration: float | None
    discrimination: float | None
    uncertainty: float | None


@dataclass(frozen=True)
class LogDecomposition(Decomposition):
    """The parts of the mean log score of the same forecasts, each option a yes/no claim.

    ``infinite`` counts the claims left out: their outcome was called impossible.
    """

    infinite: int


@dataclass(frozen=True)
class Miscalibration:
    """The miscalibration of forecasts when made, on the scale of the Brier score (0–1).

    The k-th forecast on a question has weight 1/k. ``expected`` is the mean for a calibrated
    forecaster with the same forecasts, and ``p_value`` how often such a forecaster shows at least
    ``when_made``. With more than 200 different forecasts, these two are of forecasts rounded to
    half a percentage point.
    """

    when_made: float | None
    expected: float | None
    p_value: float | None


@dataclass(frozen=True)
class Errors:
    """The distance between forecasts when made and how often they came true (0–1).

    By the reliability curve: the weighted mean (Eavg), the 90th percentile (E90) and the maximum
    (Emax), each with its mean for a calibrated forecaster with the same forecasts.
    """

    average: float | None
    p90: float | None
    largest: float | None
    expected_average: float | None
    expected_p90: float | None
    expected_largest: float | None


@dataclass(frozen=True)
class Recalibration:
    """The line logit P(y) = intercept + slope · logit p of forecasts when made, and a p-value.

    ``p_value`` is that of the verdict: the test of level and slope together. If ``estimable`` is
    false, intercept and slope are None and ``reason`` says why; forecasts of 0 and 1 are left out.
    """

    intercept: float | None
    slope: float | None
    p_value: float | None
    estimable: bool
    reason: str


@dataclass(frozen=True)
class ZTest:
    """A z statistic of forecasts when made, and its two-sided p-value; None if nothing is tested.

    ``z`` is standard normal under calibration, by the distribution that the p-value has.
    """

    z: float | None
    p_value: float | None


@dataclass(frozen=True)
class Luck:
    """The expected and the realised Brier score (0–1) of forecasts when made, and the difference.

    ``difference`` = realised − expected; above 0 the forecasts claimed too much certainty. Test and
    interval are those of Spiegelhalter's z. The k-th forecast on a question has weight 1/k, so
    ``realised`` differs from the Brier score of the report, which is by time.
    """

    expected: float | None
    realised: float | None
    difference: Estimate
    p_value: float | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One forecast on the reliability curve of forecasts when made, and the 90% band of chance.

    In 90 of 100 calibrated records the whole curve lies in its band. The k-th forecast on a
    question has weight 1/k.
    """

    forecast: float
    recalibrated: float
    weight: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class MurphyPoint:
    """The mean elementary score of forecasts when made, and that of the base rate as the forecast.

    The area under the first is the score of ``decomposition``.
    """

    threshold: float
    score: float
    base_rate: float


@dataclass(frozen=True, slots=True)
class RocPoint:
    """The rates of calling an event if forecasts of at least ``threshold`` call it.

    ``hit_rate`` is of the events, ``false_alarm_rate`` of the rest. The threshold of the first
    point, above every forecast, is None.
    """

    threshold: float | None
    hit_rate: float
    false_alarm_rate: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Forecasts when made in [lower, upper), or [lower, upper] in the last bin.

    ``weight`` is the total of theirs: 1/k for a forecaster's k-th on a question, half of it for
    each option of several. ``questions`` counts those with any forecast in the bin. ``interval`` is
    95%, Wilson, of ``weight`` observations, but of no more than the effective families
    in the bin.
    """

    lower: float
    upper: float
    questions: int
    weight: float
    forecast: float | None
    observed: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Certainty:
    """The number of questions with a forecast of exactly 0 or 1, and of those with a wrong one."""

    questions: int
    wrong: int


@dataclass(frozen=True)
class Inside:
    """The share of the outcomes in the middle ``level`` of the forecast distributions."""

    level: float
    share: float


@dataclass(frozen=True)
class Pit:
    """The calibration of numeric and date forecasts when made: where in them the outcomes lie.

    ``bins`` are the shares of the outcomes in each tenth of the forecast distributions, from the
    lowest; a tenth each if calibrated. ``level`` above 0: outcomes were higher than forecast;
    ``spread`` above 0: distributions were too narrow. ``p_value`` is of both together, None below
    30 questions or families. The k-th forecast on a question has weight 1/k.
    """

    questions: int
    families: int
    forecasts: int
    bins: tuple[float, ...]
    inside: tuple[Inside, ...]
    level: ZTest
    spread: ZTest
    p_value: float | None
    sentence: str
