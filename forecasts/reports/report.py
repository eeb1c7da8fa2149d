"""A report as data: ``build`` returns it, and every format is made of it.

The fields are, name for name, the keys of the JSON format (``report.schema.json``). None
means that there is nothing to compute the number from. Every interval and every p-value counts
families of questions, never questions, updates or forecasters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from forecasts.documents.numbers import Interval
from forecasts.reports.selection import Choice

By = Literal["all", "forecaster", "team", "tag", "lead", "kind", "model", "owner"]
Kind = Literal[
    "calibrated",
    "overconfident",
    "underconfident",
    "too_high",
    "too_low",
    "too_few",
    "not_estimable",
    "waiting",
]
FAULTS: tuple[Kind, ...] = ("overconfident", "underconfident", "too_high", "too_low")
Drift = Literal["grew_high", "grew_low", "none", "too_few"]
Reaction = Literal["over_reacting", "under_reacting", "swings", "neither", "too_few", "waiting"]
Reason = Literal[
    "open",
    "awaiting_resolution",
    "annulled",
    "ambiguous",
    "not_in_cohort",
    "not_selected",
    "numeric_or_date",
    "never_live",
    "in_no_group",
    "none_at_lead",
]


@dataclass(frozen=True)
class Estimate:
    """A mean over questions and its 95% interval (None below two effective families)."""

    mean: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True)
class LogScore(Estimate):
    """The mean over the questions with a finite log score, and the number of infinite ones."""

    infinite: int = 0


@dataclass(frozen=True)
class Skill(Estimate):
    """The advantage over the other forecasters at the same times, × 100; positive is better.

    ``questions``: those that someone else forecast too.
    """

    questions: int = 0


@dataclass(frozen=True)
class Adjusted(Estimate):
    """The Brier score (0–1) adjusted for difficulty: expected if all had forecast all questions.

    ``questions``: those with a score of another group too, on which it rests. ``component``
    numbers the sets of groups that shared questions connect, from 0 by size: scores of different
    sets cannot be compared.
    """

    questions: int = 0
    component: int = 0


@dataclass(frozen=True)
class Decomposition:
    """The parts of the mean Brier score (0–1) of forecasts when made.

    ``score`` = miscalibration − discrimination + uncertainty, up to rounding. The k-th forecast on
    a question has weight 1/k, so ``score`` differs from ``brier``, which is by time.
    """

    score: float | None = None
    miscalibration: float | None = None
    discrimination: float | None = None
    uncertainty: float | None = None


@dataclass(frozen=True)
class LogDecomposition(Decomposition):
    """The parts of the mean log score of the same forecasts, each option a yes/no claim.

    ``infinite`` counts the claims left out: their outcome was called impossible.
    """

    infinite: int = 0


@dataclass(frozen=True)
class Miscalibration:
    """The miscalibration of forecasts when made, on the scale of the Brier score (0–1).

    The k-th forecast on a question has weight 1/k. ``expected`` is the mean for a calibrated
    forecaster with the same forecasts, and ``p_value`` how often such a forecaster shows at least
    ``when_made``. With more than 200 different forecasts, these two are of forecasts rounded to
    half a percentage point.
    """

    when_made: float | None = None
    expected: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Errors:
    """The distance between forecasts when made and how often they came true (0–1).

    By the reliability curve: the weighted mean (Eavg), the 90th percentile (E90) and the maximum
    (Emax), each with its mean for a calibrated forecaster with the same forecasts.
    """

    average: float | None = None
    p90: float | None = None
    largest: float | None = None
    expected_average: float | None = None
    expected_p90: float | None = None
    expected_largest: float | None = None


@dataclass(frozen=True)
class Recalibration:
    """The line logit P(y) = intercept + slope · logit p of forecasts when made, and a p-value.

    ``p_value`` is that of the verdict: the test of level and slope together. If ``estimable`` is
    false, intercept and slope are None and ``reason`` says why; forecasts of 0 and 1 are left out.
    """

    intercept: float | None = None
    slope: float | None = None
    p_value: float | None = None
    estimable: bool = False
    reason: str = "no question has been scored"


@dataclass(frozen=True)
class ZTest:
    """A z statistic of forecasts when made, and its two-sided p-value; None if nothing is tested.

    ``z`` is standard normal under calibration, by the distribution that the p-value has.
    """

    z: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Luck:
    """The expected and the realised Brier score (0–1) of forecasts when made, and the difference.

    ``difference`` = realised − expected; above 0 the forecasts claimed too much certainty. Test and
    interval are those of Spiegelhalter's z. The k-th forecast on a question has weight 1/k, so
    ``realised`` differs from the Brier score of the report, which is by time.
    """

    expected: float | None = None
    realised: float | None = None
    difference: Estimate = Estimate()
    p_value: float | None = None


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

    questions: int = 0
    wrong: int = 0


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
    30 questions or families, and while an outcome of the ``waiting`` questions could change the
    finding. The k-th forecast on a question has weight 1/k.
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
    waiting: int = 0


@dataclass(frozen=True)
class Movement:
    """Over- and under-reaction, over every question with a step, resolved or open.

    ``excess``: the mean over questions of Σ (2 p_t − 1)(p_t − p_{t+1}); above 0 the forecasts moved
    more than they learned. ``p_value`` is of the recalibrated forecasts on the resolved questions.
    ``revised``: the families of these with a changed forecast; with fewer than 30, or fewer than
    half, ``sentence`` makes no claim.
    """

    questions: int
    families: int
    revised: int
    excess: Estimate
    p_value: float | None
    kind: Reaction
    sentence: str


@dataclass(frozen=True)
class Unrevised:
    """A question on which a review would have paid: its costliest forecast, and the points.

    ``question`` is its id; the forecast stood for ``days``.
    """

    question: str
    title: str
    forecaster: str
    forecast: float
    days: float
    points: float


@dataclass(frozen=True)
class Staleness:
    """The cost of forecasts that nobody revised while time passed, on binary questions.

    ``cost`` is in Brier points (0–1) over the scheduled time: the saving if each forecast had moved
    with the time that passed, which may be below 0. ``drift`` is the power of the time
    left by which the odds fell; above 0, forecasts grew too high. It is a description, claimed only
    if the interval of the cost lies above 0. ``most``: the few questions with the largest cost.
    """

    questions: int
    families: int
    drift: float
    cost: Estimate
    kind: Drift
    sentence: str
    most: tuple[Unrevised, ...]


@dataclass(frozen=True)
class Coherence:
    """The cost of forecasts that contradict each other, on questions that hang together.

    ``sets`` of ``questions`` with an outcome, by groups, conditions and certain links; in those
    ``contradicting``, a forecast was half a point or more away from its coherent neighbour at some
    time. ``cost``: the Brier score (0–1) less that of the neighbour, a question.
    """

    sets: int
    contradicting: int
    questions: int
    families: int
    cost: Estimate
    sentence: str


@dataclass(frozen=True)
class Lead:
    """The forecasts current that many days before the scheduled close: a row of the profile.

    ``expected`` is the mean of their p (1 − p), the Brier score (0–1) that they promise. The two
    describe and are not tested: a question still open then had no early outcome.
    """

    days: float
    questions: int
    families: int
    brier: Estimate
    expected: float | None


@dataclass(frozen=True)
class Earned:
    """The points earned by the updates that cite one publisher, kind or piece of evidence.

    A blank ``name`` means, by kind, updates that cite nothing, and by publisher, evidence without
    one; by evidence it is the id, and ``title`` the title. ``points`` is the sum over questions of
    the reduction of the Brier score (0–1, over the scheduled time), each as the mean over all
    members of the group; ``per_question`` is the mean over the questions with a citation.
    """

    by: Literal["publisher", "kind", "evidence"]
    name: str
    title: str
    citations: int
    questions: int
    families: int
    points: float
    per_question: Estimate


@dataclass(frozen=True)
class Update:
    """The points of one update: (score_before − score) · remaining, off its forecaster's own score.

    ``question`` is its id, ``title`` the question's. ``remaining`` is the share of its scheduled
    time that was left. ``points`` = ``promised`` + ``surprise``: the expectation if the new
    forecast were right, and the rest.
    """

    question: str
    title: str
    forecaster: str
    made_at: datetime
    remaining: float
    score_before: float
    score: float
    points: float
    promised: float
    surprise: float


@dataclass(frozen=True)
class Updates:
    """The points of all updates of a group that replaced a forecast, and a few of these updates.

    ``helped`` and ``cost`` count those with points above and below 0. ``points``, ``promised`` and
    ``surprise`` are sums over ``questions``, each as the mean over all members of the group;
    ``per_question`` is the mean of the first. ``most`` and ``least`` are the few with the most and
    the fewest points.
    """

    updates: int
    helped: int
    cost: int
    questions: int
    families: int
    points: float
    promised: float
    surprise: float
    per_question: Estimate
    most: tuple[Update, ...]
    least: tuple[Update, ...]


@dataclass(frozen=True)
class Verdict:
    """The finding of a record beyond chance.

    ``sentence`` is for anyone; ``luck`` says in one line what chance alone would do, and ``basis``
    how it is known. ``said`` and ``happened`` are the figures that show the fault, as shares: a
    mean forecast, and how often it came true; None without figures. ``rest``: for a record with a
    forecast that called the outcome impossible, the verdict on the other forecasts, whose figures
    these are then. ``tipping``: the smallest correlation between families open at the same time
    with which an accusation would fail at 5% (None: no accusation, or it holds with any).
    ``waiting``: the questions of the cohort without an outcome yet. The finding is the same
    whatever they turn out to be; otherwise the kind is "waiting".
    """

    kind: Kind
    sentence: str
    luck: str = ""
    basis: str = ""
    said: float | None = None
    happened: float | None = None
    rest: Kind | None = None
    tipping: float | None = None
    waiting: int = 0


@dataclass(frozen=True)
class Provenance:
    """Of so many scored questions, those for whose times or outcome a single person vouches.

    ``imported``: with a forecast whose time only its importer vouches for; ``resolved_alone``: with
    an outcome from their only forecaster; ``duplicates``: pairs of them that are likely the same
    question, so they count as one family. A ledger folder does not tell the first two.
    """

    questions: int = 0
    imported: int = 0
    resolved_alone: int = 0
    duplicates: int = 0


@dataclass(frozen=True)
class Sample:
    """The number of forecasts that the calibration of a group is of, their questions and families.

    All that were current for an hour or until the close; at a lead, those made between it and the
    next lead. ``undated``: the questions with a forecast that is left out, as its time is not that
    of its making.
    """

    questions: int
    families: int
    forecasts: int
    undated: int = 0


@dataclass(frozen=True)
class LeftOut:
    """The number of questions left out for one reason."""

    reason: Reason
    questions: int


@dataclass(frozen=True, kw_only=True)
class Group:
    """The record of one forecaster, team or tag, at one lead, or of everyone.

    ``questions`` are the scored ones, each counted once, and ``families`` their clusters;
    ``forecasters`` have a score; ``updates`` are their forecasts on these questions, and
    ``coverage`` the mean share of the questions' time with a forecast. ``tested``: the forecasts
    that everything when made is of, and the verdict. ``left_out`` counts the
    group's other questions: forecast by its members, or with its tag. ``skill`` and
    ``crowd_skill`` are None for everyone together. ``brier_skill`` is the share of the base rate's
    Brier score that is saved, ``crowd_brier_skill`` that of the others' mean forecast at the same
    times. ``adjusted`` is for several forecasters or teams. ``sharpness`` is the mean of p (1 − p),
    and ``auc`` the probability that an event had a higher forecast than a non-event, both when
    made. ``pit`` is of numeric and date questions, None without any and at a lead; ``movement`` is
    None at a lead. ``coherence`` is None without questions that hang together, and at a lead.
    ``evidence`` counts the cited pieces; ``earned`` has the few that earned or lost most.
    ``all_time``: the verdict without the limits of a period in which there are too few questions
    for one; else None. ``moved`` is None if no update replaced a forecast, and at a lead.
    """

    name: str
    forecasters: int
    questions: int
    families: int
    updates: int
    coverage: float | None
    provenance: Provenance = Provenance()
    brier: Estimate
    brier_original: Estimate
    log: LogScore
    skill: Skill | None
    crowd_skill: Skill | None
    brier_skill: Estimate
    crowd_brier_skill: Estimate | None
    adjusted: Adjusted | None
    decomposition: Decomposition = Decomposition()
    log_decomposition: LogDecomposition = LogDecomposition()
    miscalibration: Miscalibration = Miscalibration()
    errors: Errors = Errors()
    luck: Luck
    recalibration: Recalibration
    spiegelhalter: ZTest
    calibration_in_the_large: ZTest
    auc: float | None = None
    auc_interval: Interval | None = None
    roc: tuple[RocPoint, ...] = ()
    sharpness: float | None = None
    movement: Movement | None
    staleness: Staleness | None
    coherence: Coherence | None = None
    certainty: Certainty = Certainty()
    curve: tuple[CurvePoint, ...] = ()
    bins: tuple[Bin, ...] = ()
    murphy: tuple[MurphyPoint, ...] = ()
    pit: Pit | None
    leads: tuple[Lead, ...]
    earned: tuple[Earned, ...]
    evidence: int
    moved: Updates | None
    tested: Sample
    verdict: Verdict
    all_time: Verdict | None = None
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, kw_only=True)
class Metadata(Choice):
    """The subject of the numbers, and how they were made.

    ``as_of`` is the time of making. ``input_sha256`` is the digest of everything in the ledger that
    affects the numbers.
    """

    engine_version: str
    protocol: str
    by: By
    as_of: datetime
    input_sha256: str


@dataclass(frozen=True)
class Report:
    """The groups by name (or in the order of the request), and the questions left out.

    ``questions`` counts all of the ledger; ``left_out`` gives the reasons for those without any
    score. ``notes`` are the caveats of this report, as full sentences.
    """

    SCHEMA: ClassVar[str] = "forecast-ledger.report.1"

    metadata: Metadata
    questions: int
    left_out: tuple[LeftOut, ...]
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
