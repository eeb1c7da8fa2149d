"""The result of a health check."""

from __future__ import annotations

from dataclasses import dataclass

from forecasts.common.errors import Advice, in_words


@dataclass(frozen=True)
class Finding:
    """The result of one check in a sentence, with advice if it failed."""

    about: str
    result: str
    advice: Advice = ""

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return not self.advice

    @property
    def remedy(self) -> str:
        """The advice in words, in which acts are commands."""
        return in_words(self.advice)
