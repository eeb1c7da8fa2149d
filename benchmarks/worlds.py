"""Simulated worlds, each with a feature that breaks a careless method.

Everyone in `TOURNAMENTS` and `RECORDS` is calibrated and all teams are equally good, so every
rejection is an error and every interval of a difference should contain 0. Several tournaments are
simulated at once, as a single large one whose families are dealt out in turn, because starting a
simulation is slow and questions are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from forecasts.folder.frames import Frames, complete
from forecasts.importing.forecasts import one_instant
from scoring.simulation import Team, Tournament, simulate

# After the last close of every world.
AS_OF = datetime(2027, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """A tournament to repeat, and its difficulty.

    ``whole`` reads whole reports, with their curves, bins and points, which take most of the time.
    ``kept`` chooses from the forecasts simulated.
    ``waiting``: the share of the outcomes "no" that are not known yet, or of the "no" that were
    ``postponed`` past the end of the world. ``twice``: half of the questions are there twice.
    """

    name: str
    hard: str
    settings: Tournament
    whole: bool = False
    kept: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    waiting: float = 0.0
    postponed: bool = False
    twice: bool = False

    @property
    def effective(self) -> float:
        """The number of families of equal size that would tell as much."""
        sizes = np.array(self.settings.sizes or [1] * self.settings.families)
        return float(sizes.sum() ** 2 / (sizes**2).sum())


@dataclass(frozen=True)
class Many:
    """Tournaments of one world, side by side in the same frames.

    Ids are numbers. ``questions`` has a column ``repetition``, the tournament of each question, and
    ``family`` is a number; ``teams`` maps each forecaster to a team, and ``handles`` names them.
    """

    questions: pd.DataFrame
    forecasts: pd.DataFrame
    teams: pd.Series
    handles: pd.Index
    times: int
    again: int = 0  # the last so many questions are the first ones once more

    def asked_twice(self) -> Many:
        """Return the tournaments with half of the questions, and their forecasts, once more."""
        half, first = len(self.questions) // 2, len(self.questions)
        family = self.questions["family"].max() + 1 + np.arange(half)
        questions = self.questions[:half].assign(question_id=first + np.arange(half), family=family)
        own = self.forecasts[self.forecasts["question_id"] < half]
        forecasts = own.assign(question_id=own["question_id"] + first)
        return replace(
            self,
            questions=pd.concat([self.questions, questions], ignore_index=True),
            forecasts=pd.concat([self.forecasts, forecasts], ignore_index=True),
            again=half,
        )

    def without_outcomes(self, share: float, seed: int) -> Many:
        """Return the tournaments with the outcomes of that share of the “no” not known yet."""
        drawn = np.random.default_rng([seed, 34]).random(len(self.questions))
        missing = (self.questions["resolution"] == "no") & (drawn < share)
        resolution = self.questions["resolution"].mask(missing, "")
        return replace(self, questions=self.questions.assign(resolution=resolution))

    def with_later_closes(self) -> Many:
        """Return the tournaments with a new close after ``AS_OF`` where an outcome is missing.

        It was changed as the question closed.
        """
        asked = self.questions
        missing = asked["resolution"] == ""
        closes = asked["scheduled_close_time"]
        stamps = closes.map(datetime.isoformat)
        earlier = [
            {at: at} if is_moved else None for at, is_moved in zip(stamps, missing, strict=True)
        ]
        later = closes.mask(missing, pd.Timestamp(AS_OF) + pd.Timedelta(days=90))
        questions = asked.assign(
            earlier_closes=pd.Series(earlier, dtype=object, index=asked.index),
            scheduled_close_time=later,
            actual_close_time=asked["actual_close_time"].mask(missing),
        )
        return replace(self, questions=questions)

    def ledger(self, teams: int = 1) -> Frames:
        """Return a ledger with the first teams of each tournament, as "007 Heron (simulated)"."""
        of = self.questions["repetition"].to_numpy()[self.forecasts["question_id"]]
        numbers = [f"{number:03d}" for number in range(self.times)]
        names = pd.Index([f"{n} {handle}" for handle in self.handles for n in numbers], dtype="str")
        who = self.forecasts["forecaster"].to_numpy() * self.times + of
        ids = pd.Index([f"{number:06d}" for number in range(len(self.questions))], dtype="str")
        first = self.teams.isin(self.teams.unique()[:teams]).to_numpy()
        stays = [
            (f"{n} {team}", f"{n} {handle}")
            for handle, team in zip(self.handles[first], self.teams[first], strict=True)
            for n in numbers
        ]
        opened = self.questions["open_time"].min()
        same = frozenset(zip(ids[: self.again], ids[len(ids) - self.again :], strict=True))
        found = complete(
            self.questions.assign(question_id=ids, family=self.questions["family"].astype(str)),
            self.forecasts.assign(
                question_id=ids.take(self.forecasts["question_id"]), forecaster=names.take(who)
            ),
            pd.DataFrame(stays, columns=["team", "forecaster"]).assign(joined_at=opened),
        )
        return replace(found, likely_same=same)


def repeat(settings: Tournament, seed: int, times: int) -> Many:
    """Return that many tournaments with these settings."""
    whole = simulate(
        replace(
            settings,
            seed=seed,
            questions=settings.questions * times,
            families=settings.families * times,
            sizes=tuple(size for size in settings.sizes for _ in range(times)),
        )
    )
    family = pd.factorize(whole.questions["family"])[0]
    questions = whole.questions.assign(
        question_id=np.arange(len(family)),
        family=family,
        repetition=family % times,
        options=whole.questions.get("options"),
    )
    handles = pd.Index(whole.teams["forecaster"])
    forecasts = whole.forecasts.assign(
        question_id=pd.Index(whole.questions["question_id"]).get_indexer(
            whole.forecasts["question_id"]
        ),
        forecaster=handles.get_indexer(whole.forecasts["forecaster"]),
    )
    teams = pd.Series(whole.teams["team"].to_numpy(dtype=object), index=range(len(handles)))
    return Many(questions, forecasts, teams, handles, times)


def on_news(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts of someone who updates once the probability has moved by 3 points."""
    path = forecasts[["question_id", "forecaster"]]
    new = path.ne(path.shift()).any(axis=1)
    kept, last = np.zeros(len(forecasts), dtype=np.bool_), 0.0
    for row, (first, p) in enumerate(zip(new, forecasts["probability"], strict=True)):
        kept[row] = first or abs(p - last) >= 0.03
        last = p if kept[row] else last
    return forecasts[kept].reset_index(drop=True)


def merged(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts of all members as those of the first, from an account each."""
    return forecasts.assign(account="account " + forecasts["forecaster"].astype(str), forecaster=0)


def last_at_one_instant(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the last forecast on each question, imported with the time of the first of all."""
    last = forecasts.groupby(["question_id", "forecaster"], sort=False).tail(1)
    last = last.assign(made_at=forecasts["made_at"].min()).reset_index(drop=True)
    return last.assign(undated=one_instant(last))


def with_dummies(forecasts: pd.DataFrame, many: int = 20) -> pd.DataFrame:
    """Return the forecasts with as many of 50% before each of them, a second apart."""
    every = forecasts.iloc[np.repeat(np.arange(len(forecasts)), many + 1)].reset_index(drop=True)
    before = many - np.arange(len(every)) % (many + 1)
    at = every["made_at"] - pd.to_timedelta(before, unit="s")
    return every.assign(made_at=at, probability=every["probability"].mask(before > 0, 0.5))


def with_trivial(many: Many, seed: int, more: int = 100) -> Many:
    """Return the records with more questions, each forecast once at 1–2% or 98–99%, and right."""
    drawn, number = np.random.default_rng([seed, 100]), more * many.times
    yes = drawn.random(number) < 0.5
    p = np.where(yes, 1.0, 0.0) + np.where(yes, -1, 1) * drawn.uniform(0.01, 0.02, number)
    first, at = len(many.questions), np.arange(number)
    asked, said = (each.iloc[np.zeros(number, int)] for each in (many.questions, many.forecasts))
    asked = asked.assign(
        question_id=first + at,
        family=many.questions["family"].max() + 1 + at,
        repetition=at % many.times,
        resolution=np.where(yes, "yes", "no"),
    )
    said = said.assign(question_id=first + at, probability=p, made_at=asked["open_time"].iloc[0])
    return replace(
        many,
        questions=pd.concat([many.questions, asked], ignore_index=True),
        forecasts=pd.concat([many.forecasts, said], ignore_index=True),
    )


# --- several teams ------------------------------------------------------------------------------


def _all(teams: tuple[Team, ...], **settings: float) -> tuple[Team, ...]:
    return tuple(replace(team, **settings) for team in teams)  # type: ignore[arg-type]


def _base_rate(rate: float) -> tuple[float, ...]:
    return (float(ndtri(rate)) * float(np.hypot(1, Tournament.prior_spread)),)


TEAMS = tuple(Team(name, members=3) for name in ("Heron", "Kestrel", "Tern", "Wren"))
PAIRS = _all(TEAMS, members=2)
# Unless a world says otherwise, forecasters choose their questions, join late and share half of
# their team's noise, three in ten questions close early, and families are correlated.
USUAL = Tournament(teams=TEAMS, questions=90, families=60)
TOURNAMENTS = (
    World("30 families", "45 questions", replace(USUAL, questions=45, families=30)),
    World("60 families", "90 questions", USUAL, whole=True),
    World("200 families", "300 questions", replace(USUAL, questions=300, families=200)),
    World(
        "independent",
        "60 questions in as many families; no latecomers, shared noise or early closes",
        replace(
            USUAL, questions=60, early_share=0, late=0, shared_noise=0, selectivity=0,
            participation=0.9,
        ),
    ),
    World(
        "linked",
        "60 families of about four questions with correlated outcomes (ρ = 0.9); a team shares all "
        "its noise",
        replace(USUAL, questions=240, family_correlation=0.9, shared_noise=1.0),
    ),
    World(
        "late and withdrawing",
        "forecasters join late, and withdraw when unsure",
        replace(USUAL, teams=_all(TEAMS, withdrawal=0.6), late=0.5),
    ),
    World(
        "events",
        "half of the questions close with a yes when it happens; 40 updates each, teams of two",
        replace(USUAL, teams=PAIRS, early_share=0.2, event_share=0.5, updates=40.0),
    ),
    World(
        "late team",
        "like *events*, but the tested team has eight members who join when half of the time is "
        "over, so that a yes keeps some of them out",
        replace(
            USUAL, teams=(replace(TEAMS[0], members=8), *PAIRS[1:]), early_share=0.2,
            event_share=0.5, updates=40.0, late=0.6,
        ),
    ),
    World(
        "options",
        "two in three questions have four options",
        replace(USUAL, choice_share=0.67, options=4),
    ),
    *(
        World(
            f"teams on {rate:.0%} of {questions}",
            f"{questions} questions in as many families, with a base rate of {rate:.0%}",
            replace(USUAL, questions=questions, families=questions, prior_means=_base_rate(rate)),
            whole=rate == 0.03 and questions == 54,
        )
        for rate, questions in ((0.03, 54), (0.03, 180), (0.1, 90))
    ),
    World(
        "four years",
        "90 questions over four years, enough for the test by time",
        replace(USUAL, first_open=datetime(2022, 11, 1, tzinfo=UTC)),
    ),
)  # fmt: skip

# --- one forecaster -----------------------------------------------------------------------------

# A forecaster who answers every question, each a family of its own.
ALONE = Tournament(
    teams=(Team("Heron", members=1),), questions=90, families=90, participation=1.0,
    selectivity=0.0, early_share=0.0, late=0.0,
)  # fmt: skip


def _alone(questions: int, **settings: object) -> Tournament:
    return replace(ALONE, questions=questions, families=questions, **settings)  # type: ignore[arg-type]


def _in_families(sizes: tuple[int, ...], **settings: object) -> Tournament:
    return replace(ALONE, questions=sum(sizes), families=len(sizes), sizes=sizes, **settings)  # type: ignore[arg-type]


def zipf(questions: int, families: int) -> tuple[int, ...]:
    """Return the sizes, in proportion to 1/rank, of families of about that many questions."""
    share = 1 / np.arange(1, families + 1)
    return tuple(np.maximum(1, np.round(share / share.sum() * questions)).astype(int).tolist())


HALF = (45, *(1 for _ in range(45)))
RECORDS = (
    *(
        World(
            f"{rate:.0%} of {questions}" + ", once" * (updates == 1),
            f"{questions} questions with a base rate of {rate:.0%}, forecast "
            + ("once" if updates == 1 else f"about {updates} times"),
            _alone(questions, prior_means=_base_rate(rate), updates=float(updates)),
            whole=rate == 0.03 and questions == 54 and updates > 1,
        )
        for rate in (0.02, 0.03, 0.05)
        for questions, updates in ((40, 6), (54, 6), (90, 6), (180, 6), (54, 1))
    ),
    *(
        World(
            f"0.1% and 99.9% of {questions}",
            f"{questions} questions, forecast once with 0.1% or 99.9%",
            _alone(
                questions, prior_spread=0.0, updates=1.0,
                prior_means=(float(ndtri(0.001)), float(ndtri(0.999))),
            ),
        )
        for questions in (40, 90)
    ),
    *(
        World(
            f"{options} options",
            f"90 questions with {options} options",
            _alone(90, choice_share=1.0, options=options),
            whole=options == 5,
        )
        for options in (3, 5, 8)
    ),
    World(
        "fractions",
        "90 questions with fractional outcomes",
        _alone(90, unknown=0.6),
    ),
    *(
        World(
            f"half in a family, {rho}",
            f"one family holds half of the 90 questions, with correlated news (ρ = {rho})",
            _in_families(HALF, family_correlation=rho),
            whole=rho == 0.5,
        )
        for rho in (0.5, 0.9)
    ),
    *(
        World(
            f"Zipf, {rho}",
            f"150 questions in 60 families whose sizes fall as 1/rank (ρ = {rho})",
            _in_families(zipf(150, 60), family_correlation=rho),
        )
        for rho in (0.3, 0.6, 0.9)
    ),
    *(
        World(
            f"{'all' if share == 1 else 'half'} events, {updates}",
            f"{'all' if share == 1 else 'half'} of 54 questions close with a yes when it happens; "
            f"{updates} forecast(s) each",
            _alone(54, event_share=share, updates=float(updates)),
            whole=share == 1 and updates == 6,
        )
        for share in (0.5, 1.0)
        for updates in (1, 3, 6, 40)
    ),
    World(
        "withdrawing",
        "90 questions; joins late, and withdraws when unsure",
        _alone(90, teams=(Team("Heron", 1, withdrawal=0.6),), late=0.5),
    ),
    World(
        "mixed",
        "90 questions in Zipf families, with a base rate of 20%; events, early closes, a late "
        "start and withdrawals",
        _in_families(
            zipf(90, 50), family_correlation=0.6, prior_means=_base_rate(0.2), event_share=0.4,
            early_share=0.2, late=0.4, updates=10.0, teams=(Team("Heron", 1, withdrawal=0.4),),
        ),
    ),
)  # fmt: skip

# Forecasts that are replaced within the hour do not count, and those that the close ends do.
_HOURS = {"shortest_days": 1, "longest_days": 2, "updates": 60.0}
RECORDS = (
    *RECORDS,
    World(
        "closes within the hour",
        "90 questions of a day or two, closed by a yes when it happens; an update every half hour",
        _alone(90, event_share=1.0, **_HOURS),
    ),
    World(
        "news within the hour",
        "90 questions of a day or two, updated within half an hour of news, half of them closed by "
        "a yes when it happens",
        _alone(90, event_share=0.5, **_HOURS),
        kept=on_news,
    ),
    World(
        "two accounts",
        "90 questions, on which two accounts that became one member have forecasts",
        _alone(90, teams=(Team("Heron", members=2),)),
        kept=merged,
    ),
    World(
        "one instant",
        "90 questions, and only the last forecast on each was imported, at the same time",
        ALONE,
        kept=last_at_one_instant,
    ),
    World(
        "asked twice",
        "60 questions, and half of them once more, as likely duplicates that nobody linked",
        _alone(60),
        twice=True,
    ),
)
WAITING = (
    *(
        World(
            f"{share:.0%} of “no” waiting",
            f"90 questions, and {share:.0%} of the outcomes “no” are not recorded yet",
            ALONE,
            waiting=share,
        )
        for share in (0.1, 0.2, 0.5)
    ),
    World(
        "half of the “no” rescheduled",
        "90 questions, and half of the “no” got a new close that is still ahead",
        ALONE,
        waiting=0.5,
        postponed=True,
    ),
)
RECORDS += WAITING
# A forecaster with a fault, on 90 questions.
FAULTS = {
    "overconfidence × 1.6": Team("Heron", 1, extremity=1.6),
    "overconfidence × 2": Team("Heron", 1, extremity=2.0),
    "bias + 0.3": Team("Heron", 1, shift=0.3),
    "half of each move": Team("Heron", 1, responsiveness=0.5),
}


# Ways to hide a fault, and the fault.
TRICKS: dict[str, tuple[str, Callable[[Many, int], Many]]] = {
    "20 dummies before each forecast": (
        "overconfidence × 2",
        lambda many, _: replace(many, forecasts=with_dummies(many.forecasts)),
    ),
    "100 trivial questions": ("overconfidence × 1.6", with_trivial),
}


def faulty(name: str) -> Tournament:
    """Return the tournament of a forecaster with that fault."""
    return replace(ALONE, teams=(FAULTS[name],))


@dataclass(frozen=True)
class Spoken:
    """Calibrated forecasts of 90 questions, said in steps of ``step`` or with ``noise``."""

    updates: int
    step: float = 0.0
    noise: float = 0.0

    def repeat(self, seed: int, times: int) -> Many:
        """Return that many records."""
        many = repeat(replace(ALONE, updates=float(self.updates)), seed, times)
        p = many.forecasts["probability"].to_numpy()
        noise = np.random.default_rng(seed).normal(0, self.noise, len(p))
        p = np.clip(p + noise, 0.01, 0.99) if self.noise else p
        p = np.round(np.round(p / self.step) * self.step, 6) if self.step else p
        return replace(many, forecasts=many.forecasts.assign(probability=p))


SPOKEN = {
    f"rounded to {step:.0%}, {updates} forecast{'s' * (updates > 1)}": Spoken(updates, step)
    for step in (0.1, 0.05, 0.01)
    for updates in (1, 5, 40)
} | {f"noise of {noise * 100:.0f}, 40 forecasts": Spoken(40, noise=noise) for noise in (0.01, 0.02)}


# --- questions that hang together ---------------------------------------------------------------

_STEPS, _RHO = 40, 0.6
_CUTS = (-0.7, 0.1, 0.8)
_KINDS = ("nested", "exclusive", "exhaustive", "conditional")


@dataclass(frozen=True)
class Together:
    """Sets of three questions: groups of three kinds, and parents with two branches.

    Each forecast is right when made, apart from noise, but the questions of a set are updated at
    times of their own, so that forecasts contradict each other. The branch whose condition fails is
    annulled.
    """

    sets: int
    sides: int = 1  # equals: each updates at times of their own
    noise: float = 0.0  # of each forecast, in log odds

    def repeat(self, seed: int, times: int) -> Many:
        """Return that many records."""
        random, many = np.random.default_rng([seed, 35]), self.sets * times
        news = random.normal(0, _STEPS**-0.5, (many, 2, _STEPS))
        news[:, 1] = _RHO * news[:, 0] + (1 - _RHO**2) ** 0.5 * news[:, 1]
        path = np.cumsum(news, axis=2)
        cuts = np.array(_CUTS) + random.normal(0, 0.5, (many, 1))
        kind = np.array(_KINDS)[np.arange(many) // times % len(_KINDS)]
        opened = START + pd.to_timedelta(random.uniform(-700, 200, many), unit="D")
        set_, place = np.repeat(np.arange(many), 3), np.tile(np.arange(3), many)
        said = random.random((self.sides * 3 * many, _STEPS - 4)) < 4 / _STEPS
        said[np.arange(len(said)), random.integers(0, 8, len(said))] = True
        row, step = np.nonzero(said)
        side, asked = np.divmod(row, 3 * many)
        of = set_[asked]
        p = _right(kind[of], place[asked], path[of, :, step], 1 - (step + 1) / _STEPS, cuts[of])
        end = path[set_, :, -1]
        p = p.clip(1e-6, 1 - 1e-6)
        if self.noise:
            p = expit(logit(p) + random.normal(0, self.noise, len(p)))
        outcome = np.where(_came(kind[set_], place, end, cuts[set_]), "yes", "no")
        child = (kind[set_] == "conditional") & (place > 0)
        met = (end[:, 0] < cuts[set_, 0]) == (place == 1)
        first = np.char.mod("%06d", set_ * 3)
        grouped = kind[set_] != "conditional"
        questions = pd.DataFrame(
            {
                "question_id": np.arange(3 * many),
                "type": "binary",
                "open_time": opened[set_],
                "scheduled_close_time": opened[set_] + pd.Timedelta(days=DAYS),
                "resolution": np.where(child & ~met, "annulled", outcome),
                "family": set_,
                "repetition": set_ % times,
                "group": np.where(grouped, first, ""),
                "group_kind": np.where(grouped, kind[set_], ""),
                "group_place": np.where(grouped, place, np.nan),
                "condition": [
                    {"question": parent, "outcome": "yes" if one == 1 else "no"} if is_ else None
                    for parent, one, is_ in zip(first, place, child, strict=True)
                ],
            }
        )
        since = pd.to_timedelta((step + 1) / _STEPS * DAYS, unit="D")
        forecasts = pd.DataFrame(
            {
                "question_id": asked,
                "forecaster": side,
                "made_at": opened[of] + since,
                "probability": p,
            }
        )
        names = ["Heron", "Otter"][: self.sides]
        return Many(questions, forecasts, pd.Series(names), pd.Index(names), times)


def _ends(kind: np.ndarray, place: np.ndarray, cuts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the range of the (first) path's end in which each question is yes."""
    row = np.arange(len(kind))
    apart = (place > 0) & np.isin(kind, ("exclusive", "exhaustive"))
    low = np.where(apart, cuts[row, np.maximum(place - 1, 0)], -np.inf)
    high = np.where((kind == "exhaustive") & (place == 2), np.inf, cuts[row, place])
    return low, high


def _came(kind: np.ndarray, place: np.ndarray, end: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    """Return which questions are yes; a branch asks for the end of the second path."""
    low, high = _ends(kind, place, cuts)
    of = ((kind == "conditional") & (place > 0)).astype(int)
    value = end[np.arange(len(kind)), of]
    return np.asarray((low < value) & (value <= high))


def _right(
    kind: np.ndarray, place: np.ndarray, at: np.ndarray, left: np.ndarray, cuts: np.ndarray
) -> np.ndarray:
    """Return the probability of yes given both paths so far; ``left``: the variance to come."""
    low, high = _ends(kind, place, cuts)
    sd = left**0.5
    p = ndtr((high - at[:, 0]) / sd) - ndtr((low - at[:, 0]) / sd)
    child = (kind == "conditional") & (place > 0)
    # Over the end of the first path where the condition holds.
    node, weight = np.polynomial.legendre.leggauss(24)
    share, weight = (node + 1) / 2, weight / 2
    met = ndtr((cuts[child, 0] - at[child, 0]) / sd[child])[:, None]
    levels = np.where(place[child, None] == 1, share * met, met + share * (1 - met))
    move = sd[child, None] * ndtri(levels.clip(1e-15, 1 - 1e-15))
    mean = at[child, 1, None] + _RHO * move
    rest = ((1 - _RHO**2) ** 0.5 * sd[child])[:, None]
    p[child] = ndtr((high[child, None] - mean) / rest) @ weight
    return np.asarray(p)


TOGETHER = {f"{sets} sets that hang together": Together(sets) for sets in (90, 30)}
CONTRADICTING = {"two who contradict themselves alike, 60 sets": Together(60, sides=2, noise=0.4)}


# --- numbers and dates --------------------------------------------------------------------------

START = pd.Timestamp("2026-01-01T00:00:00Z")
DAYS = 100


@dataclass(frozen=True)
class Numbers:
    """90 numbers or dates, forecast by some quantiles of a normal distribution that narrows.

    The bounds are at ± ``bound`` standard deviations of the first distribution; stated standard
    deviations are ``width`` times the true ones. Beyond a bound a forecaster states the probability
    there only if a quantile lies there. ``waiting``: the share of the outcomes above the first
    median that are not recorded yet.
    """

    levels: tuple[float, ...]
    bound: float
    updates: int
    dates: bool = False
    width: float = 1.0
    waiting: float = 0.0
    questions: int = 90

    def frames(self, seed: int, times: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the questions and forecasts of that many records, one after the other."""
        random = np.random.default_rng(seed)
        many, steps = self.questions * times, self.updates + 1
        news = random.normal(0, steps**-0.5, (many, steps))
        mean = np.cumsum(news, axis=1) - news
        rows = [
            (
                question,
                START + pd.Timedelta(days=number),
                self._stated(mean[question, number], left),
            )
            for number in range(self.updates)
            for left in [self.width * (1 - number / steps) ** 0.5]
            for question in range(many)
        ]
        forecasts = pd.DataFrame(rows, columns=["question_id", "made_at", "quantiles"])
        low, high = self._shown(-self.bound), self._shown(self.bound)
        came = [
            "below_lower_bound"
            if value < -self.bound
            else "above_upper_bound"
            if value > self.bound
            else str(self._shown(value))
            for value in news.sum(axis=1)
        ]
        questions = pd.DataFrame(
            {
                "question_id": np.arange(many),
                "type": "date" if self.dates else "numeric",
                "lower_bound": low,
                "upper_bound": high,
                "open_time": START,
                "scheduled_close_time": START + pd.Timedelta(days=DAYS),
                "resolution": came,
            }
        )
        missing = (news.sum(axis=1) > 0) & (random.random(many) < self.waiting)
        questions = questions.assign(resolution=questions["resolution"].mask(missing, ""))
        return questions, forecasts.assign(forecaster="ana")

    def _stated(self, mean: float, deviation: float) -> dict[str, float | str]:
        at = {level: mean + deviation * float(ndtri(level)) for level in self.levels}
        said: dict[str, float | str] = {
            str(level): self._shown(value)
            for level, value in at.items()
            if abs(value) <= self.bound
        }
        if at[self.levels[0]] < -self.bound:
            said["below"] = float(ndtr((-self.bound - mean) / deviation))
        if at[self.levels[-1]] > self.bound:
            said["above"] = float(ndtr((mean - self.bound) / deviation))
        return said

    def _shown(self, value: float) -> float | str:
        if not self.dates:
            return value
        return (START + pd.Timedelta(days=(10 + value) * 365)).isoformat()


QUARTILES, WIDE = (0.25, 0.5, 0.75), (0.1, 0.5, 0.9)
FIVE, NINE = (0.05, 0.25, 0.5, 0.75, 0.95), (0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95)
NUMBERS = {
    "quartiles, bounds ± 6": Numbers(QUARTILES, 6, 1),
    "quartiles, bounds ± 2.5, 5 updates": Numbers(QUARTILES, 2.5, 5),
    "10/50/90%, bounds ± 2.5": Numbers(WIDE, 2.5, 1),
    "10/50/90%, bounds ± 6, 10 updates": Numbers(WIDE, 6, 10),
    "5 quantiles, bounds ± 4": Numbers(FIVE, 4, 1),
    "5 quantiles, bounds ± 2.5, 10 updates": Numbers(FIVE, 2.5, 10),
    "9 quantiles, bounds ± 6": Numbers(NINE, 6, 1),
    "9 quantiles, bounds ± 4, 5 updates": Numbers(NINE, 4, 5),
    "5 quantiles of dates, bounds ± 2.5": Numbers(FIVE, 2.5, 1, dates=True),
    "quartiles of dates, bounds ± 4, 5 updates": Numbers(QUARTILES, 4, 5, dates=True),
    "5 quantiles, 10% of the high waiting": Numbers(FIVE, 4, 1, waiting=0.1),
    "5 quantiles, 20% of the high waiting": Numbers(FIVE, 4, 5, waiting=0.2),
    "quartiles of dates, 50% of the high waiting": Numbers(
        QUARTILES, 4, 1, dates=True, waiting=0.5
    ),
    "quartiles, sd halved": Numbers(QUARTILES, 6, 1, width=0.5),
    "5 quantiles, sd halved": Numbers(FIVE, 6, 5, width=0.5),
}
