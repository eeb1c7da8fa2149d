"""Conflicts of another platform's record with the ledger, and the times that it may move."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from forecasts.access.roles import Action
from forecasts.common.errors import Problem
from forecasts.questions.standing import QuestionState


@dataclass(frozen=True)
class Conflict:
    """A fact of an import that contradicts the ledger, or that it cannot have yet."""

    question_id: str
    column: str
    problem: Problem

    @property
    def unfits(self) -> bool:
        """Whether forecasts for the question as imported do not fit the one of the ledger."""
        return self.column in ("type", "options")


@dataclass(frozen=True)
class AssumedTimes:
    """The times of questions that nobody gave, which a later import may widen; by question_id.

    ``reasons``: of wordings with such times (``ASSUMED``). ``widened``: the columns in which this
    import widens such a time of the ledger, even of a resolved question.
    """

    reasons: Mapping[str, str] = field(default_factory=dict)
    widened: Mapping[str, Collection[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Tolerance:
    """For records of other platforms: what conflicts is left out, and listed in ``conflicts``.

    A person cannot correct the platform, and one question should not prevent the import of the
    others. ``may``: whether the importer may do this on a question. A value that an earlier wording
    had is not news: a member has changed it here, or the export is older than another.
    """

    may: Callable[[Action, QuestionState], bool]
    times: AssumedTimes
    conflicts: list[Conflict] = field(default_factory=list)

    @property
    def unfit(self) -> set[str]:
        """The questions whose forecasts do not fit those of the ledger."""
        return {one.question_id for one in self.conflicts if one.unfits}
