"""The scope of a report: its groups and questions, which are decided before any score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecasts.common.errors import BadInput
from forecasts.folder.frames import Frames
from forecasts.reports.cohort import COUNTS, families, quantitative, reasons, selected, waits
from forecasts.reports.groups import chosen
from forecasts.reports.report import By
from forecasts.reports.selection import Choice
from scoring.arrays import Flags, Places
from scoring.shared_shocks import Spans, spans_of

_OF_SPANS = ("question_id", "family", "open_time", "scheduled_close_time")


@dataclass(frozen=True)
class Scope:
    """The groups ``wanted`` and the questions of a report.

    ``questions`` are those that the choice selects, numbered (see ``in_order``), or some of them;
    ``reason`` says why each is left out. Their column ``row`` is a question's position among all
    that count, and ``cluster`` that of its family; ``opened`` and ``closed`` tell when the family
    is open, in days.
    ``all_questions``: how many there are, including those not selected.
    """

    by: By
    wanted: tuple[str, ...]
    choice: Choice
    as_of: datetime
    questions: pd.DataFrame
    reason: npt.NDArray[np.object_]
    all_questions: int = 0

    @property
    def counts(self) -> Flags:
        """Which of the questions count."""
        return np.asarray(self.reason == COUNTS)

    @cached_property
    def counting(self) -> pd.DataFrame:
        """The questions that count."""
        return self.questions[self.counts].reset_index(drop=True)

    @cached_property
    def waiting(self) -> pd.DataFrame:
        """The questions that would count if their outcome were known."""
        waiting = waits(self.questions, self.reason, cohort=self.choice.cohort, as_of=self.as_of)
        waiting &= ~quantitative(self.questions)  # these have a test of their own
        return self.questions[waiting].reset_index(drop=True)

    @cached_property
    def family(self) -> Places:
        """The cluster of each question that counts."""
        return families(self.counting)

    @cached_property
    def asked(self) -> pd.DataFrame:
        """The questions that count, and then those that wait."""
        return pd.concat([self.counting, self.waiting], ignore_index=True)

    @cached_property
    def all_families(self) -> Places:
        """The cluster of each question."""
        return families(self.questions)

    @cached_property
    def spans(self) -> Spans:
        """The time over which each family of the questions that count is open."""
        first = np.unique(self.family, return_index=True)[1]
        opened, closed = (self.counting[name].to_numpy()[first] for name in ("opened", "closed"))
        return Spans(pd.Index(self.counting["question_id"]), self.family, opened, closed)


def scope_of(
    frames: Frames, *, by: By, names: Sequence[str], choice: Choice, as_of: datetime
) -> Scope:
    """Return the scope of a report; of the forecasts in ``frames`` only the forecasters count.

    BadInput lists the names there are if one of ``names`` is unknown.
    """
    if choice.lead is not None and by == "lead":
        raise BadInput(
            "A report by lead already has one lead per group.",
            remedy="Give the leads as names, or report by something else.",
        )
    wanted = tuple(chosen(frames, by=by, names=names))
    every = in_order(frames.questions)
    is_selected = selected(every, choice)
    if choice.witnessed:
        is_selected &= ~every["id"].isin(frames.resolved_alone).to_numpy()
    questions = every if is_selected.all() else every[is_selected].reset_index(drop=True)
    reason = reasons(questions, cohort=choice.cohort, as_of=as_of)
    counts = reason == COUNTS
    counting = questions.loc[counts, list(_OF_SPANS)]
    spans = spans_of(counting, pd.Series(families(counting), index=counting["question_id"]))
    about = {
        "row": np.arange(len(counting)),
        "cluster": spans.family,
        "opened": spans.opened[spans.family],
        "closed": spans.closed[spans.family],
    }
    for name, values in about.items():
        questions[name] = np.full(len(questions), -1, dtype=values.dtype)
        questions.loc[counts, name] = values
    return Scope(by, wanted, choice, as_of, questions, reason, len(is_selected))


def in_order(questions: pd.DataFrame) -> pd.DataFrame:
    """Return the questions in the order of their ids, and numbers as ids.

    A fixed order makes sums round alike, and numbers are read many times faster than texts. The
    column ``id`` keeps the original id.
    """
    ordered = questions.sort_values("question_id", ignore_index=True)
    return ordered.assign(id=ordered["question_id"], question_id=np.arange(len(ordered)))


def numbered(frames: Frames) -> Frames:
    """Return the frames with the questions ``in_order``, and their numbers in the forecasts."""
    questions = in_order(frames.questions)
    place = pd.Index(questions["id"]).get_indexer(frames.forecasts["question_id"])
    return replace(
        frames, questions=questions, forecasts=frames.forecasts.assign(question_id=place)
    )
