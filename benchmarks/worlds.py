"""Simulated worlds, each with something in it that breaks a careless method.

In the worlds of `WORLDS` everyone is calibrated and no team is better than another, so that every
test that rejects is wrong and every interval for a difference should hold 0. Tournaments are
simulated several at a time, as one of many times the size whose families take turns: what is
slow is not the questions but to begin.
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
    """A tournament to repeat, and what is hard about it.

    ``band`` says that reliability curves are drawn too, which takes most of the time.
    """

    name: str
    hard: str
    settings: Tournament
    band: bool = False


@dataclass(frozen=True)
class Many:
    """Tournaments of one world, side by side in the frames of one.

    Ids are numbers. ``questions`` has a column ``repetition`` that says which tournament each
    question belongs to, and ``family`` is a number; ``teams`` gives each forecaster's team.
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
    """Return so many tournaments with these settings."""
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
# Forecasters choose their questions, come late and share half of their team's noise, three in ten
# questions close early, and families are linked, unless a world says otherwise.
USUAL = Tournament(teams=TEAMS, questions=90, families=60)
WORLDS = (
    World("30 families", "45 questions", replace(USUAL, questions=45, families=30), band=True),
    World("60 families", "90 questions", USUAL),
    World("200 families", "300 questions", replace(USUAL, questions=300, families=200)),
    World(
        "by themselves",
        "60 questions and as many families; nobody late, nothing shared, nothing early",
        replace(
            USUAL, questions=60, early_share=0, late=0, shared_noise=0, selectivity=0,
            participation=0.9,
        ),
    ),
    World(
        "linked",
        "60 families of about four questions that end alike (ρ = 0.9); a team shares all its noise",
        replace(USUAL, questions=240, family_correlation=0.9, shared_noise=1.0),
        band=True,
    ),
    World(
        "late and gone",
        "forecasters come late, and withdraw when unsure",
        replace(USUAL, late=0.5, withdrawal=0.6),
        band=True,
    ),
    World(
        "events",
        "half of the questions are closed by a yes when it happens; 40 updates each, teams of two",
        replace(
            USUAL, teams=tuple(replace(team, members=2) for team in TEAMS), early_share=0.2,
            event_share=0.5, updates=40.0,
        ),
        band=True,
    ),
    World(
        "late eight",
        "as *events*, but the team looked at has eight members, who come when half "
        "of the time is over, so that a yes keeps some of them out",
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
    """What a team said and what came of it, one entry a live forecast (and option).

    ``weight`` is that of the tests of a report, ``fixed`` in ``forecasts.reports.member_scores``,
    and ``below`` the probability of the options before it.
    """

    p: Floats
    y: Floats
    weight: Floats
    question: Places
    family: Places
    repetition: Places
    below: Floats

    def part(self, at: Places) -> Claims:
        """Return the claims at these places."""
        return Claims(*(getattr(self, name)[at] for name in self.__dataclass_fields__))

    def each(self, times: int) -> list[Claims]:
        """Return the claims of each repetition."""
        order = np.argsort(self.repetition, kind="stable")
        ends = np.cumsum(np.bincount(self.repetition, minlength=times))[:-1]
        return [self.part(at) for at in np.split(order, ends)]


def claims(many: Many, team: str, *, live_weights: bool = False) -> Claims:
    """Return the claims of a team, as a report makes them: the gates watch its own code.

    ``live_weights`` takes the weight with which a report describes in place of that of its tests.
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
    """Return a team's forecasts as a report has them: its members numbered from 0."""
    members = many.teams.index[many.teams == team]
    own = many.of(team)
    return Entries(
        own.assign(forecaster=members.get_indexer(own["forecaster"])),
        pd.Series(team, index=range(len(members))),
        pd.Series(members),
    )
