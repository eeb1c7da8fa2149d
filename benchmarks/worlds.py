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


@dataclass(frozen=True)
class Claims:
    """A team's forecasts and outcomes, one entry per live forecast (and option).

    ``weight`` is that of a report's tests, ``fixed`` in ``forecasts.reports.member_scores``, and
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
