"""The result of a health check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The result of one check in a sentence, with a remedy if it failed."""

    about: str
    result: str
    remedy: str = ""

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return not self.remedy
