"""The tables that a comparison takes from all forecasts on its questions; those of parts add up.

The figures of each side alone come from its own forecasts (``alone``).

Bots that share a model are likely to agree in their errors. The difference between two sides is a
claim about their members, which names the bots, and is clustered by family as any other; a claim
about bots *like* them takes those with one model as one member (``one_a_model``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

import scoring
from forecasts.folder.frames import Frames
from forecasts.reports import estimates
from forecasts.reports.coherence import coherence
from forecasts.reports.cohort import with_outcomes
from forecasts.reports.comparison.abstention import spoken, without_silence
from forecasts.reports.comparison.comparison import Of
from forecasts.reports.estimates import Record
from forecasts.reports.groups import Entries, group_questions
from forecasts.reports.member_scores import on, timing_days
from forecasts.reports.report import Coherence
from forecasts.reports.rows import Rows, by_group
from scoring.arrays import Floats
from scoring.pairing import elementary_differences
from scoring.rare_events import least_widths

Key = tuple[str, str]
Losses = tuple[pd.Series, Floats]  # the questions, and the differences at each threshold
THRESHOLDS = np.linspace(0, 1, 51)  # of the Murphy curves
# With more pairs than this, a document shows only those that differ, and no Murphy curves.
MOST_PAIRS = 15
OUTSIDE = "outside_stays"  # why a question is not shared
_NO_PAIRS = pd.DataFrame({"a": [], "b": [], "question_id": [], "difference": [], "shared": []})


@dataclass(frozen=True)
class Pairwise:
    """Tables by question; ``question_id`` is the question's number.

    ``present``: the groups with a forecast that counts. ``differences`` of all pairs, and the
    contributions of ``people`` if wanted; ``losses``: of not too many pairs, the questions, and the
    differences at each threshold. ``apart`` (a, b, reason, questions): of the pairs without a
    difference, how many questions both forecast, and why these do not count. ``spoken``, how long
    each side had a forecast; ``scores`` (group, question_id, brier); ``skills`` of all forecasters,
    if wanted. ``waiting``: the lowest and the highest difference of each pair on each question that
    waits for its outcome, ``low`` and ``high``, with the other columns of ``differences``.
    """

    present: frozenset[str]
    losses: dict[Key, Losses]
    differences: pd.DataFrame
    waiting: pd.DataFrame
    people: pd.DataFrame | None
    apart: pd.DataFrame
    spoken: pd.DataFrame
    scores: pd.DataFrame
    skills: pd.DataFrame | None


def pairwise(rows: Rows, *, of: Of, alike: bool, models: dict[str, str]) -> Pairwise:
    """Return the tables of these questions; ``rows`` are of the sides alone.

    ``models``: the model of each bot (``bot_models``).
    """
    scope, entries, lead = rows.scope, rows.entries, rows.scope.choice.lead
    counting = scope.counting
    number = counting["question_id"].to_numpy()
    forecasts = on(counting, entries)
    present = entries.group[entries.group.index.isin(forecasts["forecaster"])]
    paired = (counting, forecasts, present, lead)
    both = present.nunique() > 1
    scores = rows.scores[["group", "question", "brier"]]
    differences = scoring.paired(*paired) if both else _NO_PAIRS
    few = comb(len(scope.wanted), 2) <= MOST_PAIRS
    people = scoring.paired_people(*paired) if both and alike else None
    return Pairwise(
        present=frozenset(present),
        losses=elementary_differences(*paired, THRESHOLDS) if both and few else {},
        differences=differences,
        waiting=_waiting(rows),
        people=None if people is None else one_a_model(people, entries, models),
        apart=_apart(rows, set(zip(differences["a"], differences["b"], strict=True))),
        spoken=_numbered(spoken(counting, entries, lead), number),
        scores=_numbered(scores, number),
        skills=_skills(rows) if of == "forecasters" else None,
    )


def _waiting(rows: Rows) -> pd.DataFrame:
    waiting, entries = rows.scope.waiting, rows.entries
    forecasts = on(waiting, entries)
    present = entries.group[entries.group.index.isin(forecasts["forecaster"])]
    if present.nunique() < 2:
        return _NO_PAIRS.assign(low=0.0, high=0.0)
    every = [
        scoring.paired(questions, forecasts, present, rows.scope.choice.lead)
        for questions in with_outcomes(waiting)
    ]
    ends = np.stack([table["difference"] for table in every])
    return every[0].assign(low=ends.min(axis=0), high=ends.max(axis=0))


def filled(rows: Rows) -> pd.DataFrame:
    """Return the differences of all pairs, without the silence of either side.

    See ``without_silence``. ``rows`` are of the sides alone.
    """
    scope, counting = rows.scope, rows.scope.counting
    own = replace(rows.entries, forecasts=on(counting, rows.entries))
    if own.forecasts.empty:
        return _NO_PAIRS.drop(columns="shared").assign(checks=False)
    everyone = rows.frames.forecasts
    everyone = everyone[everyone["question_id"].isin(counting["question_id"])]
    return without_silence(counting, everyone, own, scope.wanted, scope.choice.lead)


def bot_models(frames: Frames, entries: Entries) -> dict[str, str]:
    """Return the model that each bot among these forecasters used most; blank for none."""
    if frames.members is None or frames.models is None:
        return {}
    kinds = frames.members.set_index("forecaster")["kind"]
    bots = sorted(set(kinds.index[kinds == "bot"]) & set(entries.forecaster))
    used = frames.models["model"].groupby(frames.forecasts["forecaster"])
    counts = used.value_counts().reset_index(name="uses")
    counts = counts[counts["model"] != ""].sort_values(["uses", "model"], ascending=[False, True])
    most = counts.drop_duplicates("forecaster").set_index("forecaster")["model"]
    return {bot: str(most.get(bot, "")) for bot in bots}


def one_a_model(people: pd.DataFrame, entries: Entries, models: dict[str, str]) -> pd.DataFrame:
    """Return the table of ``scoring.paired_people`` with the bots of a side and model as one."""
    unit = {
        number: f"model {models[who]}" if models.get(who) else f"member {who}"
        for number, who in entries.forecaster.items()
    }
    keys = ["a", "b", "question_id", "side", "forecaster"]
    return (
        people.assign(forecaster=people["forecaster"].map(unit))
        .groupby(keys, as_index=False, sort=True)[["deviation", "part"]]
        .sum()
    )


def together(parts: Sequence[Pairwise]) -> Pairwise:
    """Return the tables of all questions, from those of parts of them."""
    found: dict[str, Any] = {}
    for name in (field.name for field in fields(Pairwise)[2:]):
        some = [getattr(part, name) for part in parts if getattr(part, name) is not None]
        found[name] = pd.concat(some, ignore_index=True) if some else None
    keys = ["a", "b", "question_id"]
    found["differences"] = found["differences"].sort_values(keys, ignore_index=True)
    losses = {}
    for names in dict.fromkeys(names for part in parts for names in part.losses):
        some = [part.losses[names] for part in parts if names in part.losses]
        asked, difference = zip(*some, strict=True)
        losses[names] = pd.concat(asked, ignore_index=True), np.concatenate(difference)
    return Pairwise(frozenset().union(*(part.present for part in parts)), losses, **found)


def _numbered(table: pd.DataFrame, number: npt.NDArray[Any]) -> pd.DataFrame:
    """Return a table with the numbers of its questions in place of their positions."""
    at = number[table["question"].to_numpy(dtype=np.intp)]
    return table.drop(columns="question").assign(question_id=at)


def _apart(rows: Rows, met: Collection[Key]) -> pd.DataFrame:
    """Return the questions that both of each other pair forecast, by the reason they do not count.

    The reason is blank for questions that count, on which the two were never live together, and
    ``OUTSIDE`` for those on which someone forecast while not in the team.
    """
    scope, of_group = rows.scope, by_group(rows.in_groups)
    of_people = of_group
    if scope.by == "team":
        ever = replace(rows.entries, forecasts=rows.entries.forecasts.assign(inside=True))
        of_people = by_group(group_questions(ever, scope.questions, scope.by, scope.wanted))
    found = []
    for a, b in combinations(scope.wanted, 2):
        if (a, b) not in met and (b, a) not in met:
            both, ever_both = (
                np.intersect1d(of(a)["place"], of(b)["place"]) for of in (of_group, of_people)
            )
            outside = np.setdiff1d(ever_both[scope.counts[ever_both]], both)
            reasons = Counter(scope.reason[both]) + Counter({OUTSIDE: len(outside)})
            found += [(a, b, *each) for each in reasons.items()]
    return pd.DataFrame(found, columns=["a", "b", "reason", "questions"])


def _skills(rows: Rows) -> pd.DataFrame:
    """Return the skill of all forecasters on the questions on which two or more have a score."""
    counting, lead = rows.scope.counting, rows.scope.choice.lead
    forecasts = rows.frames.forecasts
    forecasts = forecasts[forecasts["question_id"].isin(counting["question_id"])]
    protocol = scoring.PROTOCOLS["skill"]
    if lead is not None:
        protocol = replace(protocol, timing=f"lead({timing_days(lead)})")
    scores = scoring.score(counting, forecasts, protocol)
    # Without anyone else there is no advantage to measure: a score of 0 means nothing.
    beside = scores.groupby("question_id")["forecaster"].transform("nunique") > 1
    return scores.loc[beside, ["question_id", "forecaster", "score"]]


class Alone(NamedTuple):
    """A side by itself: its record, and the cost of its contradictions."""

    record: Record
    coherence: Coherence | None


def alone(rows: Rows, name: str) -> Alone:
    """Return a side by itself; ``rows`` have all of its forecasts."""
    own = rows.scores[rows.scores["group"] == name]
    members = rows.members[rows.members["group"] == name]
    made = rows.made(name)
    least = least_widths(made.ordered).brier if len(made.rows) else (0.0, 0.0)
    cluster = rows.scope.family[own["question"].to_numpy(dtype=np.intp)]
    record = estimates.record(own, members["member"].nunique(), cluster, least)
    if rows.priced is None:
        return Alone(record, None)
    return Alone(record, coherence(rows.priced[rows.priced["group"] == name], rows.scope.family))
