"""Simulated tournaments with known truth: forecasters calibrated by construction, or biased.

The claims of reports are tested on such tournaments (size of tests, coverage of intervals), and the
demonstration shows one. The model must therefore be exact.

**Outcomes.** A question's time runs from u = 0 (open) to u = 1 (scheduled close). News arrives as a
Brownian motion W(u); the answer is "yes" if m + W(1) > 0. Everyone knows the prior m when the
question opens. Questions of one family open and close together and share part of their news:
W = √ρ · family's + √(1 − ρ) · own, so their outcomes are correlated.

**Beliefs.** A forecaster does not see W but V(u) = W(u) + √(1/κ − 1) · N(u), where N is a Brownian
motion, partly shared by the team, and κ is the forecaster's *skill*, the share of the news that
reaches them. Increments are independent, so V(u) contains all information of its path up to u:
W(1) given V(u) is normal with mean κ V(u) and variance 1 − κ u. Hence the belief

    P(yes | V up to u) = Φ((m + κ V(u)) / √(1 − κ u)),

which is a martingale. A forecaster who reports it is calibrated at every time, however noisy the
news and however much of the noise the team shares. Adding noise to probabilities instead would make
everyone overconfident.

**Early resolution** comes in two kinds. On some questions the answer, yes or no, becomes known at a
time independent of the news: everything above still holds. On *event* questions a "yes" shows when
it happens (a treaty is signed), at a time uniform over the question's life, and a "no" only at the
close. Then it is news that the question is still open: the odds above are multiplied by P(not yet |
yes) = 1 − u (Bayes' rule), so a belief is exact at the moment of the update. Later it is not: an
unchanged forecast becomes too high with every quiet day, while an average over *live* time, in
which a short "yes" has the weight of a long "no", comes out too low. No reports avoid both, which
is why event questions are a separate setting (default 0).

**Multiple choice**: the options are intervals of the same line. The answer is the interval that
contains m + W(1), and the belief in each is the difference of Φ at its ends. Yes and no are the
case of two options, and all of the above holds.

**Fractional outcomes.** With ``unknown`` τ > 0 the answer is "yes" if m + W(1) + τ·ε > 0, and ε
remains unknown. The outcome is then the probability Φ((m + W(1)) / τ), and the belief
Φ((m + κ V(u)) / √(1 − κ u + τ²)), still a martingale that ends there.

**Participation** depends on the prior alone (some forecasters prefer clear questions, some close
ones), and update times on nothing. Neither affects calibration; both make plain averages over
different questions incomparable. A forecaster may withdraw instead of updating, more readily the
closer the report is to even: a choice that depends on the path but not on the answer.

**Biases** act on the log odds of the belief: ``extremity`` multiplies them (above 1:
overconfident), ``shift`` adds to them (above 0: too high; with several options, the last one), and
``responsiveness`` below 1 retains part of the previous report: report = previous + responsiveness ·
(target − previous). Reports stay ``least`` away from 0 and 1, so every log score is finite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from scoring.arrays import Flags, Floats, Ints
from scoring.ordering import in_order
from scoring.simulation.titles import title_and_subject
from scoring.simulation.tournament import Tournament

DAY_S = 86_400


@dataclass(frozen=True)
class Simulated:
    """A finished tournament in the columns of the ledger folder, every question resolved.

    Times are datetime64[us, UTC], tags are lists. ``forecasts`` are ordered by question,
    forecaster and time. Titles, teams and forecasters say that they are simulated.
    """

    questions: pd.DataFrame
    forecasts: pd.DataFrame
    teams: pd.DataFrame


def simulate(settings: Tournament) -> Simulated:
    """Return the tournament that the settings describe. The module describes the model.

    The model is a definition of this package. Invalid settings raise InputError when they are
    constructed.

    >>> from scoring.simulation import Team
    >>> made = simulate(Tournament((Team("Otters", members=2),), questions=5, families=3, seed=1))
    >>> len(made.questions), sorted(made.teams["forecaster"])
    (5, ['Otters 1 (simulated)', 'Otters 2 (simulated)'])
    """
    rng = np.random.default_rng(settings.seed)
    drawn = _draw_questions(settings, rng)
    rows = _draw_schedule(settings, drawn, rng)
    belief = _beliefs(settings, drawn, rows, rng)

    # A question closes when its answer is known; later forecasts are not made.
    early = drawn.early | (drawn.event & (belief.latent > 0))
    close_s = np.where(early, np.ceil(rng.random(len(early)) * drawn.length_s), drawn.length_s)
    close_s = np.maximum(close_s, 1).astype(np.int64)
    p = _reports(settings, rows, belief.odds)
    withdrawal = _per_row(settings, rows, "withdrawal")
    withdrawn = (rows.rank > 0) & (rng.random(len(p)) < withdrawal * 4 * p * (1 - p))
    p[withdrawn] = np.nan
    made = rows.at_s < close_s[rows.question]

    handles = [handle for team in settings.teams for handle in team.handles]
    ids = _ids("simulated", settings.questions)
    questions = _questions_frame(drawn, ids, belief.latent > 0, early, close_s)
    if settings.unknown:
        fraction = special.ndtr(belief.latent / settings.unknown)
        questions["resolution"] = [repr(float(share)) for share in fraction]
    forecasts = pd.DataFrame(
        {
            "question_id": ids.take(rows.question[made]),
            "forecaster": pd.Index(handles, dtype="str").take(rows.forecaster[made]),
            "made_at": _times((drawn.open_s[rows.question] + rows.at_s)[made]),
            "probability": p[made],
        }
    )
    if drawn.choice.any():
        _add_options(settings, drawn, belief.latent, questions)
        vectors = _option_reports(settings, rows, belief)
        several = drawn.choice[rows.question][made]
        reported = several & ~withdrawn[made]
        forecasts["probabilities"] = [
            vector if given else None
            for vector, given in zip(vectors[made].tolist(), reported, strict=True)
        ]
        forecasts.loc[several, "probability"] = np.nan
    teams = pd.DataFrame(
        {
            "team": [team.label for team in settings.teams for _ in team.handles],
            "forecaster": handles,
            "joined_at": _times(np.full(len(handles), int(settings.first_open.timestamp()))),
        }
    )
    return Simulated(questions, forecasts, teams)


# --- the questions --------------------------------------------------------------------------


@dataclass(frozen=True)
class _QuestionDraws:
    """One entry per question, times in whole seconds.

    ``early``: the answer becomes known early; ``event``: a "yes" shows when it happens;
    ``choice``: the question has several options.
    """

    family: Ints
    open_s: Ints
    length_s: Ints
    prior: Floats
    early: Flags
    event: Flags
    choice: Flags


def _draw_questions(settings: Tournament, rng: np.random.Generator) -> _QuestionDraws:
    n, families = settings.questions, settings.families
    days = rng.integers(settings.shortest_days, settings.longest_days + 1, families)
    start, stop = (int(at.timestamp()) for at in (settings.first_open, settings.last_close))
    hours = (stop - start - days * DAY_S) // 3600
    open_s = start + 3600 * np.floor(rng.random(families) * (hours + 1)).astype(np.int64)
    order = np.argsort(open_s, kind="stable")  # so that ids follow the calendar
    # Every family has one question; the others are assigned at random.
    family = np.concatenate([np.arange(families), rng.integers(0, families, n - families)])
    family.sort()
    if settings.sizes:
        family = np.repeat(np.arange(families), settings.sizes)
    kind = rng.random(n)
    early = kind < settings.early_share
    event = ~early & (kind < settings.early_share + settings.event_share)
    # From separate generators, so that the other draws do not depend on these.
    choices, means = rng.spawn(2)
    choice = choices.random(n) < settings.choice_share
    return _QuestionDraws(
        family=family,
        open_s=open_s[order][family],
        length_s=(days[order] * DAY_S)[family],
        prior=means.choice(settings.prior_means, n)
        + settings.prior_spread * rng.standard_normal(n),
        early=early,
        event=event,
        choice=choice & ~event,
    )


def _questions_frame(
    drawn: _QuestionDraws, ids: pd.Index, yes: Flags, early: Flags, close_s: Ints
) -> pd.DataFrame:
    n = len(ids)
    within = np.arange(n) - np.searchsorted(drawn.family, drawn.family)
    named = [
        title_and_subject(number, int(family), int(position))
        for number, (family, position) in enumerate(zip(drawn.family, within, strict=True), 1)
    ]
    known, scheduled = (_times(drawn.open_s + after) for after in (close_s, drawn.length_s))
    return pd.DataFrame(
        {
            "question_id": ids,
            "title": [title for title, _ in named],
            "type": "binary",
            "open_time": _times(drawn.open_s),
            "scheduled_close_time": scheduled,
            "actual_close_time": known.where(early),
            "scheduled_resolve_time": scheduled + pd.Timedelta(days=1),
            "resolution": np.where(yes, "yes", "no"),
            "known_at": known,
            "resolved_at": known + pd.Timedelta(hours=6),
            "family": _ids("simulated-family", int(drawn.family[-1]) + 1).take(drawn.family),
            "tags": [["simulated", subject] for _, subject in named],
            "background": "A question of the simulated tournament; the place is invented.",
            "resolution_criteria": "The simulation draws the outcome; there is nothing to look up.",
        }
    )


def _add_options(
    settings: Tournament, drawn: _QuestionDraws, latent: Floats, questions: pd.DataFrame
) -> None:
    """Give the multiple-choice questions their options; changes ``questions``."""
    names = [f"outcome {number}" for number in range(1, settings.options + 1)]
    option = np.array(names, dtype=object)[np.searchsorted(_cuts(settings), latent)]
    questions["type"] = np.where(drawn.choice, "multiple_choice", "binary")
    lists = [names if several else None for several in drawn.choice]
    questions["options"] = pd.Series(lists, dtype=object)
    questions["ordered"] = False
    questions["resolution"] = np.where(drawn.choice, option, questions["resolution"])


def _ids(prefix: str, count: int) -> pd.Index:
    return pd.Index([f"{prefix}-{number:03d}" for number in range(1, count + 1)], dtype="str")


def _times(seconds: Ints) -> pd.Series:
    return pd.Series(seconds.astype("datetime64[s]")).astype("datetime64[us]").dt.tz_localize("UTC")


# --- forecast times -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    """One entry per forecast, sorted by question, forecaster, time.

    ``pair`` numbers the pairs of question and forecaster, ``rank`` the forecasts of a pair;
    ``at_s`` is the time since the question opened, ``u`` the same as a share of its length.
    """

    question: Ints
    forecaster: Ints
    pair: Ints
    rank: Ints
    at_s: Ints
    u: Floats


def _draw_schedule(settings: Tournament, drawn: _QuestionDraws, rng: np.random.Generator) -> _Rows:
    people = sum(team.members for team in settings.teams)
    clarity = np.abs(drawn.prior) - settings.prior_spread * math.sqrt(2 / math.pi)
    taste = settings.selectivity * rng.standard_normal(people)
    chance = special.expit(special.logit(settings.participation) + np.outer(clarity, taste))
    first = settings.late * rng.standard_exponential(chance.shape)
    question, forecaster = np.nonzero((rng.random(chance.shape) < chance) & (first < 1))
    first = first[question, forecaster]

    counts = 1 + rng.poisson((settings.updates - 1) * (1 - first))
    pair = np.repeat(np.arange(len(question)), counts)
    u = first[pair] + (1 - first[pair]) * rng.random(len(pair))
    u[np.cumsum(counts) - counts] = first
    length = drawn.length_s[question][pair]
    at_s = np.minimum(np.floor(u * length).astype(np.int64), length - 1)
    order = np.lexsort((at_s, pair))
    at_s = at_s[order]  # pair is sorted already
    # Times are whole seconds: a second forecast within one second is dropped.
    kept = np.ones(len(pair), dtype=np.bool_)
    kept[1:] = (pair[1:] != pair[:-1]) | (at_s[1:] > at_s[:-1])
    pair, at_s, length = pair[kept], at_s[kept], length[kept]
    return _Rows(
        question=question[pair],
        forecaster=forecaster[pair],
        pair=pair,
        rank=np.arange(len(pair)) - np.searchsorted(pair, pair),
        at_s=at_s,
        u=at_s / length,
    )


# --- beliefs and reports --------------------------------------------------------------------


@dataclass(frozen=True)
class _Belief:
    """The belief behind each forecast, one entry per row; ``latent``, m + W(1), per question.

    To the forecaster the latent is normal with ``mean`` and ``sd``; ``odds`` are the log odds of
    "yes", given that the question is still open.
    """

    mean: Floats
    sd: Floats
    odds: Floats
    latent: Floats


def _beliefs(
    settings: Tournament, drawn: _QuestionDraws, rows: _Rows, rng: np.random.Generator
) -> _Belief:
    team = np.repeat(np.arange(len(settings.teams)), [team.members for team in settings.teams])
    team, skill = team[rows.forecaster], _per_row(settings, rows, "skill")

    rho, shared = settings.family_correlation, settings.shared_noise
    questions, teams = settings.questions, len(settings.teams)
    family_news, family_end = _brownian(drawn.family[rows.question], rows, settings.families, rng)
    own_news, own_end = _brownian(rows.question, rows, questions, rng)
    news = math.sqrt(rho) * family_news + math.sqrt(1 - rho) * own_news
    end = math.sqrt(rho) * family_end[drawn.family] + math.sqrt(1 - rho) * own_end

    in_common, _ = _brownian(rows.question * teams + team, rows, questions * teams, rng)
    alone, _ = _brownian(rows.pair, rows, int(rows.pair[-1]) + 1 if len(rows.pair) else 0, rng)
    noise = math.sqrt(shared) * in_common + math.sqrt(1 - shared) * alone
    heard = skill * (news + np.sqrt(1 / skill - 1) * noise)

    mean = drawn.prior[rows.question] + heard
    sd = np.sqrt(1 - skill * rows.u + settings.unknown**2)
    z = mean / sd
    # From the logarithms of both tails: finite even if a probability would round to 1.
    odds = special.log_ndtr(z) - special.log_ndtr(-z)
    odds += np.where(drawn.event[rows.question], np.log1p(-rows.u), 0.0)
    return _Belief(mean, sd, odds, drawn.prior + end)


def _brownian(
    group: Ints, rows: _Rows, groups: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return one Brownian motion per group at the rows' times, and its value at u = 1.

    Questions of a group have the same length, so whole seconds sort them too.
    """
    order = in_order(group, rows.at_s)[0] if len(group) else np.arange(0)
    number, time = group[order], rows.u[order]
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    step = np.diff(time, prepend=0.0)
    step[starts] = time[starts]
    walk = np.cumsum(np.sqrt(step) * rng.standard_normal(len(step)))
    # One running sum over all groups, minus its value where each group begins.
    lengths = np.diff(starts, append=len(walk))
    walk -= np.repeat(np.append(0.0, walk)[starts], lengths)

    last, reached = np.zeros(groups), np.zeros(groups)
    ends = starts + lengths - 1
    last[number[ends]], reached[number[ends]] = walk[ends], time[ends]
    values = np.empty_like(walk)
    values[order] = walk
    return values, last + np.sqrt(1 - reached) * rng.standard_normal(groups)


def _per_row(settings: Tournament, rows: _Rows, setting: str) -> Floats:
    """Return each row's setting of its forecaster's team."""
    values = [float(getattr(team, setting)) for team in settings.teams]
    return np.repeat(values, [team.members for team in settings.teams])[rows.forecaster]


def _reports(settings: Tournament, rows: _Rows, odds: Floats) -> Floats:
    """Return each forecaster's report, given the log odds of the belief."""
    extremity, shift = (_per_row(settings, rows, name) for name in ("extremity", "shift"))
    p: Floats = special.expit(extremity * odds + shift)
    np.clip(p, settings.least, 1 - settings.least, out=p)
    return _respond(settings, rows, p)


def _option_reports(settings: Tournament, rows: _Rows, belief: _Belief) -> Floats:
    """Return the reported vectors for multiple choice, one per row."""
    ends = (_cuts(settings) - belief.mean[:, None]) / belief.sd[:, None]
    upto = np.column_stack([np.zeros(len(ends)), special.ndtr(ends), np.ones(len(ends))])
    p = np.maximum(np.diff(upto, axis=1), settings.least)
    p **= _per_row(settings, rows, "extremity")[:, None]
    p[:, -1] *= np.exp(_per_row(settings, rows, "shift"))
    p /= p.sum(axis=1, keepdims=True)
    return _respond(settings, rows, p)


def _cuts(settings: Tournament) -> Floats:
    """Return the boundaries between options, which are equally likely a priori."""
    shares = np.arange(1, settings.options) / settings.options
    return np.asarray(math.hypot(1, settings.prior_spread) * special.ndtri(shares))


def _respond(settings: Tournament, rows: _Rows, p: Floats) -> Floats:
    """Return the reports after partial response; changes ``p``, (n,) or (n, K)."""
    responsiveness = _per_row(settings, rows, "responsiveness")
    slow = np.flatnonzero((responsiveness < 1) & (rows.rank > 0))
    # Loops over an update's rank (about a dozen), not over forecasts.
    for rank in range(1, int(rows.rank[slow].max(initial=0)) + 1):
        at = slow[rows.rank[slow] == rank]
        p[at] = p[at - 1] + (responsiveness[at] * (p[at] - p[at - 1]).T).T
    return p
