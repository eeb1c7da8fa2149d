"""Brier scores of groups, adjusted for the difficulty of the questions that each forecast."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from forecasts.folder.frames import rows
from forecasts.reports.estimates import known
from forecasts.reports.report import Adjusted
from scoring.difficulty import Block, adjusted_in_blocks


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
    return {
        row.group: Adjusted(
            row.adjusted,
            None if known(row.lower) is None else (row.lower, row.upper),
            questions=row.questions,
            component=row.component,
        )
        for row in rows(adjusted_in_blocks(names, blocks))
    }
