"""The price of forecasts that contradict each other, once their questions are resolved.

At each time, the forecasts that a member has on a set of questions have a coherent neighbour: the
nearest that fit the outcomes which the questions can have together (``values.worlds``), by the
Brier score. The price is the score of the forecasts less that of the neighbour, which knows no
outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.common.vocabulary import QuestionType
from forecasts.folder.frames import Frames, rows
from forecasts.values.outline import HasOutline
from forecasts.values.value import value_of
from forecasts.values.worlds import Ties, Worlds, nearest, probability, sets

_Floats = npt.NDArray[np.float64]
_Path = dict[str, object]


def prices(frames: Frames, ties: Ties, protocol: str = "brier") -> pd.DataFrame:
    """Return the price of incoherence for each forecaster on each question of a set.

    question_id, forecaster, number (of the set, from 0), score, coherent (that of the neighbour),
    price (score − coherent: above 0, incoherence cost it). Resolved questions alone have rows, with
    yes or no or with options; where nothing else was forecast at the time, the price is 0. A
    question of several sets counts in the first.
    """
    closes = _closes(frames.questions)
    of_set: dict[str, int] = {}
    paths: list[_Path] = []
    for number, worlds in enumerate(sets(ties)):
        own = {part.question for part in worlds.parts}
        said = frames.forecasts[frames.forecasts["question_id"].isin(own)]
        new = own - of_set.keys()
        paths += (
            one for one in _neighbours(said, worlds, ties, closes) if one["question_id"] in new
        )
        of_set |= dict.fromkeys(new, number)
    some = frames.questions["question_id"].isin(of_set)
    kind = frames.questions["type"].isin([QuestionType.binary, QuestionType.multiple_choice])
    questions = frames.questions[some & kind].reset_index(drop=True)
    said = frames.forecasts[frames.forecasts["question_id"].isin(questions["question_id"])]
    columns = ["question_id", "forecaster", "made_at", "probability", "probabilities"]
    neighbours = pd.DataFrame(paths, columns=columns)
    pair = ["question_id", "forecaster"]
    mine, theirs = (
        scoring.score(questions, one, protocol)[[*pair, "score"]]
        for one in (said.reset_index(drop=True), neighbours)
    )
    found = mine.merge(theirs.rename(columns={"score": "coherent"}), on=pair)
    found.insert(2, "number", found["question_id"].map(of_set).astype(np.intp))
    return found.assign(price=found["score"] - found["coherent"])


def _closes(questions: pd.DataFrame) -> Mapping[str, pd.Timestamp]:
    """Return when forecasts on each question end."""
    early = questions["actual_close_time"].fillna(questions["scheduled_close_time"])
    return dict(zip(questions["question_id"], early, strict=True))


def _neighbours(
    forecasts: pd.DataFrame, worlds: Worlds, ties: Ties, closes: Mapping[str, pd.Timestamp]
) -> Iterator[_Path]:
    """Yield the rows of forecasts that are coherent with the others at each time."""
    places: dict[str, list[int]] = {}
    for at, part in enumerate(worlds.parts):
        places.setdefault(part.question, []).append(at)
    ends = [closes[question] for question in places]
    for forecaster, own in forecasts.groupby("forecaster", sort=True):
        own = own.sort_values("made_at", kind="stable")
        times = pd.DatetimeIndex(sorted({*own["made_at"], *ends}))
        said = np.full((len(times), len(worlds.parts)), np.nan)
        for row in rows(own):
            question, value = row.question_id, value_of(row)
            parts = [worlds.parts[at] for at in places[question]]
            until = slice(*times.searchsorted([row.made_at, closes[question]]))
            said[until, places[question]] = [
                probability(value, part, ties.outlines[question]) for part in parts
            ]
        coherent = nearest(said, worlds)
        for question, own_places in places.items():
            yield from _rows(
                question, str(forecaster), times, coherent[:, own_places], ties.outlines[question]
            )


def _rows(
    question: str, forecaster: str, times: pd.DatetimeIndex, p: _Floats, outline: HasOutline
) -> Iterator[_Path]:
    """Yield a row at each change; one without a probability is a withdrawal."""
    before = np.full(p.shape[1], np.nan)
    for time, now in zip(times, p, strict=True):
        if not np.array_equal(now, before, equal_nan=True):
            whole = not np.isnan(now).any()
            choice = outline.type == QuestionType.multiple_choice
            yield {
                "question_id": question,
                "forecaster": forecaster,
                "made_at": time,
                "probability": now[0] if whole and not choice else np.nan,
                "probabilities": (now / now.sum()).tolist() if whole and choice else None,
            }
        before = now
