"""Differences of Brier scores between equals, drawn in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, ndtr

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]


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

    @property
    def outcomes(self) -> float:
        """The correlation of two outcomes near 50% that are open for the same time."""
        return float(2 / np.pi * np.arcsin(self.latent))

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
    for latent in (0.0, 0.02, 0.1, 0.3)
}


@dataclass(frozen=True)
class Tilted:
    """Two equally good sides, one 30% above the truth and the other 30% below.

    ``waiting``: the share of the outcomes "no" that are not known yet.
    """

    rate: float
    questions: int
    waiting: float = 0.0

    def differences(self, seed: int, times: int) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """Yield the table of `paired` of each tournament, and of the questions that wait."""
        rng = np.random.default_rng([seed, self.questions, int(self.rate * 1000)])
        a, b, p = 1.3 * self.rate, 0.7 * self.rate, np.full(self.questions, self.rate)
        away = 2 * (b - a)
        for came in rng.random((times, self.questions)) < p:
            waits = ~came & (rng.random(self.questions) < self.waiting)
            table = pd.DataFrame(
                {
                    "a": "a",
                    "b": "b",
                    "question_id": np.arange(self.questions),
                    "difference": (a - came) ** 2 - (b - came) ** 2,
                    "variance": p * (1 - p) * away**2,
                    "third": p * (1 - p) * (1 - 2 * p) * away**3,
                }
            )
            ends = {
                "low": min(a**2 - b**2, (a - 1) ** 2 - (b - 1) ** 2),
                "high": max(a**2 - b**2, (a - 1) ** 2 - (b - 1) ** 2),
            }
            yield table[~waits], table[waits].assign(**ends)


TILTED = {
    f"opposite tilts on {rate:.0%} of {questions}": Tilted(rate, questions)
    for rate, questions in ((0.02, 54), (0.03, 54), (0.05, 90), (0.1, 180))
} | {
    f"opposite tilts, {share:.0%} of “no” waiting": Tilted(0.3, 120, share)
    for share in (0.1, 0.2, 0.5)
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
