"""Coherence: the cost of a group's forecasts that contradict each other.

Such forecasts score worse than their coherent neighbours whatever comes true, so the cost does not
depend on luck; it describes, and does not enter the verdict.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecasts.common.text import count
from forecasts.documents.numbers import decimals, interval, number
from forecasts.reports.estimates import mean_over_questions
from forecasts.reports.groups import VALUES, Entries, of_members
from forecasts.reports.report import Coherence, Estimate
from forecasts.scores.coherence import prices, ties_of
from forecasts.values.worlds import LEAST
from scoring.arrays import Places


def priced(
    questions: pd.DataFrame, counting: pd.DataFrame, links: pd.DataFrame, entries: Entries
) -> pd.DataFrame:
    """Return the price of incoherence on each question of each group.

    ``questions``: all of the report; ``counting``: those that count. Columns: group, question (its
    position among these), number (of its set), price (the mean over the group's members), moved
    (the largest move of a member).
    """
    named = counting.assign(question_id=counting["id"])
    every = questions.assign(question_id=questions["id"])
    ties = ties_of(every, links, named["question_id"])
    known = questions.set_index("question_id")["id"]
    known = known[known.isin(ties.outlines)]
    made = entries.forecasts[entries.forecasts["question_id"].isin(known.index)]
    blank = {name: None for name in VALUES if name not in made}
    asked = made.assign(question_id=made["question_id"].map(known), **blank)
    found = prices(named, asked, ties)
    place = pd.Index(counting["id"]).get_indexer(found["question_id"])
    group = of_members(entries.group, found["forecaster"].astype(np.intp))
    of_group = found.assign(group=group, question=place).groupby(
        ["group", "question", "number"], observed=True
    )
    return of_group.agg(price=("price", "mean"), moved=("moved", "max")).reset_index()


def coherence(own: pd.DataFrame, family: Places) -> Coherence | None:
    """Return the cost of a group's contradictions; None without questions that hang together.

    ``own`` are the group's rows of ``priced``; ``family``: the cluster of every question.
    """
    if own.empty:
        return None
    clusters = family[own["question"].to_numpy(dtype=np.intp)]
    price = own["price"].to_numpy()
    # Below 0 only where the forecasts of a set stood for different times.
    cost = mean_over_questions(price, clusters, (min(0.0, price.mean()), 1.0), lopsided=True)
    farthest = own.groupby("number")["moved"].max()
    contradicting = int((farthest >= LEAST).sum())
    questions, families = len(own), len(np.unique(clusters))
    return Coherence(
        sets=len(farthest),
        contradicting=contradicting,
        questions=questions,
        families=families,
        cost=cost,
        sentence=_found(cost, len(farthest), contradicting, questions, families),
    )


def _found(cost: Estimate, sets: int, contradicting: int, questions: int, families: int) -> str:
    together = f"{count(sets, 'set')} of questions that hang together"
    if not contradicting:
        return f"Nothing contradicts itself in the forecasts on {together}."
    assert cost.mean is not None
    digits = decimals(cost.mean, *(cost.interval or ()))
    sure = f"95% interval {interval(cost.interval, digits)}; " if cost.interval else ""
    return (
        f"Forecasts contradicted each other in {contradicting} of {together}. That cost "
        f"{number(cost.mean, digits)} Brier points (0–1) a question "
        f"({sure}{count(questions, 'question')} in {count(families, 'family')})."
    )
