"""Passwords and tokens in the addresses of a record, none of which is published.

Evidence is shown without them. Words that a hash proves cannot be changed: such a rationale or note
is left out, and marked, and a question whose wording or source has one is left out whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd
from pandas.api.types import is_string_dtype
from sqlmodel import Session, col, select

from forecasts.common.secret_addresses import holds_secrets, without_secrets
from forecasts.common.text import count
from forecasts.folder.frames import Frames
from forecasts.ledger.models import QuestionText, Resolution
from forecasts.questions.standing import QuestionState, in_batches

SECRET = "an address with a password or a token"  # noqa: S105 - its name
WITHHELD = f"[Left out: it has {SECRET}.]"


def published(words: str) -> str:
    """Return a rationale or a note as it is shown: whole, or as the mark of one left out."""
    return WITHHELD if holds_secrets(words) else words


def of_texts(texts: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield a sentence on each question with texts that are left out; ``texts``: by slug."""
    for slug, some in texts.items():
        if many := sum(one == WITHHELD for one in some):
            are = count(many, "rationale or note is", "rationales or notes are")
            yield f"{slug}: {are} left out because of {SECRET}."


def questions_with(session: Session, states: Mapping[int, QuestionState]) -> dict[int, str]:
    """Return the ids of the questions that cannot be published, each with the reason."""
    found = {}
    for some in in_batches(list(states)):
        sources = select(Resolution.question_id, Resolution.source).order_by(col(Resolution.id))
        for id_, source in session.exec(sources.where(col(Resolution.question_id).in_(some))):
            if holds_secrets(source or ""):
                found[id_] = "outcome's source"
    for id_, state in states.items():
        if any(map(holds_secrets, _texts(state.text))):
            found[id_] = "wording"
    return {
        id_: f"{states[id_].slug} is not published: its {where} has {SECRET}."
        for id_, where in sorted(found.items())
    }


def _texts(text: QuestionText) -> Iterator[str]:
    for name in QuestionText.model_fields:
        value = getattr(text, name)
        yield from [value] if isinstance(value, str) else value if isinstance(value, list) else ()


def masked(frames: Frames) -> Frames:
    """Return frames without secrets in their texts."""
    return replace(
        frames,
        questions=_masked(frames.questions),
        forecasts=_masked(frames.forecasts),
        evidence=_masked(frames.evidence),
        articles=_masked(frames.articles),
    )


def _masked(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {
        name: column.map(without_secrets)
        for name, column in frame.items()
        if is_string_dtype(column) and column.str.contains("://|=").any()
    }
    return frame.assign(**{str(name): column for name, column in columns.items()})
