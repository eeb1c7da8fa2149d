"""The skill of groups: the advantage over the other forecasters at the same times.

Everyone is compared with all others who had a forecast, of any group: a team's members with their
team mates too. A group's skill on a question is the mean over its members. If nobody else forecast
the question, it would be 0 whatever they forecast, so there is none.

For the comparison, someone who changed teams is several forecasters, one after the other. Their
points can then be separated by team, and they never meet themself, because no two of these
have a forecast at the same time. Both protocols divide by the scheduled time of the question, so
the points under each add up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

import scoring
from forecasts.folder.frames import Frames
from forecasts.folder.frames import rows as rows_of
from forecasts.reports.cohort import outcomes
from forecasts.reports.estimates import known
from forecasts.reports.groups import VALUES, Entries
from forecasts.reports.member_scores import places, timing_days
from forecasts.reports.report import Adjusted, Estimate
from scoring.arrays import Floats, Places
from scoring.difficulty import Block, adjusted_in_blocks
from scoring.skill_scores import base_rate_brier

ADVANTAGES = {"skill": "peers", "crowd_skill": "crowd_mean"}
# The own score while others have forecasts, negated. The crowd's is that and the advantage over it.
_OWN = {"perfect": "perfect_peer"}


def skills(
    questions: pd.DataFrame, frames: Frames, entries: Entries, lead: float | None = None
) -> pd.DataFrame:
    """Return one row per group and question that someone outside forecast too: its mean skills.

    Columns: group, question (a position among ``questions``, which all count), skill,
    crowd_skill, perfect (the advantage over a perfect forecast), and variance and third, the
    moments that its skill has between equals (`scoring.least_error`). ``entries`` are those of
    forecasters or of teams.
    """
    everyone, person, credit = _compared(frames, entries)
    forecasts = everyone[everyone["question_id"].isin(questions["question_id"])]
    scores = _scores(questions, forecasts, lead)
    wide = scores[["forecaster", "skill", "crowd_skill", "perfect", "question"]].copy()
    who = pd.Series(person[wide["forecaster"].astype(np.intp)])
    people = who.groupby(wide["question"].to_numpy())
    beside = people.transform("nunique").to_numpy() > 1
    everyone_on = people.nunique()

    def of_groups(columns: pd.DataFrame) -> pd.DataFrame:
        earned = columns[beside].astype({"forecaster": np.intp}).merge(credit, on="forecaster")
        each = earned.groupby(["question", "member"], as_index=False).sum()
        each["group"] = entries.group.to_numpy(dtype=object)[each["member"]]
        kept = [name for name in each if name not in ("group", "question", "member", "forecaster")]
        by_question = each.groupby(["group", "question"])
        outside = by_question["member"].transform("size") < each["question"].map(everyone_on)
        return each[outside].groupby(["group", "question"], as_index=False)[kept].mean()

    found = of_groups(wide)
    if found.empty:
        return found
    decided = _odds(questions, forecasts, lead, scores)
    odds = of_groups(wide[["question", "forecaster"]].assign(**decided))
    return found.assign(**_moments(odds))


def _scores(questions: pd.DataFrame, forecasts: pd.DataFrame, lead: float | None) -> pd.DataFrame:
    """Return each forecaster's advantages, own score and coverage; ``question`` is a position."""
    protocols = [
        scoring.Protocol(name, "brier", _timing(lead), reference, 100.0, "higher is better")
        for name, reference in (ADVANTAGES | _OWN).items()
    ]
    protocols.append(scoring.Protocol("own", "brier", _timing(lead)))
    table = scoring.score(questions, forecasts, protocols)
    wide = table.loc[table["protocol"] == "skill", ["question_id", "forecaster", "coverage"]]
    for protocol in protocols:
        wide[protocol.name] = table.loc[table["protocol"] == protocol.name, "score"].to_numpy()
    return wide.assign(question=places(questions, wide.pop("question_id")))


def _odds(
    questions: pd.DataFrame, forecasts: pd.DataFrame, lead: float | None, scores: pd.DataFrame
) -> dict[str, Floats]:
    """Return, for each row of ``scores`` (from ``_scores``), how much of it the outcome decides.

    ``away``: the skill at "yes" less that at "no". ``time``: the time live, as a share of the
    scheduled time, and ``said`` the integral of the forecast over it. All are 0 with options. Both
    scores are known at two outcomes, and the differences are linear in the outcome.
    """
    binary = questions["options"].isna().to_numpy()
    y = np.where(binary, outcomes(questions), 0.0)
    other = np.where(y > 0.5, 0.0, 1.0)
    turned = questions.assign(
        resolution=np.where(binary, np.where(y > 0.5, "no", "yes"), questions["resolution"])
    )
    found = _scores(turned, forecasts, lead)
    skill, own = (found[name].to_numpy() - scores[name].to_numpy() for name in ("skill", "own"))
    place = scores["question"].to_numpy(dtype=np.intp)
    time = np.ones(len(place)) if lead is not None else scores["coverage"].to_numpy()
    changed = np.where(binary, other - y, 1.0)[place]
    known = binary[place]
    return {
        "away": np.where(known, skill / changed, 0.0),
        "time": np.where(known, time, 0.0),
        "said": np.where(known, ((other + y)[place] * time - own / changed) / 2, 0.0),
    }


def _moments(odds: pd.DataFrame) -> dict[str, Floats]:
    """Return the variance and the third moment of a group's skills, if it and the others are equal.

    Then the probability is halfway between theirs.
    """
    away, time, said = (odds[name].to_numpy() for name in ("away", "time", "said"))
    yes = np.clip((said - away / 400) / np.maximum(time, 1e-12), 0.0, 1.0)
    variance = yes * (1 - yes) * away**2
    return {"variance": variance, "third": variance * (1 - 2 * yes) * away}


def _timing(lead: float | None) -> str:
    return "scheduled_average" if lead is None else f"lead({timing_days(lead)})"


def against_crowd(rows: pd.DataFrame, family: Places) -> Estimate:
    """Return the share of the crowd's Brier score that a group saves; ``rows`` as of ``skills``."""
    # Skills are × 100.
    own = np.maximum(-rows["perfect"].to_numpy(dtype=np.float64) / 100, 0.0)
    crowd = np.maximum(rows["crowd_skill"].to_numpy(dtype=np.float64) / 100 + own, 0.0)
    return share_saved(own, crowd, family[rows["question"].to_numpy(dtype=np.intp)])


def base_rate_scores(questions: pd.DataFrame, family: Places, asked: Places) -> Floats:
    """Return the Brier score (0–1) of the base rate on each of the questions ``asked``.

    Of yes/no questions it forecasts the rate of "yes" on the others of ``asked``, outside the
    question's family; of K options, 1/K each.
    """
    options = questions["options"].to_numpy(dtype=object)[asked]
    scores = np.array([0.5 - 0.5 / len(given) if given else np.nan for given in options])
    binary = np.isnan(scores)
    y = outcomes(questions.iloc[asked[binary]])
    scores[binary] = base_rate_brier(y, family[asked[binary]])
    return scores


def share_saved(score: Floats, reference: Floats, family: Places) -> Estimate:
    """Return the share of a reference's Brier score that a group saves, question by question."""
    if not len(score):
        return Estimate()
    found = scoring.brier_skill(score=score, reference=reference, cluster=family)
    if math.isnan(found.lower):
        return Estimate(known(found.value), None)
    # No score is above 1.
    least = 1 - 1 / float(reference.mean())
    return Estimate(found.value, (max(found.lower, least), found.upper))


def _compared(frames: Frames, entries: Entries) -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Return everyone's forecasts, the person of each forecaster, and who is credited with them.

    The last has one row a forecaster and member of a group: forecaster, member (a number of
    ``entries``).
    """
    used = [name for name in VALUES if name in entries.forecasts]
    plain = frames.forecasts[["question_id", "made_at", *used]]
    person, handles = pd.factorize(frames.forecasts["forecaster"], sort=True)
    # Someone's groups at a time, as a sum of powers of two, one for each group.
    of_person = pd.Index(handles).get_indexer(entries.forecaster)
    members = pd.DataFrame({"member": np.arange(len(entries.group)), "person": of_person})
    members["flag"] = 2.0 ** members.groupby("person").cumcount()
    inside = entries.forecasts[entries.forecasts["inside"]]
    flags = members["flag"].to_numpy()[inside["forecaster"].to_numpy()]
    roles = np.bincount(inside["row"], flags, minlength=len(plain))
    known = pd.DataFrame({"person": person, "roles": roles}).drop_duplicates()
    known = known.sort_values(["person", "roles"], ignore_index=True)
    known["forecaster"] = np.arange(len(known))
    credit = known.merge(members, on="person")
    counts = (credit["roles"] // credit["flag"]) % 2 == 1
    credit = credit.loc[counts, ["forecaster", "member"]]
    if len(known) == len(handles):  # nobody changed teams
        return plain.assign(forecaster=person), known["person"].to_numpy(), credit
    rows = pd.DataFrame({"row": np.arange(len(plain)), "person": person, "now": roles})
    rows = rows.merge(known, on="person").sort_values(["row", "forecaster"], ignore_index=True)
    forecasts = plain.iloc[rows["row"].to_numpy()].reset_index(drop=True)
    forecasts["forecaster"] = rows["forecaster"]
    # Of the forecasters that one person is, a forecast of one ends the others'.
    here = rows["now"] == rows["roles"]
    for name in used:
        forecasts[name] = forecasts[name].where(here)
    return forecasts, known["person"].to_numpy(), credit


def adjusted_scores(scores: pd.DataFrame) -> dict[str, Adjusted]:
    """Return the adjusted score of each group that shares a question with another.

    ``scores`` have one row per group and question: ``Joint.scores``.
    """
    group, names = pd.factorize(scores["group"], sort=True)
    block = block_of(scores.assign(group=group))
    return adjusted_blocks(pd.Index(names), lambda: [block])


def block_of(scores: pd.DataFrame) -> Block:
    """Return as a block the scores of groups that are numbers."""
    question, family = scores["question"].to_numpy(), scores["family"].to_numpy()
    return Block(scores["group"].to_numpy(), question, family, scores["brier"].to_numpy())


def adjusted_blocks(names: pd.Index, blocks: Callable[[], Iterable[Block]]) -> dict[str, Adjusted]:
    """Return the same as ``adjusted_scores``, from blocks of whole families."""
    found = {}
    for row in rows_of(adjusted_in_blocks(names, blocks)):
        interval = None if math.isnan(row.lower) else (row.lower, row.upper)
        found[row.group] = Adjusted(row.adjusted, interval, row.questions, row.component)
    return found
