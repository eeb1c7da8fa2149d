"""The notes of a reader or a preview, in the words of the command line."""

from __future__ import annotations

from forecasts.common.errors import in_words
from forecasts.importing.record import Preview
from forecasts.platforms.record import PlatformRecord


def notes_of(of: PlatformRecord | Preview) -> list[str]:
    return [in_words(note) for note in of.notes]
