"""A tournament whose truth is known: forecasters who are calibrated by construction, or not.

What a report claims is tested on such tournaments (does a test reject a calibrated forecaster
too often, does an interval cover), and the demonstration shows one. So the model must be right
exactly, not roughly.

**The outcome.** A question's time runs from u = 0 (it opens) to u = 1 (its scheduled close).
News arrives as a Brownian motion W(u); the answer is "yes" if m + W(1) > 0. The prior m is known
to all when the question opens. Questions of one family open and close together and share part of
their news: W = √ρ · family's + √(1 − ρ) · its own, so their outcomes hang together.

**What a forecaster knows.** Not W but V(u) = W(u) + √(1/κ − 1) · N(u), where N is a Brownian
motion too, partly shared by the team, and κ is the forecaster's *skill*, the share of the news
that gets through. As all increments are independent, V(u) says all that the path up to u says:
W(1) given V(u) is normal with mean κ V(u) and variance 1 − κ u. Hence the belief

    P(yes | V up to u) = Φ((m + κ V(u)) / √(1 − κ u)),

which is a martingale, and whoever reports it is calibrated at every time, however noisy the
news and however much of the noise the team shares. Noise added to a probability instead would
make everyone overconfident.

**Early resolution** comes in two kinds. On some questions the answer, whichever it is, becomes
known at a moment that has nothing to do with the news: everything above still holds. On *event*
questions a "yes" shows when it happens (a treaty is signed), at a time uniform over the
question's life, and a "no" only at the close. That the question is still open is then news
itself: the odds above are multiplied by P(not yet | yes) = 1 − u, which is Bayes' rule, so a
belief is exact at the moment of the update. Afterwards it is not: a forecast that merely stands
grows too high with every quiet day, while an average over *live* time, in which a short "yes"
weighs as much as a long "no", comes out too low. No choice of reports avoids both, which is why
event questions are a setting of their own (0 unless asked for).

**Who forecasts what.** Joining depends on the prior alone (some like clear questions, some like
close ones), the moments of updates on nothing. Neither can harm calibration; both make plain
averages over different questions incomparable.

**Faults** act on the log odds of the belief: ``extremity`` multiplies them (above 1:
overconfident), ``shift`` adds to them (above 0: too high), and ``responsiveness`` below 1 keeps
part of the previous report: report = previous + responsiveness · (target − previous). No report
is nearer to 0 or 1 than ``least``, so that no log score is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from scoring.tournament import Tournament

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY_S = 86_400

# A family is one subject in one place; its questions differ in the event.
SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "markets": ("will the {} index close above the level of its opening day?",
                "will the {} bank raise its rate?",
                "will a company of the {} exchange leave it?",
                "will the {} currency gain on the quarter before?"),
    "politics": ("will the {} parliament pass the budget?",
                 "will the {} coalition lose a partner?",
                 "will the {} government call an election?",
                 "will the {} mayor keep the post?"),
    "diplomacy": ("will {} sign the fishing treaty?",
                  "will {} send an ambassador to its neighbour?",
                  "will the {} truce be extended?",
                  "will {} be host to the next round of talks?"),
    "science": ("will the {} telescope see first light?",
                "will the {} trial report its main result?",
                "will the {} laboratory repeat its finding?",
                "will the {} mission reach its orbit?"),
    "weather": ("will {} see its warmest month since records began?",
                "will the {} reservoir be more than half full?",
                "will a named storm reach {}?",
                "will the first snow in {} come earlier than last year?"),
}  # fmt: skip
PLACES = (
    "Aldermoor", "Brenholt", "Carrowick", "Dunmarsh", "Elverin", "Farrowdale", "Grimsund",
    "Halvora", "Istermark", "Jorvale", "Keldrin", "Lowmere", "Morvath", "Nethersea", "Ostrany",
    "Pellworth", "Quillane", "Ravensby", "Sundholm", "Tarnwick",
)  # fmt: skip


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
    """Return the tournament that the settings describe; see the module for the model."""
    rng = np.random.default_rng(settings.seed)
    asked = _ask(settings, rng)
    rows = _attend(settings, asked, rng)
    odds, yes = _believe(settings, asked, rows, rng)

    # A question closes when its answer is known; what would have come after was never made.
    early = asked.early | (asked.event & yes)
    close_s = np.where(early, np.ceil(rng.random(len(yes)) * asked.length_s), asked.length_s)
    close_s = np.maximum(close_s, 1).astype(np.int64)
    p = _report(settings, rows, odds)
    made = rows.at_s < close_s[rows.question]

    handles = [handle for team in settings.teams for handle in team.handles]
    ids = _ids("simulated", settings.questions)
    forecasts = pd.DataFrame(
        {
            "question_id": ids.take(rows.question[made]),
            "forecaster": pd.Index(handles, dtype="str").take(rows.forecaster[made]),
            "made_at": _times((asked.open_s[rows.question] + rows.at_s)[made]),
            "probability": p[made],
        }
    )
    teams = pd.DataFrame(
        {
            "team": [team.label for team in settings.teams for _ in team.handles],
            "forecaster": handles,
            "joined_at": _times(np.full(len(handles), int(settings.first_open.timestamp()))),
        }
    )
    return Simulated(_questions_frame(asked, ids, yes, early, close_s), forecasts, teams)


# --- the questions --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """One entry a question, times in whole seconds.

    ``early``: the answer becomes known early; ``event``: a "yes" shows when it happens.
    """

    family: Ints
    open_s: Ints
    length_s: Ints
    prior: Floats
    early: npt.NDArray[np.bool_]
    event: npt.NDArray[np.bool_]


def _ask(settings: Tournament, rng: np.random.Generator) -> _Asked:
    n, families = settings.questions, settings.families
    days = rng.integers(settings.shortest_days, settings.longest_days + 1, families)
    start, stop = (int(at.timestamp()) for at in (settings.first_open, settings.last_close))
    hours = (stop - start - days * DAY_S) // 3600
    open_s = start + 3600 * np.floor(rng.random(families) * (hours + 1)).astype(np.int64)
    order = np.argsort(open_s, kind="stable")  # so that ids follow the calendar
    # Every family has one question; chance puts the rest.
    family = np.concatenate([np.arange(families), rng.integers(0, families, n - families)])
    family.sort()
    kind, early_or_event = rng.random(n), settings.early_share + settings.event_share
    return _Asked(
        family=family,
        open_s=open_s[order][family],
        length_s=(days[order] * DAY_S)[family],
        prior=settings.prior_spread * rng.standard_normal(n),
        early=kind < settings.early_share,
        event=(kind >= settings.early_share) & (kind < early_or_event),
    )


def _questions_frame(
    asked: _Asked, ids: pd.Index, yes: npt.NDArray[np.bool_], early: npt.NDArray[np.bool_],
    close_s: Ints,
) -> pd.DataFrame:  # fmt: skip
    n = len(ids)
    within = np.arange(n) - np.searchsorted(asked.family, asked.family)
    subjects = list(SUBJECTS)
    titles, tags = [], []
    for number, (family, position) in enumerate(zip(asked.family, within, strict=True)):
        subject = subjects[family % len(subjects)]
        events = SUBJECTS[subject]
        # Every pair of subject and place once before one comes again, with other events.
        turn, place = divmod(family // len(subjects), len(PLACES))
        event = events[(position + family + 2 * turn) % len(events)].format(PLACES[place])
        titles.append(f"Simulated question {number + 1:03d}: {event}")
        tags.append(["simulated", subject])
    known = _times(asked.open_s + close_s)
    scheduled = _times(asked.open_s + asked.length_s)
    return pd.DataFrame(
        {
            "question_id": ids,
            "title": titles,
            "type": "binary",
            "open_time": _times(asked.open_s),
            "scheduled_close_time": scheduled,
            "actual_close_time": known.where(early),
            "scheduled_resolve_time": scheduled + pd.Timedelta(days=1),
            "resolution": np.where(yes, "yes", "no"),
            "known_at": known,
            "resolved_at": known + pd.Timedelta(hours=6),
            "family": _ids("simulated-family", int(asked.family[-1]) + 1).take(asked.family),
            "tags": tags,
            "background": "A question of the simulated tournament; the place is invented.",
            "resolution_criteria": "The simulation draws the outcome; there is nothing to look up.",
        }
    )


def _ids(prefix: str, count: int) -> pd.Index:
    return pd.Index([f"{prefix}-{number:03d}" for number in range(1, count + 1)], dtype="str")


def _times(seconds: Ints) -> pd.Series:
    return pd.Series(seconds.astype("datetime64[s]")).astype("datetime64[us]").dt.tz_localize("UTC")


# --- who forecasts when ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    """One entry a forecast, ordered by question, forecaster, time.

    ``pair`` numbers question and forecaster together and ``rank`` the forecasts of a pair;
    ``at_s`` is the time since the question opened, ``u`` the same as a share of its length.
    """

    question: Ints
    forecaster: Ints
    pair: Ints
    rank: Ints
    at_s: Ints
    u: Floats


def _attend(settings: Tournament, asked: _Asked, rng: np.random.Generator) -> _Rows:
    people = sum(team.members for team in settings.teams)
    clarity = np.abs(asked.prior) - settings.prior_spread * math.sqrt(2 / math.pi)
    taste = settings.selectivity * rng.standard_normal(people)
    chance = special.expit(special.logit(settings.participation) + np.outer(clarity, taste))
    first = settings.late * rng.standard_exponential(chance.shape)
    question, forecaster = np.nonzero((rng.random(chance.shape) < chance) & (first < 1))
    first = first[question, forecaster]

    counts = 1 + rng.poisson((settings.updates - 1) * (1 - first))
    pair = np.repeat(np.arange(len(question)), counts)
    u = first[pair] + (1 - first[pair]) * rng.random(len(pair))
    u[np.cumsum(counts) - counts] = first
    length = asked.length_s[question][pair]
    at_s = np.minimum(np.floor(u * length).astype(np.int64), length - 1)
    order = np.lexsort((at_s, pair))
    at_s = at_s[order]  # pair is in order already, and so stays as it is
    # Times are whole seconds, as people's are: a second forecast within one is not made.
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


# --- what they believe and report -----------------------------------------------------------


def _believe(
    settings: Tournament, asked: _Asked, rows: _Rows, rng: np.random.Generator
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the log odds of each calibrated belief, and each question's outcome."""
    team = np.repeat(np.arange(len(settings.teams)), [team.members for team in settings.teams])
    skill = np.repeat([t.skill for t in settings.teams], [t.members for t in settings.teams])
    skill, team = skill[rows.forecaster], team[rows.forecaster]

    rho, shared = settings.family_correlation, settings.shared_noise
    questions, teams = settings.questions, len(settings.teams)
    family_news, family_end = _brownian(asked.family[rows.question], rows.u, settings.families, rng)
    own_news, own_end = _brownian(rows.question, rows.u, questions, rng)
    news = math.sqrt(rho) * family_news + math.sqrt(1 - rho) * own_news
    end = math.sqrt(rho) * family_end[asked.family] + math.sqrt(1 - rho) * own_end

    in_common, _ = _brownian(rows.question * teams + team, rows.u, questions * teams, rng)
    alone, _ = _brownian(rows.pair, rows.u, int(rows.pair[-1]) + 1 if len(rows.pair) else 0, rng)
    noise = math.sqrt(shared) * in_common + math.sqrt(1 - shared) * alone
    heard = skill * (news + np.sqrt(1 / skill - 1) * noise)

    z = (asked.prior[rows.question] + heard) / np.sqrt(1 - skill * rows.u)
    # Log odds from the logarithms of both tails: finite where a probability would round to 1.
    odds = special.log_ndtr(z) - special.log_ndtr(-z)
    odds += np.where(asked.event[rows.question], np.log1p(-rows.u), 0.0)
    return odds, asked.prior + end > 0


def _brownian(
    group: Ints, u: Floats, groups: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return one Brownian motion a group, read at the rows' times, and its value at u = 1."""
    order = np.lexsort((u, group))
    number, time = group[order], u[order]
    begins = np.ones(len(number), dtype=np.bool_)
    begins[1:] = number[1:] != number[:-1]
    step = np.diff(time, prepend=0.0)
    step[begins] = time[begins]
    walk = np.cumsum(np.sqrt(step) * rng.standard_normal(len(step)))
    # One running sum over all groups, less what it stood at when the group began.
    starts = np.flatnonzero(begins)
    before = np.concatenate([[0.0], walk])[starts]
    lengths = np.diff(np.append(starts, len(walk)))
    walk -= np.repeat(before, lengths)

    last, reached = np.zeros(groups), np.zeros(groups)
    ends = starts + lengths - 1
    last[number[ends]], reached[number[ends]] = walk[ends], time[ends]
    values = np.empty_like(walk)
    values[order] = walk
    return values, last + np.sqrt(1 - reached) * rng.standard_normal(groups)


def _report(settings: Tournament, rows: _Rows, odds: Floats) -> Floats:
    """Return what each forecaster says, given the log odds of the belief."""
    members = [team.members for team in settings.teams]
    extremity, shift, responsiveness = (
        np.repeat(values, members)[rows.forecaster]
        for values in zip(
            *((t.extremity, t.shift, t.responsiveness) for t in settings.teams), strict=True
        )
    )
    p: Floats = special.expit(extremity * odds + shift)
    np.clip(p, settings.least, 1 - settings.least, out=p)
    slow = np.flatnonzero((responsiveness < 1) & (rows.rank > 0))
    # The loop is over an update's rank (a dozen), never over forecasts: all pairs move at once.
    for rank in range(1, int(rows.rank[slow].max(initial=0)) + 1):
        at = slow[rows.rank[slow] == rank]
        p[at] = p[at - 1] + responsiveness[at] * (p[at] - p[at - 1])
    return p
