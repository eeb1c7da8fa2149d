"""Simulated worlds, each with a feature that breaks a careless method.

In `WORLDS` everyone is calibrated and all teams are equally good, so every rejection is an error
and every interval of a difference should contain 0. Several tournaments are simulated at once, as a
single large one whose families are dealt out in turn, because starting a simulation is slow and
questions are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, ndtr

from forecasts.reports import member_scores
from forecasts.reports.groups import Entries
from scoring.simulation import simulate
from scoring.tournament import Team, Tournament

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class World:
    """A tournament to repeat, and its difficulty.

    ``band`` adds reliability curves, which take most of the time.
    """

    name: str
    hard: str
    settings: Tournament
    band: bool = False


@dataclass(frozen=True)
class Many:
    """Tournaments of one world, side by side in the same frames.

    Ids are numbers. ``questions`` has a column ``repetition``, the tournament of each question, and
    ``family`` is a number; ``teams`` maps each forecaster to a team.
    """

    questions: pd.DataFrame
    forecasts: pd.DataFrame
    teams: pd.Series
    times: int

    def of(self, team: str) -> pd.DataFrame:
        """Return the forecasts of a team's members."""
        members = self.teams.index[self.teams == team]
        return self.forecasts[self.forecasts["forecaster"].isin(members)]


def repeat(settings: Tournament, seed: int, times: int) -> Many:
    """Return that many tournaments with these settings."""
    whole = simulate(
        replace(
            settings,
            seed=seed,
            questions=settings.questions * times,
            families=settings.families * times,
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
    return Many(questions, forecasts, teams, times)


TEAMS = tuple(Team(name, members=3) for name in ("Heron", "Kestrel", "Tern", "Wren"))
# Unless a world says otherwise, forecasters choose their questions, join late and share half of
# their team's noise, three in ten questions close early, and families are correlated.
USUAL = Tournament(teams=TEAMS, questions=90, families=60)
WORLDS = (
    World("30 families", "45 questions", replace(USUAL, questions=45, families=30), band=True),
    World("60 families", "90 questions", USUAL),
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
        band=True,
    ),
    World(
        "late and withdrawing",
        "forecasters join late, and withdraw when unsure",
        replace(USUAL, late=0.5, withdrawal=0.6),
        band=True,
    ),
    World(
        "events",
        "half of the questions close with a yes when it happens; 40 updates each, teams of two",
        replace(
            USUAL, teams=tuple(replace(team, members=2) for team in TEAMS), early_share=0.2,
            event_share=0.5, updates=40.0,
        ),
        band=True,
    ),
    World(
        "late team",
        "like *events*, but the tested team has eight members who join when half of the time is "
        "over, so that a yes keeps some of them out",
        replace(
            USUAL,
            teams=(
                replace(TEAMS[0], members=8), *(replace(team, members=2) for team in TEAMS[1:])
            ),
            early_share=0.2, event_share=0.5, updates=40.0, late=0.6,
        ),
        band=True,
    ),
    World(
        "options",
        "two in three questions have four options",
        replace(USUAL, choice_share=0.67, options=4),
    ),
)  # fmt: skip


# --- differences of Brier scores, in bulk --------------------------------------------------------


@dataclass(frozen=True)
class Shocks:
    """Two equally good teams of opposite tilt, on questions that share a shock.

    Team a reports p + 0.1, b reports p − 0.1, so D = 0.4 (p − y) and neither is better. Outcomes of
    two questions have a latent correlation (normal) of ``latent`` times the overlap of their
    times open: shocks are the steps of one random walk. ``together``: all are open at once.
    """

    latent: float
    together: bool
    questions: int = 200

    def schedule(self) -> pd.DataFrame:
        """Return the questions, each its own family, with the days they open and close."""
        rng = np.random.default_rng(0)
        days = rng.integers(21, 151, self.questions)
        opened = rng.integers(0, 480 - days)
        if self.together:
            days, opened = np.full(self.questions, 90), np.zeros(self.questions, dtype=np.int64)
        start = pd.Timestamp("2026-01-01", tz="UTC")
        return pd.DataFrame(
            {
                "question_id": np.arange(self.questions),
                "open_time": start + pd.to_timedelta(opened, "D"),
                "scheduled_close_time": start + pd.to_timedelta(opened + days, "D"),
            }
        )

    def differences(self, seed: int, times: int) -> Floats:
        """Return D for each tournament and question (times, questions)."""
        rng = np.random.default_rng([seed, self.together, int(self.latent * 1000)])
        table = self.schedule()
        first, last = (
            (table[name] - table["open_time"].min()).dt.days.to_numpy()
            for name in ("open_time", "scheduled_close_time")
        )
        walk = np.cumsum(rng.standard_normal((times, int(last.max()) + 1)), axis=1)
        shared = (walk[:, last] - walk[:, first]) / np.sqrt(last - first)
        own = rng.standard_normal((times, self.questions))
        latent = np.sqrt(self.latent) * shared + np.sqrt(1 - self.latent) * own
        p = rng.uniform(0.15, 0.85, (times, self.questions))
        return np.asarray(0.4 * (p - (ndtr(latent) < p)))


SHOCKS = {
    f"{'open together' if together else 'overlapping'}, latent correlation {latent:g}": Shocks(
        latent, together
    )
    for together in (True, False)
    for latent in (0.0, 0.02, 0.1)
}


def lopsided(seed: int, times: int, teams: int = 4) -> tuple[Floats, Places]:
    """Return Brier scores (times, questions, teams) of equals, and the questions' families.

    One family holds half of the 120 questions. Within it outcomes have a latent correlation of 0.5,
    and so has each team's noise.
    """
    rng = np.random.default_rng([seed, 17])
    family = np.concatenate([np.zeros(60, dtype=np.intp), np.arange(1, 61)])

    def linked(*shape: int) -> Floats:
        own = rng.standard_normal((times, len(family), *shape))
        shared = rng.standard_normal((times, int(family.max()) + 1, *shape))
        return np.asarray(np.sqrt(0.5) * (shared[:, family] + own))

    odds = 0.7 * rng.standard_normal((times, len(family)))
    came = ndtr(linked()) < expit(odds)
    said = expit(odds[..., None] + 0.7 * linked(teams))
    return np.asarray((said - came[..., None]) ** 2), family


@dataclass(frozen=True)
class Claims:
    """A team's forecasts and outcomes, one entry per live forecast (and option).

    ``weight`` is by scheduled time, ``fixed`` in ``forecasts.reports.member_scores``, and
    ``below`` the probability of the options before it.
    """

    p: Floats
    y: Floats
    weight: Floats
    question: Places
    family: Places
    repetition: Places
    below: Floats

    def part(self, at: Places) -> Claims:
        """Return the claims at these positions."""
        return Claims(*(getattr(self, name)[at] for name in self.__dataclass_fields__))

    def each(self, times: int) -> list[Claims]:
        """Return the claims of each repetition."""
        order = np.argsort(self.repetition, kind="stable")
        ends = np.cumsum(np.bincount(self.repetition, minlength=times))[:-1]
        return [self.part(at) for at in np.split(order, ends)]


def claims(many: Many, team: str, *, live_weights: bool = False) -> Claims:
    """Return a team's claims, computed by the report's own code, which the gates test.

    ``live_weights`` uses the weight of a report's descriptions instead of that of its tests.
    """
    made = entries_of(many, team)
    live = member_scores.live_segments(many.questions, made)
    found = member_scores.claims(many.questions, live, made)
    question = found["question"].to_numpy(dtype=np.intp)
    weight = found["weight" if live_weights else "fixed"].to_numpy()
    family, repetition = (many.questions[name].to_numpy() for name in ("family", "repetition"))
    p, y, below = (found[name].to_numpy() for name in ("p", "y", "below"))
    return Claims(p, y, weight, question, family[question], repetition[question], below)


def entries_of(many: Many, team: str) -> Entries:
    """Return a team's forecasts as in a report, with its members numbered from 0."""
    members = many.teams.index[many.teams == team]
    own = many.of(team)
    return Entries(
        own.assign(forecaster=members.get_indexer(own["forecaster"])),
        pd.Series(team, index=range(len(members))),
        pd.Series(members),
    )
