"""The part of a question that its values and outcomes depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from forecasts.common.vocabulary import QuestionType


class HasOutline(Protocol):
    """A question, or a row of one, with its type, options and bounds (``QuestionText`` is one)."""

    @property
    def type(self) -> QuestionType:
        """The kind of answer."""

    @property
    def options(self) -> Sequence[str] | None:
        """The options of a multiple_choice question, in order."""

    @property
    def lower_bound(self) -> str | None:
        """The lower bound of a number or a date, as it was written."""

    @property
    def upper_bound(self) -> str | None:
        """The upper bound of a number or a date, as it was written."""

    @property
    def unit(self) -> str | None:
        """The unit of a number."""

    @property
    def is_quantitative(self) -> bool:
        """Whether the answer is a number or a date, forecast by quantiles."""


@dataclass(frozen=True)
class Outline:
    """A ``HasOutline`` by itself, for questions that are not in the ledger (yet)."""

    type: QuestionType = QuestionType.binary
    options: Sequence[str] | None = None
    lower_bound: str | None = None
    upper_bound: str | None = None
    unit: str | None = None

    @property
    def is_quantitative(self) -> bool:
        """Whether the answer is a number or a date, forecast by quantiles."""
        return self.type.is_quantitative
