"""The difference between two sides in the cost of their contradictions.

Each side's price on a question is that of ``reports.coherence``. Two sides are compared on the
questions on which both have one and at least one of them contradicted itself. That depends on the
forecasts alone; the others would add zeros, with which the usual interval is too narrow.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

import pandas as pd

import scoring
from forecasts.common.text import count
from forecasts.documents.numbers import decimals, interval, number
from forecasts.reports.coherence import priced
from forecasts.reports.cohort import with_outcomes
from forecasts.reports.comparison.comparison import PriceDifference
from forecasts.reports.rows import Rows
from forecasts.values.worlds import LEAST
from scoring import comparison as compared

_OF_QUESTION = ["question_id", "completion", "waits"]


def prices(rows: Rows) -> pd.DataFrame:
    """Return the price of each group's contradictions on each question, also of those that wait.

    Columns: group, question_id (its number), waits (for its outcome), completion (of the outcomes
    that are missing, from 0), price, moved.
    """
    scope = rows.scope
    every = list(with_outcomes(scope.waiting)) if len(scope.waiting) else [scope.waiting]
    found = []
    for completion, waiting in enumerate(every if rows.follows else ()):
        asked = pd.concat([scope.counting, waiting], ignore_index=True)
        own = priced(scope.questions, asked, rows.frames.links, rows.entries)
        place = own["question"].to_numpy(dtype=int)
        of = asked["question_id"].to_numpy()[place]
        waits = place >= len(scope.counting)
        own = own.assign(group=own["group"].astype(object))  # to be ordered in pairs
        found.append(own.assign(question_id=of, waits=waits, completion=completion))
    columns = ["group", *_OF_QUESTION, "price", "moved"]
    return pd.concat(found)[columns] if found else pd.DataFrame({name: [] for name in columns})


def differences(
    prices: pd.DataFrame, members: Mapping[str, Collection[Hashable]], families: pd.Series
) -> dict[tuple[str, str], PriceDifference]:
    """Return the pairs whose prices differ by more than chance explains, in the members' order.

    ``prices`` of all sides; ``families``: the cluster of each question. As with scores, a claim
    takes 30 questions of 30 families, holds for every outcome that is missing, and allows for the
    number of pairs.
    """
    if prices.empty:
        return {}
    both = prices.merge(prices, on=_OF_QUESTION, suffixes=("", "_b"))
    both = both[
        (both["group"] < both["group_b"]) & (both[["moved", "moved_b"]].max(axis=1) >= LEAST)
    ]
    both = both.assign(difference=both["price"] - both["price_b"])
    both = both.rename(columns={"group": "a", "group_b": "b"})
    waits, key = both["waits"].to_numpy(dtype=bool), ["a", "b", "question_id"]
    known = both[~waits & (both["completion"] == 0)][[*key, "difference"]]
    waiting = both[waits].groupby(key)["difference"].agg(low="min", high="max").reset_index()
    found = scoring.compare(known, members, families, waiting=waiting)
    clear = (pair for pair in found.pairs if pair.better is not None)
    return {(pair.a, pair.b): _said(pair) for pair in clear}


def _said(pair: compared.Pair) -> PriceDifference:
    assert pair.difference is not None
    assert pair.interval is not None
    most = pair.b if pair.difference < 0 else pair.a
    ends = pair.interval if pair.difference > 0 else (-pair.interval[1], -pair.interval[0])
    digits = decimals(pair.difference, *ends)
    return PriceDifference(
        questions=pair.shared_questions,
        families=pair.families,
        difference=pair.difference,
        interval=pair.interval,
        sentence=(
            f"Contradictions cost {most} more: {pair.a} and {pair.b} differ by "
            f"{number(abs(pair.difference), digits)} Brier points (0–1) a question (95% interval "
            f"{interval(ends, digits)}; {count(pair.shared_questions, 'question')} in "
            f"{count(pair.families, 'family')}, on which one of the two contradicted itself)."
        ),
    )
