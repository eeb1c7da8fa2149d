"""The price of forecasts that contradict each other, once their questions are resolved.

At each time, the forecasts that a member has on a set of questions have a coherent neighbour: the
nearest that fit the outcomes which the questions can have together (``values.worlds``), by the
Brier score. The price is the score of the forecasts less that of the neighbour, which knows no
outcome.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlmodel import Session

import scoring
from forecasts.access.kinds import CrowdOf
from forecasts.access.visibility import crowd_is_hidden
from forecasts.common.vocabulary import GroupKind, LinkKind, LinkStrength, QuestionType
from forecasts.folder.dependence import foreseen, joined
from forecasts.folder.frames import rows
from forecasts.ledger.models import Member, Question
from forecasts.questions.groups import counted_kinds
from forecasts.questions.standing import QuestionState, by_id
from forecasts.questions.ties import ever_tied, tied
from forecasts.scores.crowds import crowd
from forecasts.scores.ledger_frames import (
    crowd_frames,
    forecast_frame,
    ledger_questions,
    link_frame,
)
from forecasts.updates.coherence import Move, contradicting
from forecasts.values.outline import Outline
from forecasts.values.value import Value, value_of
from forecasts.values.worlds import Ties, Worlds, nearest, probability, sets

COLUMNS = ["question_id", "forecaster", "number", "score", "coherent", "price", "moved"]
_PAIR = ["question_id", "forecaster"]
_Row = dict[str, Any]


def ties_of(questions: pd.DataFrame, links: pd.DataFrame, among: pd.Series) -> Ties:
    """Return the ties between the questions whose IDs are ``among`` those of a ledger folder.

    Of the certain links, those that were ``foreseen``.
    ``outlines``: only those of questions that a group, a condition or a link names.
    """
    grouped = questions[questions["group"] != ""].sort_values(["group", "group_place"])
    asked = questions[questions["condition"].notna()]
    conditions = {
        child: (given["question"], given["outcome"])
        for child, given in zip(asked["question_id"], asked["condition"], strict=True)
    }
    tied = {*grouped["question_id"], *conditions, *(parent for parent, _ in conditions.values())}
    tied.update(links["question_id"], links["other_id"])
    some = questions[questions["question_id"].isin(tied.intersection(among))]
    outlines = {
        row.question_id: Outline(
            QuestionType(row.type or "binary"),
            row.options,
            row.lower_bound or None,
            row.upper_bound or None,
            row.unit or None,
        )
        for row in rows(some)
    }
    return Ties(
        outlines,
        [
            (GroupKind(own["group_kind"].iloc[0]), own["question_id"].tolist())
            for _, own in grouped.groupby("group", sort=False)
        ],
        {child: given for child, given in conditions.items() if child in outlines},
        [
            (one, other, kind)
            for one, other, kind in _sure(questions, links)
            if {one, other} <= outlines.keys()
        ],
    )


def _sure(questions: pd.DataFrame, links: pd.DataFrame) -> list[tuple[str, str, LinkKind]]:
    """Return the certain links that were ``foreseen``."""
    kept = links[foreseen(questions, links)] if len(links) else links
    sure = kept[kept["strength"] == LinkStrength.certain]
    return [(link.question_id, link.other_id, LinkKind(link.kind)) for link in rows(sure)]


def prices(
    questions: pd.DataFrame, forecasts: pd.DataFrame, ties: Ties, protocol: str = "brier"
) -> pd.DataFrame:
    """Return the price of incoherence for each forecaster on each question of a set.

    question_id, forecaster, number (of the set, from 0), score, coherent (that of the neighbour),
    price (score − coherent: above 0, incoherence cost it), moved (how far the neighbour was at
    most, in probability). Resolved questions alone have rows, with yes or no or with options, and
    only if another of the set was forecast too; where nothing else was at the time, the price is 0.
    A question of several sets counts in the first.
    """
    every = sets(ties)
    of_set: dict[str, int] = {}
    for number, worlds in enumerate(every):
        for part in worlds.parts:
            of_set.setdefault(part.question, number)
    said = forecasts[forecasts["question_id"].isin(of_set)].sort_values("made_at", kind="stable")
    made, closes = _made(said), _closes(questions)
    neighbours = [
        row
        for number, worlds in enumerate(every)
        for row in _neighbours(made, worlds, ties, closes)
        if of_set[row["question_id"]] == number
    ]
    if not neighbours:
        return pd.DataFrame({name: [] for name in COLUMNS})
    kinds = [QuestionType.binary, QuestionType.multiple_choice]
    scored = questions[questions["question_id"].isin(of_set) & questions["type"].isin(kinds)]
    scored = scored.reset_index(drop=True)
    theirs = pd.DataFrame(neighbours)
    theirs["made_at"] = pd.to_datetime(theirs["made_at"], unit="us", utc=True)
    found = _scores(scored, said, protocol).merge(
        _scores(scored, theirs, protocol).rename(columns={"score": "coherent"}), on=_PAIR
    )
    found = found.merge(theirs.groupby(_PAIR)["moved"].max().reset_index(), on=_PAIR)
    number_of = found["question_id"].map(of_set).astype(np.intp)
    return found.assign(number=number_of, price=found["score"] - found["coherent"])[COLUMNS]


class _Made(NamedTuple):
    at: int  # in microseconds
    forecaster: str
    question_id: str
    value: Value


class Price(NamedTuple):
    """The price of incoherence on a question: ``number``, ``price`` and ``moved`` of ``prices``."""

    number: int
    price: float
    moved: float


class Hanging(NamedTuple):
    """Of questions that hang together, by slug: their families, and a member's prices."""

    families: Mapping[str, str]
    prices: Mapping[str, Price]


def hanging(session: Session, member: Member, states: Sequence[QuestionState]) -> Hanging:
    """Return the families and prices of those of a member's questions that hang together.

    Also over questions that are not among these, as far as the session's reader may see them.
    """
    some = ever_tied(session, [one.id for one in states])
    if not some:
        return Hanging({}, {})
    found = tied(session, some, counted_kinds(session))
    slugs = [one.slug for one in found.questions.values()]
    asked, links = ledger_questions(session, slugs), link_frame(session, slugs)
    named = joined(asked, links)
    made = forecast_frame(session, slugs, member=member.id, rationales=False, cited=False)
    ties = replace(found.ties, links=_sure(asked, links))
    priced = prices(asked, made, ties)
    return Hanging(
        dict(zip(named["question_id"], named["family"], strict=True)),
        {row.question_id: Price(row.number, row.price, row.moved) for row in rows(priced)},
    )


def _scores(questions: pd.DataFrame, forecasts: pd.DataFrame, protocol: str) -> pd.DataFrame:
    some = forecasts[forecasts["question_id"].isin(questions["question_id"])]
    return scoring.score(questions, some.reset_index(drop=True), protocol)[[*_PAIR, "score"]]


def _microseconds(times: pd.Series) -> list[int]:
    return times.astype("datetime64[us, UTC]").astype("int64").tolist()


def _closes(questions: pd.DataFrame) -> Mapping[str, int]:
    """Return when forecasts on each question end, in microseconds."""
    early = questions["actual_close_time"].fillna(questions["scheduled_close_time"])
    return dict(zip(questions["question_id"], _microseconds(early), strict=True))


def _made(forecasts: pd.DataFrame) -> Mapping[str, Sequence[_Made]]:
    """Return the forecasts on each question, in the order of the frame."""
    found: defaultdict[str, list[_Made]] = defaultdict(list)
    several = {name: forecasts[name].astype(object) for name in ("probabilities", "quantiles")}
    blank = {name: own.where(own.notna(), None) for name, own in several.items()}
    stated = rows(forecasts.assign(**blank))
    for at, row in zip(_microseconds(forecasts["made_at"]), stated, strict=True):
        one = _Made(at, row.forecaster, row.question_id, value_of(row))
        found[one.question_id].append(one)
    return found


def _neighbours(
    made: Mapping[str, Sequence[_Made]], worlds: Worlds, ties: Ties, closes: Mapping[str, int]
) -> Iterator[_Row]:
    """Yield the rows of forecasts that are coherent with the others at each time."""
    asked: dict[str, list[int]] = {}  # the places of each question's parts
    for at, part in enumerate(worlds.parts):
        asked.setdefault(part.question, []).append(at)
    of: defaultdict[str, list[_Made]] = defaultdict(list)
    for one in chain.from_iterable(made.get(question, ()) for question in asked):
        of[one.forecaster].append(one)
    who, when, said = [], [], []
    for forecaster, own in sorted(of.items()):
        if len({one.question_id for one in own}) < 2:
            continue
        times = np.unique([*(one.at for one in own), *(closes[question] for question in asked)])
        table = np.full((len(times), len(worlds.parts)), np.nan)
        for one in own:
            outline, places = ties.outlines[one.question_id], asked[one.question_id]
            until = slice(*times.searchsorted([one.at, closes[one.question_id]]))
            table[until, places] = [
                probability(one.value, worlds.parts[at], outline) for at in places
            ]
        who += [forecaster] * len(times)
        when.append(times)
        said.append(table)
    if not said:
        return
    before = np.concatenate(said)
    coherent = nearest(before, worlds)
    far = np.nan_to_num(np.abs(coherent - before))
    first = np.append(True, np.array(who[1:]) != np.array(who[:-1]))
    times = np.concatenate(when)
    for question, places in asked.items():
        p, moved = coherent[:, places], far[:, places].max(axis=1)
        choice = ties.outlines[question].type == QuestionType.multiple_choice
        for at in np.flatnonzero(_changes(p, first)).tolist():
            whole = not np.isnan(p[at]).any()  # else a withdrawal
            yield {
                "question_id": question,
                "forecaster": who[at],
                "made_at": times[at],
                "probability": p[at, 0] if whole and not choice else np.nan,
                "probabilities": (p[at] / p[at].sum()).tolist() if whole and choice else None,
                "moved": moved[at],
            }


def _changes(p: npt.NDArray[np.float64], first: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return where the probabilities (N, n) change; before a ``first`` row there are none."""
    before = np.roll(p, 1, axis=0)
    before[first] = np.nan
    same: npt.NDArray[np.bool_] = ((p == before) | (np.isnan(p) & np.isnan(before))).all(axis=1)
    return ~same


def crowd_contradictions(
    session: Session, question: Question, *, now: datetime, of: CrowdOf = "both"
) -> list[list[Move]]:
    """Return the sets in which the crowd's medians contradict each other, as ``contradictions``.

    Of the questions that hang together with this one; without those whose crowd is hidden from the
    session's reader, without numbers and dates, and without sets that one person alone forecast.
    Each of a crowd may be coherent: they may have forecast different questions of the set.
    """
    found = tied(session, [question.id])
    states = by_id(session, list(found.questions), now=now)
    by_slug = {
        one.slug: one for one in states.values() if not crowd_is_hidden(session, one.question)
    }
    if len(by_slug) < 2:
        return []
    frames = crowd_frames(session, questions=list(by_slug), at=now)
    said: dict[int, Value] = {}
    for row in rows(crowd(frames, "median", now, of=of)):
        state = by_slug[row.question_id]
        options = state.text.options
        if options:
            several = [getattr(row, f"p{place}") for place in range(len(options))]
            said[state.id] = Value(probabilities=tuple(several))
        else:
            said[state.id] = Value(row.p)
    who = frames.forecasts.groupby("question_id")["forecaster"].agg(set)

    def forecasters(moves: list[Move]) -> set[str]:
        return set().union(*(who[move.question.slug] for move in moves))

    every = contradicting(found, said, now=now)
    return [moves for moves in every if len(forecasters(moves)) > 1]
