"""A report as data: what ``build`` returns and every renderer reads.

The fields are, name for name, the keys of the JSON form, which ``report.schema.json`` describes.
None says that there is nothing to compute it from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

By = Literal["all", "forecaster", "team", "tag"]
Cohort = Literal["scheduled", "resolved"]
Kind = Literal[
    "calibrated",
    "overconfident",
    "underconfident",
    "too_high",
    "too_low",
    "too_few",
    "not_estimable",
]
Reason = Literal[
    "open",
    "awaiting_resolution",
    "annulled",
    "ambiguous",
    "not_in_cohort",
    "numeric_or_date",
    "never_live",
]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """A mean over questions and its 95 % interval (None with fewer than two families)."""

    mean: float | None
    interval: Interval | None


@dataclass(frozen=True)
class LogScore:
    """The mean over the questions whose log score is finite, and how many have an infinite one."""

    mean: float | None
    infinite: int


@dataclass(frozen=True)
class Decomposition:
    """The parts of the mean Brier score (0–1).

    brier.mean = miscalibration − discrimination + uncertainty, to rounding.
    """

    miscalibration: float | None
    discrimination: float | None
    uncertainty: float | None


@dataclass(frozen=True)
class Recalibration:
    """The line logit P(y) = intercept + slope · logit p, and the F test that it is (0, 1).

    Where ``estimable`` is false the numbers are None and ``reason`` says why.
    """

    intercept: float | None
    slope: float | None
    p_value: float | None
    estimable: bool
    reason: str


@dataclass(frozen=True)
class ZTest:
    """A test against the standard normal, two-sided; None where there is nothing to test."""

    z: float | None
    p_value: float | None


@dataclass(frozen=True)
class CurvePoint:
    """One forecast on the reliability curve, and the 90 % band that chance alone would give."""

    forecast: float
    recalibrated: float
    weight: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Bin:
    """Forecasts in [lower, upper), the last bin [lower, upper].

    ``weight`` is split over the bins by the share of its time that a forecast stood: in all a
    binary question has 1, a multiple-choice one half its number of options.
    ``questions`` counts those with any forecast in the bin. ``interval`` is 95 %, Wilson, of
    ``weight`` observations, but of no more than ``questions``.
    """

    lower: float
    upper: float
    questions: int
    weight: float
    forecast: float | None
    observed: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Verdict:
    """What the record shows, beyond what chance explains."""

    kind: Kind
    sentence: str


@dataclass(frozen=True)
class LeftOut:
    """How many questions were left out for one reason."""

    reason: Reason
    questions: int


@dataclass(frozen=True)
class Group:
    """The record of one forecaster, team or tag, or of everyone.

    ``questions`` are those scored, each counted once, and ``families`` their clusters;
    ``forecasters`` those with a score; ``updates`` their forecasts on these questions, and
    ``coverage`` the mean share of the questions' time in which they were live. ``left_out``
    counts the group's other questions: those that its members forecast, or that bear the tag.
    ``auc`` is the chance that what came true had the higher forecast than what did not.
    ``curve`` is None where curves were not asked for.
    """

    name: str
    forecasters: int
    questions: int
    families: int
    updates: int
    coverage: float | None
    brier: Estimate
    brier_original: Estimate
    log: LogScore
    decomposition: Decomposition
    recalibration: Recalibration
    spiegelhalter: ZTest
    calibration_in_the_large: ZTest
    auc: float | None
    curve: tuple[CurvePoint, ...] | None
    bins: tuple[Bin, ...]
    verdict: Verdict
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Metadata:
    """What the numbers are of, and what they were made with.

    ``as_of`` is the moment of making. ``input_sha256`` is the digest of everything in the ledger
    that bears on the numbers.
    """

    engine_version: str
    protocol: str
    by: By
    cohort: Cohort
    as_of: datetime
    input_sha256: str


@dataclass(frozen=True)
class Report:
    """The groups in order of their names (or as they were asked for), and what was left out.

    ``questions`` counts all of the ledger; ``left_out`` says why some of them have no score of
    anyone. ``notes`` are full sentences on what to mind in this one.
    """

    metadata: Metadata
    questions: int
    left_out: tuple[LeftOut, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
